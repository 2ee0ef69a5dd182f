"""The VN2 inventory game by its own rules.

Holding costs 0.2 a unit and week, a lost sale 1; an order a week, there at the start of the third week
on: the first two weeks cannot be changed any more, so weeks 3 to 8 count.

Where the folder holds weeks after the 157 of the competition, the game itself is played from its
initial state. Before that, the same game is played on windows of eight weeks inside the weeks given,
each from the state that the organiser's policy had left. Nothing is tuned on the weeks played.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bench.lib import data, report, stock_sets
from bench.lib.keel_policy import keel
from bench.lib.report import Target
from bench.lib.stock_game import Game, Policy, Score, View, clairvoyant, play, z_rule

HOLDING: Final = 0.2
SHORTAGE: Final = 1.0
LEAD_WEEKS: Final = 2
WEEKS: Final = 8
GIVEN_WEEKS: Final = 157
COVER_WEEKS: Final = 4
WINDOWS: Final = (109, 125, 141, 149)
"""First weeks of the windows: a spring, an autumn, a winter with Christmas, and the last weeks given."""

WARM_WEEKS: Final = 12
ZS: Final = (0.5, 0.97, 1.28, 1.65)
ORGANISER: Final = 4_334.0
WINNER: Final = 3_763.0
"""Published costs of weeks 3 to 8."""

BENCHMARK_SHARE: Final = 0.83


def main() -> int:
    """Play the windows, and the game where its weeks are there."""
    arguments = report.arguments(__doc__ or "")
    folder = arguments.data
    dataset = data.vn2(folder)
    table = stock_sets.wide(dataset)
    groups = dataset.history.groupby("series_id")["group"].first().reindex(table.index).to_numpy()
    ours = theirs = 0.0
    for start in WINDOWS:
        if start + WEEKS > min(table.shape[1], GIVEN_WEEKS):
            continue
        game = _window(table, groups, start)
        found = _compare(f"weeks {start + 1}-{start + WEEKS}", game, arguments.seed)
        ours, theirs = ours + found["keel"].cost, theirs + found["organiser's"].cost
    targets = [Target("windows: cost / organiser's policy", ours / theirs, high=BENCHMARK_SHARE)]
    if table.shape[1] >= GIVEN_WEEKS + WEEKS:
        game = _the_game(folder, table, groups)
        cost = _compare("the game itself", game, arguments.seed)["keel"].cost
        print(f"published: organiser {ORGANISER:,.0f}, winner {WINNER:,.0f}")
        targets.append(Target("the game, weeks 3-8", cost, high=3_600.0))
    else:
        print(f"\n{folder.name} ends with week {table.shape[1]}: the game itself cannot be played.")
    return report.finish("vn2", targets, seed=arguments.seed)


def _compare(name: str, game: Game, seed: int) -> dict[str, Score]:
    policies: dict[str, Policy] = {
        "organiser's": organiser(),
        "keel": keel(game),
        "clairvoyant": clairvoyant(game),
    }
    found = {label: play(game, policy, seed=seed) for label, policy in policies.items()}
    rules = {
        (z, window): play(game, z_rule(game, z, window), seed=seed)
        for z in ZS
        for window in (13, 26, 52)
    }
    best = min(rules, key=lambda key: rules[key].cost)
    found[f"z = {best[0]:g}, window {best[1]}: in hindsight"] = rules[best]
    print(f"\n{name:<34}{'all 8 weeks':>12}{'weeks 3-8':>12}{'fill':>8}{'stock':>10}")
    for label, score in found.items():
        whole = score.by_period.sum()
        print(
            f"{label:<34}{whole:>12,.1f}{score.cost:>12,.1f}{score.fill:>8.3f}{score.stock:>10,.0f}",
            flush=True,
        )
    return found


def organiser() -> Policy:
    """Up to four weeks of a moving average of 13 weeks, times the shop's own weekly season."""

    def order(view: View) -> np.ndarray:
        week = np.arange(view.now) % 52
        by_week = view.sold.sum(axis=0)
        season = np.array([by_week[week == one].mean() for one in range(52)])
        season /= season.mean()
        level = (view.sold / season[week])[:, -13:].mean(axis=1)
        coming = season[(view.now + np.arange(COVER_WEEKS)) % 52].sum()
        return np.maximum(np.round(level * coming - view.on_hand - view.incoming.sum(axis=1)), 0.0)

    return order


def _game(
    table: pd.DataFrame, groups: np.ndarray, start: int, on_hand: np.ndarray, transit: np.ndarray
) -> Game:
    n = len(table)
    return Game(
        name="vn2",
        demand=table.to_numpy(float),
        # The game takes what was sold for what was wanted, weeks without stock included: so do we.
        on_sale=np.ones(table.shape),
        start=start,
        counted=start + LEAD_WEEKS,
        lead_time=np.full(n, LEAD_WEEKS),
        review=1,
        holding=np.full(n, HOLDING),
        shortage=np.full(n, SHORTAGE),
        on_hand=on_hand,
        in_transit=transit,
        pack=np.ones(n),
        minimum=np.zeros(n),
        until=start + WEEKS,
        extra={
            "series": table.index.to_numpy(),
            "periods": table.columns.to_numpy(),
            "period": "W",
            "group": groups,
        },
    )


def _window(table: pd.DataFrame, groups: np.ndarray, start: int) -> Game:
    """A window, from the state that the organiser's policy leaves after some weeks."""
    demand = table.to_numpy(float)
    on_hand = np.ceil(2 * demand[:, : start - WARM_WEEKS][:, -13:].mean(axis=1))
    transit = np.zeros((len(demand), LEAD_WEEKS))
    policy = organiser()
    for week in range(start - WARM_WEEKS, start):
        past = demand[:, :week]
        ordered = policy(View(week, past, np.ones_like(past), on_hand, transit))
        on_hand = np.maximum(on_hand + transit[:, 0] - demand[:, week], 0.0)
        transit = np.column_stack([transit[:, 1:], ordered])
    return _game(table, groups, start, on_hand, transit)


def _the_game(folder: Path, table: pd.DataFrame, groups: np.ndarray) -> Game:
    """The competition's weeks, from its initial state."""
    state = data.read(folder, "vn2_initial_state")
    state.index = state["store"].astype(str) + "/" + state["product"].astype(str)
    state = state.reindex(table.index)
    transit = state[["in_transit_w1", "in_transit_w2"]].to_numpy(float)
    return _game(table, groups, GIVEN_WEEKS, state["end_inventory"].to_numpy(float), transit)


if __name__ == "__main__":
    raise SystemExit(main())
