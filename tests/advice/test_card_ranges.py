"""The ranges on a restock card are the forecast's own quantiles, held to the shop's past, as its order is."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np

from shopify_app.advice import restock as restock_advice
from shopify_app.analytics.demand import SPANS
from shopify_app.analytics.demand.pooling import CLASSES, LEVELS
from tests.analytics.forecasts import level_forecast

INPUTS = SimpleNamespace(as_of=date(2025, 3, 3), range_tails=(0.1, 0.9))
TOO_SURE = SimpleNamespace(as_of=INPUTS.as_of, range_tails=(0.02, 0.98))
"""A shop whose ranges held less often than said."""

MODEL = level_forecast([5.0, 40.0], dispersion=0.3)
HELD = replace(
    MODEL,
    levels=np.broadcast_to(
        LEVELS + (0.5 - LEVELS) * 0.5, (len(SPANS), len(CLASSES) + 1, len(LEVELS))
    ).copy(),
)
"""A past that was half as unsure as the model."""


def test_the_coming_weeks_are_as_wide_as_the_shops_past_was():
    weeks = restock_advice._fan(INPUTS, HELD, 1)
    expected = [HELD.quantile((0.1, 0.9), first=week, last=week)[1] for week in range(1, 9)]
    assert [(week.low, week.high) for week in weeks] == [(low, high) for low, high in expected]
    wide = restock_advice._fan(INPUTS, MODEL, 1)
    assert weeks[0].high - weeks[0].low < 0.7 * (wide[0].high - wide[0].low)


def test_the_days_of_running_out_lie_closer_where_the_past_was_surer():
    near, far = restock_advice._run_out(INPUTS, HELD, 1, 200.0)
    nearer, farther = restock_advice._run_out(INPUTS, MODEL, 1, 200.0)
    assert nearer < near <= far < farther


def test_a_shop_whose_ranges_failed_is_told_wider_ones_about_the_same_middle():
    usual, wider = (restock_advice._fan(one, HELD, 1) for one in (INPUTS, TOO_SURE))
    assert all(b.low < a.low for a, b in zip(usual, wider, strict=True))
    assert all(b.high > a.high for a, b in zip(usual, wider, strict=True))
    assert [week.mean for week in usual] == [week.mean for week in wider]
    first, last = restock_advice._run_out(INPUTS, HELD, 1, 200.0)
    sooner, later = restock_advice._run_out(TOO_SURE, HELD, 1, 200.0)
    assert sooner < first <= last < later
    low, high = restock_advice._range_of_loss(INPUTS, HELD, 1, 2, 100.0)
    less, more = restock_advice._range_of_loss(TOO_SURE, HELD, 1, 2, 100.0)
    assert less <= low <= high < more
