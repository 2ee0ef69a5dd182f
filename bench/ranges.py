"""Whether a shop's own ranges hold as often as they say, and again soon after the shop has changed.

Simulated shops of five types, ranges of 80 % given every week for the next week and the next four,
each corrected by what had come due by then of its own length; those of the next week also as the app
does it, by what had come due of four weeks. Without peers: what came is the judge. A total on the end
of a range counts by the part of the end that is inside; the plain count is printed beside it.
"""

from typing import Final

import numpy as np
import pandas as pd

from bench.lib import range_shops
from bench.lib.report import Target, arguments, finish
from shopify_app.analytics import demand
from shopify_app.analytics.demand import calibration

LEVEL: Final = 0.8
SPANS: Final = (1, 4)
WEEKS: Final = 130
FIRST: Final = 78
"""The first range is given after so many weeks."""

SHIFT: Final = 104
BACK_WITHIN: Final = 6

RAW: Final = 0
WAYS: Final = ((1, RAW), (1, 1), (1, 4), (4, RAW), (4, 4))
"""Weeks that a range lasts, and weeks that the ranges last by whose record it is corrected."""


def main() -> int:
    """Every type of shop, as it is and with a change."""
    options = arguments(__doc__ or "", shops=(int, 2, "shops of each type"))
    calm: list[pd.DataFrame] = []
    changed: list[pd.DataFrame] = []
    for number, (name, make) in enumerate(range_shops.TYPES.items()):
        for shop in range(options.shops):
            rng = np.random.default_rng([options.seed, number, shop])
            units = make(rng, WEEKS)
            calm.append(_ranges(units).assign(type=name))
            changed.append(_ranges(range_shops.shifted(rng, units, SHIFT)).assign(type=name))
    targets = _calm_targets(pd.concat(calm)) + _shift_targets(pd.concat(changed))
    return finish(
        "share of 80 % ranges that held", targets, seed=options.seed, shops=5 * options.shops
    )


def _ranges(units: np.ndarray) -> pd.DataFrame:
    """Every range given of a shop, with and without the corrections known when it was given."""
    start = np.datetime64("2024-01-01", "D")
    parts: dict[tuple[int, int], list[pd.DataFrame]] = {way: [] for way in WAYS}
    for now in range(FIRST, WEEKS - max(SPANS) + 1):
        forecast = demand.forecast_demand(_history(units[:, :now], start), horizon=max(SPANS))
        today = start + 7 * now
        known = {span: _corrected(parts[span, span], today) for span in SPANS}
        for (span, by), given in parts.items():
            level = LEVEL if by == RAW else known[by]
            made = calibration.ranges_of(forecast, level, last=span)
            actual = units[made["series_id"].to_numpy(int), now : now + span].sum(axis=1)
            dates = {"now": now, "issued_on": today, "due_on": today + 7 * span}
            given.append(made.assign(**dates, level=LEVEL, actual=actual, span=span, by=by))
    return pd.concat([one for given in parts.values() for one in given], ignore_index=True)


def _corrected(given: list[pd.DataFrame], today: np.datetime64) -> float:
    if not given:
        return LEVEL
    known = calibration.score_ranges(pd.concat(given[-52:]), as_of=today)
    return calibration.correction(known).get(LEVEL, LEVEL)


def _history(units: np.ndarray, start: np.datetime64) -> pd.DataFrame:
    first = np.where((units > 0).any(axis=1), (units > 0).argmax(axis=1), units.shape[1] - 1)
    row, column = np.nonzero(np.arange(units.shape[1])[None, :] >= first[:, None])
    return pd.DataFrame(
        {
            "series_id": row,
            "period": (start + 7 * column).astype("datetime64[s]"),
            "units": units[row, column],
        }
    )


def _held(part: pd.DataFrame) -> tuple[float, float]:
    """(share that held, the plain count)."""
    score = calibration.score_ranges(part).levels[0]
    return score.held, score.held_plainly


def _calm_targets(ranges: pd.DataFrame) -> list[Target]:
    print(
        f"{'shop':<12}{'span':>5}{'as forecast':>14}{'corrected':>12}{'as the app':>12}{'plainly':>10}{'ranges':>10}"
    )
    for (name, span), part in ranges.groupby(["type", "span"], sort=False):
        raw, _ = _held(part[part["by"] == RAW])
        held, plain = _held(part[part["by"] == part["span"]])
        app, _ = _held(part[part["by"] == max(SPANS)])
        count = int((part["by"] == RAW).sum())
        print(f"{name:<12}{span:>5}{raw:>14.3f}{held:>12.3f}{app:>12.3f}{plain:>10.3f}{count:>10d}")
    used = ranges[ranges["by"] == ranges["span"]]
    app = ranges[ranges["by"] == max(SPANS)]
    targets = [
        Target("held overall", _held(used)[0], low=0.76, high=0.84),
        Target("held overall, as the app", _held(app)[0], low=0.76, high=0.84),
    ]
    for name, part in used.groupby("type", sort=False):
        targets.append(Target(f"held, {name}", _held(part)[0], low=0.70, high=0.90))
    return targets


def _shift_targets(ranges: pd.DataFrame) -> list[Target]:
    """Coverage by the week in which ranges came due, after the change."""
    print("\nshare that held by weeks since the change (due in that week), all types")
    targets = []
    for span in SPANS:
        for by in dict.fromkeys((RAW, span, max(SPANS))):
            part = ranges[(ranges["span"] == span) & (ranges["by"] == by)]
            since = part["now"].to_numpy() + span - SHIFT
            weeks = [_held(part[since == k])[0] for k in range(-2, 21)]
            words = "as forecast" if by == RAW else f"by {by} weeks " if by > 1 else "by one week"
            print(f"span {span} {words} " + " ".join(f"{share:.2f}" for share in weeks))
            after = _held(part[since > BACK_WITHIN])[0]
            fell = _held(part[(since > 0) & (since <= 3)])[0]
            print(f"{'':19}weeks 1-3: {fell:.3f}, later than {BACK_WITHIN}: {after:.3f}")
            if by != RAW:
                targets.append(
                    Target(
                        f"held after the change, span {span} by {by}", after, low=0.76, high=0.84
                    )
                )
        used = ranges[(ranges["span"] == span) & (ranges["by"] == span)]
        late = used[used["now"] + span - SHIFT > BACK_WITHIN]
        for name, part in late.groupby("type", sort=False):
            share = _held(part)[0]
            print(f"    {name:<12}{share:.3f}")
            targets.append(
                Target(f"held after the change, {name}, span {span}", share, low=0.70, high=0.90)
            )
    return targets


if __name__ == "__main__":
    raise SystemExit(main())
