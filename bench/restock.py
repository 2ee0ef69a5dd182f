"""What a restock rule costs on real demand, its own stock-outs censoring what it sees.

Peers in the same run: the rivals' rule (mean + z x deviation of what was sold in a window) with the z
and window that turn out best in hindsight, an empirical quantile, and a clairvoyant.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from bench.lib import report, stock_sets
from bench.lib.data import NoDataError
from bench.lib.keel_policy import keel
from bench.lib.report import Target
from bench.lib.stock_game import Game, Score, clairvoyant, empirical_rule, play, z_rule

SETS: Final[dict[str, tuple[Callable[..., Game], int, float]]] = {
    "online retail": (stock_sets.online_retail, 900, 0.80),
    "vn2": (stock_sets.vn2, 599, 0.85),
    "man": (stock_sets.man, 600, 0.90),
    "oil": (stock_sets.oil, 900, 0.90),
}
"""Set -> (game, series at most, target of our cost against the tuned rule's)."""

ZS: Final = (0.0, 1.0, 1.65, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0)
"""Tried in hindsight. The target is against 2 to 6, what merchants are offered; the best of all is shown too."""

LEAST_Z: Final = 2.0

WINDOWS: Final = {"W": (13, 26, 52), "M": (3, 6, 12)}
FILL: Final = 0.96
FRONTIER: Final = (0.6, 1.0, 2.0)
"""Our cost of a lost sale times these, for stock at equal fill."""


def main() -> int:
    """Play every set that the folder holds."""
    arguments = report.arguments(__doc__ or "")
    folder = arguments.data
    targets: list[Target] = []
    for name, (make, most, limit) in SETS.items():
        try:
            game = make(folder, most=most, seed=arguments.seed)
        except NoDataError as missing:
            print(f"{name}: skipped, {missing}")
            continue
        targets += _one(name, game, limit, folder, arguments.seed)
    return report.finish("restock", targets, seed=arguments.seed)


def _one(name: str, game: Game, limit: float, folder: Path, seed: int) -> list[Target]:
    periods = game.end - game.counted
    print(f"\n{name}: {len(game.lead_time)} series, {periods} counted periods, from {folder.name}")
    print(f"{'policy':<34}{'cost':>12}{'held':>12}{'lost':>12}{'fill':>8}{'stock':>10}")
    windows = WINDOWS[str(game.extra["period"])]
    rules = {
        (z, window): play(game, z_rule(game, z, window), seed=seed)
        for window in windows
        for z in ZS
    }
    best = min((key for key in rules if key[0] >= LEAST_Z), key=lambda key: rules[key].cost)
    widest = min(rules, key=lambda key: rules[key].cost)
    usual = rules[1.65, windows[0]]
    _row(f"z = 1.65, window {windows[0]}", usual)
    _row(f"z = {best[0]:g}, window {best[1]}: tuned in hindsight", rules[best])
    if widest != best:
        _row(f"z = {widest[0]:g}, window {widest[1]}: of any z", rules[widest])
    for level in (0.9, 0.98):
        policy = empirical_rule(game, level, windows[-1])
        _row(f"empirical quantile {level}", play(game, policy, seed=seed))
    ours = play(game, keel(game), seed=seed)
    _row("keel", ours)
    _row("clairvoyant", play(game, clairvoyant(game), seed=seed))
    found = [
        Target(f"{name}: cost / tuned rule's", ours.cost / rules[best].cost, high=limit),
    ]
    print(
        f"cost / usual rule's (z 1.65, window {windows[0]}): {ours.cost / usual.cost:.3f}; "
        f"/ best of any z: {ours.cost / rules[widest].cost:.3f}"
    )
    if name == "online retail":
        found.append(_at_equal_fill(game, rules, ours, seed))
    return found


def _at_equal_fill(
    game: Game, rules: dict[tuple[float, int], Score], ours: Score, seed: int
) -> Target:
    """Our stock against the least that any window of the rule needs, at the same fill."""
    frontier = [
        ours if times == 1.0 else play(game, keel(game, shortage_times=times), seed=seed)
        for times in FRONTIER
    ]
    for times, score in zip(FRONTIER, frontier, strict=True):
        _row(f"keel, a lost sale x {times:g}", score)
    theirs = min(
        _stock_at(FILL, [rules[key] for key in rules if key[1] == window])
        for window in {key[1] for key in rules}
    )
    return Target(
        "online retail: stock / rule's at fill .96", _stock_at(FILL, frontier) / theirs, high=0.75
    )


def _stock_at(fill: float, scores: list[Score]) -> float:
    """Stock at a fill, between the policies by interpolation; infinite where none reaches it."""
    order = sorted(scores, key=lambda score: score.fill)
    fills, stocks = np.array([s.fill for s in order]), np.array([s.stock for s in order])
    if not fills[0] <= fill <= fills[-1]:
        return float("inf")
    return float(np.interp(fill, fills, stocks))


def _row(name: str, score: Score) -> None:
    print(
        f"{name:<34}{score.cost:>12,.0f}{score.held:>12,.0f}{score.lost:>12,.0f}{score.fill:>8.3f}{score.stock:>10,.0f}",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
