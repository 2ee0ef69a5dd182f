"""Whether the replay of a shop's year tells what the advice would truly have brought.

Simulated shops run by three rules: mediocre (the average of four weeks x 35 days), by the rival apps'
rule (mean of 13 weeks + 1.65 deviations), and well (the newsvendor's quantile of the true
distribution). The same shops again with a shelf that was counted over the last half year only, as
where the app was installed then, and at the very end only: there the replay may tell no more than a floor.
The true value is that of the advice followed every week, forecasts
anew each time from its own shelf's record, on the demand that truly was; the replay sees only what
the shop's own record shows. Errors are shares of what the shop would have earned with the advice.
Then the time that a year of a large shop takes. Without peers: the truth is the judge.
"""

import time
from typing import Final

import numpy as np
import pandas as pd

from bench.lib.replay_shops import (
    HOLDING_PER_YEAR,
    REPLAYED,
    RULES,
    WEEKS,
    Shop,
    Truth,
    shop,
    truth_of,
)
from bench.lib.report import Target, arguments, finish
from shopify_app.analytics.replay import LITTLE, Replay, replay

HALF: Final = REPLAYED // 2
SHELVES: Final = {"counted": 0, "half a year": WEEKS - HALF - 1, "uncounted": WEEKS - 1}
"""Week from which the shelf is known."""


def main() -> int:
    """Replay shops of all kinds against the truth."""
    options = arguments(
        __doc__ or "",
        shops=(int, 2, "shops of each kind"),
        variants=(int, 2000, "of the large shop"),
    )
    rows = []
    for number, kind in enumerate(RULES):
        for index in range(options.shops):
            rng = np.random.default_rng([options.seed, number, index])
            it = shop(rng, kind)
            year, half = (
                truth_of(rng, it),
                truth_of(rng, it, HALF, counted_from=SHELVES["half a year"]),
            )
            for shelf, since in SHELVES.items():
                truth = half if shelf == "half a year" else year
                found = replay(
                    it.history(counted_from=since),
                    it.terms(),
                    holding_per_year=HOLDING_PER_YEAR,
                    seed=index,
                )
                rows.append(_row(f"{kind}, {shelf}", found, truth, it))
    frame = pd.DataFrame(rows)
    targets = []
    for kind, part in frame.groupby("kind", sort=False):
        targets += _of(str(kind), part)
    counted = frame[~frame["is_floor"]]
    targets += [
        Target("counted: sign right", float(counted["is_right"].mean()), low=0.95),
        Target(
            "counted: range holds the truth", float(counted["holds"].mean()), low=0.70, high=0.95
        ),
        Target(
            "uncounted: a gain told where there is none",
            float((frame["is_floor"] & ~frame["is_right"]).mean()),
            high=0.0,
        ),
        _cost(options.seed, options.variants),
    ]
    return finish(
        "value of the replay against the true one", targets, seed=options.seed, shops=len(frame)
    )


def _of(kind: str, part: pd.DataFrame) -> list[Target]:
    error = part["error"]
    print(
        f"{kind:<24} true gain {part['truth'].mean():+.2%} of revenue; error {error.mean():+.2%} of the value "
        f"on average, {error.abs().mean():.2%} in size; range holds the truth {part['holds'].mean():.0%}"
    )
    if part["is_floor"].all():
        return []
    return [
        Target(f"{kind}: mean error", float(error.mean()), low=-0.01, high=0.01),
        Target(f"{kind}: shops within 1 %", float((error.abs() <= 0.01).mean()), low=0.9),
        Target(f"{kind}: sign right", float(part["is_right"].mean()), low=0.95),
    ]


def _row(kind: str, found: Replay, truth: Truth, it: Shop) -> dict[str, object]:
    wanted, sold = it.wanted[:, -found.weeks :].sum(), it.sold[:, -found.weeks :].sum()
    return {
        "kind": kind,
        "truth": truth.gain / truth.revenue,
        "error": (found.gain - truth.gain) / truth.value,
        "is_floor": found.is_floor,
        "is_right": found.verdict == "not_counted"
        or found.verdict == _true_verdict(truth.gain / truth.revenue),
        "holds": found.gain_low <= truth.gain <= found.gain_high,
        "lost": found.lost_units / max(wanted - sold, 1.0) - 1,
    }


def _true_verdict(share: float) -> str:
    if share <= -LITTLE:
        return "loss"
    return "gain" if share >= LITTLE else "little_to_gain"


def _cost(seed: int, variants: int) -> Target:
    """CPU seconds of a large shop, of which a draw is looked at."""
    it = shop(np.random.default_rng([seed, 9]), "mediocre", products=variants)
    history, terms = it.history(), it.terms().assign(review=1)
    before = time.process_time()
    part = replay(history, terms, holding_per_year=HOLDING_PER_YEAR)
    took = time.process_time() - before
    print(
        f"\n{part.series} of {variants} variants: {took:.1f} CPU s, {part.gain / part.revenue:+.2%} "
        f"({part.gain_low / part.revenue:+.2%} to {part.gain_high / part.revenue:+.2%})"
    )
    return Target(f"CPU s, a year of {variants} variants", took, high=180)


if __name__ == "__main__":
    raise SystemExit(main())
