"""Ranges that a run gives are kept, and held against what came when they are due.

    a run of suggestions --first of the shop's week--> ranges of the next weeks kept
    due and a day old    --> scored, or left out (there was nothing to sell) --> how often they held

A range is given, and shown on cards, at the level that the shop's past ranges ask for (the run's
`Inputs.range_level`). That level is kept beside the one said: what is judged is the range as it was given, what is
learned is how far the model's own spread is short, so that a correction at work is not learned again.
Orders are planned without it.
"""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.advice.inputs import RANGE_LEVEL, Inputs
from shopify_app.analytics.demand import calibration
from shopify_app.analytics.demand.calibration import Calibration
from shopify_app.db import calibrations, issued_ranges
from shopify_app.db.calibrations import CalibrationRow
from shopify_app.db.connection import Connection, transaction
from shopify_app.db.issued_ranges import NewRange, ScoredRange
from shopify_app.domain.shop import Shop

WEEKS: Final = 4
"""A range is of the total over so many weeks."""

MOST: Final = 500
"""Ranges a week: of the variants of which most is expected."""

SETTLING_DAYS: Final = 1
"""Days after which a day's orders are taken to be all there."""

MOST_OUT_SHARE: Final = 0.05
"""Share of its time without stock above which a range says nothing of demand."""

JUDGED_DAYS: Final = 364
"""Days over which ranges due are looked at; older ones are forgotten."""


def keep_up(shop: Shop, inputs: Inputs) -> None:
    """Give a run's ranges, if its week has none yet, and score what has come due."""
    with transaction(shop.shop_id) as conn:
        last = issued_ranges.last_issued_on(conn, shop.shop_id)
    has_given = last is not None and last >= inputs.closed_on
    given = [] if has_given else ranges_to_give(inputs)
    with transaction(shop.shop_id) as conn:
        issued_ranges.add(conn, shop.shop_id, given)
        if _score_due(conn, shop, inputs.as_of):
            calibrations.keep(conn, shop.shop_id, _worked_out(conn, shop, inputs.as_of))
            before = inputs.as_of - timedelta(days=JUDGED_DAYS)
            issued_ranges.forget_before(conn, shop.shop_id, before)


def ranges_to_give(inputs: Inputs) -> list[NewRange]:
    """Ranges of what the variants of which most is expected will sell over the next weeks."""
    if inputs.demand is None:
        return []
    forecast = inputs.demand.forecast
    weeks = min(WEEKS, forecast.mean.shape[1])
    expected = forecast.mean[:, :weeks].sum(axis=1)
    rows = np.sort(np.argsort(-expected, kind="stable")[:MOST])
    made: Any = calibration.ranges_of(forecast, inputs.range_level, last=weeks, rows=rows)
    due_on = inputs.as_of + timedelta(days=7 * weeks)
    return [
        NewRange(
            int(one.series_id),
            inputs.as_of,
            due_on,
            RANGE_LEVEL,
            float(one.used),
            float(one.expected),
            int(one.low),
            int(one.high),
            float(one.low_share),
            float(one.high_share),
        )
        for one in made.itertuples()
    ]


def _score_due(conn: Connection, shop: Shop, as_of: date) -> bool:
    """Score what has come due; whether anything had."""
    until = as_of - timedelta(days=SETTLING_DAYS)
    due = issued_ranges.due(conn, shop.shop_id, until=until, timezone=shop.timezone)
    left_out = [one for one in due if one.out_of_stock_share > MOST_OUT_SHARE]
    scored = [one for one in due if one.out_of_stock_share <= MOST_OUT_SHARE]
    issued_ranges.keep_scores(conn, shop.shop_id, scored, left_out)
    return bool(due)


def _worked_out(conn: Connection, shop: Shop, as_of: date) -> CalibrationRow:
    first = as_of - timedelta(days=JUDGED_DAYS)
    rows = issued_ranges.scored_since(conn, shop.shop_id, first)
    found = calibration.score_ranges(_frame(rows))
    left_out = issued_ranges.left_out_since(conn, shop.shop_id, first)
    corrections = {f"{level:g}": used for level, used in calibration.correction(found).items()}
    return CalibrationRow(as_of, _record(found) | {"left_out": left_out}, corrections)


def _frame(rows: list[ScoredRange]) -> pd.DataFrame:
    """Ranges as `calibration.score_ranges` takes them."""
    names = {"variant_id": "series_id", "used_level": "used"}
    columns = list(ScoredRange.__dataclass_fields__)
    return pd.DataFrame([asdict(row) for row in rows], columns=columns).rename(columns=names)


def _record(found: Calibration) -> dict[str, Any]:
    """A calibration as JSON."""
    return {
        "levels": [asdict(one) | {"is_known": one.is_known} for one in found.levels],
        "parts": found.parts.to_dict("records"),
    }
