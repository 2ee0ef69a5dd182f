"""Which weeks of a panel a shop-wide sale made, and which it did not."""

import numpy as np
import pandas as pd

from shopify_app.analytics.prices.spells import price_weeks

WEEKS, SALE = 40, slice(20, 22)


def shop(cut, *, until=None, weeks=WEEKS, count=10):
    """A shop of `count` products, of which the first six are cut from week 20 `until` a week (two weeks)."""
    price = np.full((count, weeks), 20.0)
    price[:6, 20 : until or 22] *= 1 - cut
    starts = np.datetime64("2025-01-06", "s") + np.arange(weeks) * np.timedelta64(7, "D")
    return pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(count), weeks),
            "period": np.tile(starts, count),
            "units": 5.0,
            "price": price.ravel(),
        }
    )


def test_a_sale_is_what_came_back_and_its_weeks_are_everyones():
    found = price_weeks(shop(0.2))

    assert len(found.units) == 10  # moved by the sale alone: not copies of each other
    assert found.sale[:6, SALE].all()
    assert found.sale.sum() == 6 * 2
    assert (found.event[:, SALE] == 1).all()
    assert (found.event > 0).sum() == 10 * 2
    assert (found.lasting_level == 0).all()


def test_two_sales_have_two_numbers():
    panel = shop(0.2)
    again = panel["series_id"].lt(6) & panel["period"].isin(panel["period"].unique()[30:33])
    panel.loc[again, "price"] = 16.0
    found = price_weeks(panel)

    assert (found.event[0, 30:33] == 2).all()
    assert (found.event[9, SALE] == 1).all()


def test_a_cut_that_stayed_or_a_rise_is_no_sale():
    for panel in (shop(0.2, until=WEEKS), shop(0.2, until=35), shop(-0.2)):
        found = price_weeks(panel)
        assert not found.sale.any()
        assert not found.event.any()
        assert found.level.max() > 0
        assert (found.lasting_level == found.level).all()
