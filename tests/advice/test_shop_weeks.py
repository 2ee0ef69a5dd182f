"""A shop's own weeks: fixed days, another weekday for each shop, the days since the last close as a part week."""

from datetime import date, timedelta

import pandas as pd
import pytest

from shopify_app.advice import shop_weeks
from shopify_app.db import daily_sales, frames, orders
from shopify_app.db.connection import transaction
from shopify_app.usecases.suggestions.read_weeks import read_weeks
from tests.factories import NOW, line_of, make_variant, order_of

WEDNESDAY = date(2026, 11, 25)


def sell(shop, variant_id, *days_ago):
    """One unit on each of some days before NOW."""
    made = [
        order_of(ago + 1, line_of(ago + 1, variant_id, price="24.00"), at=NOW - timedelta(days=ago))
        for ago in days_ago
    ]
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, made)
        daily_sales.touch(conn, shop.shop_id, applied.days)
        daily_sales.recount(conn, shop.shop_id, limit_days=999)


def weeks(shop, day):
    with transaction(shop.shop_id) as conn:
        return read_weeks(
            conn, shop, day, weeks=8, variants=frames.variants_on_sale(conn, shop.shop_id)
        )


@pytest.mark.parametrize(
    ("weekday", "begin"),
    [(2, WEDNESDAY), (1, date(2026, 11, 24)), (3, date(2026, 11, 19)), (0, date(2026, 11, 23))],
)
def test_a_week_begins_on_the_shops_weekday(weekday, begin):
    assert shop_weeks.week_begin(WEDNESDAY, weekday) == begin


def test_shops_close_on_different_days():
    assert {shop_weeks.first_weekday(shop_id) for shop_id in range(100)} == set(range(7))


def test_a_closed_week_keeps_its_days_and_the_part_week_is_apart(acme, rival):
    variant_id = make_variant(acme)
    sell(acme, variant_id, *range(1, 40))
    begin = shop_weeks.week_begin(NOW.date(), shop_weeks.first_weekday(acme.shop_id))
    nights = [begin + timedelta(days=days) for days in range(1, 7)]

    for night in (one for one in nights if one <= NOW.date()):
        found = weeks(acme, night)
        units = found.closed.set_index("weeks_ago")["units"]
        assert units[0] == units[1] == 7
        assert units[-1] == (night - begin).days
        assert found.weekly.set_index("weeks_ago")["units"][0] == 7
    assert weeks(acme, begin).closed.empty
    assert weeks(rival, begin + timedelta(days=1)).closed.empty
    assert weeks(rival, begin + timedelta(days=1)).weekly.empty


def test_a_part_week_counts_as_much_as_its_days_usually_bring():
    days = [WEDNESDAY - timedelta(days=ago) for ago in range(1, 183)]
    sales = pd.DataFrame(
        {
            "sold_on": pd.to_datetime(days),
            "orders": [80 if day.weekday() >= 5 else 10 for day in days],
        }
    )

    quiet = shop_weeks.part_share(sales, date(2026, 11, 23), date(2026, 11, 26))
    busy = shop_weeks.part_share(sales, date(2026, 11, 21), date(2026, 11, 23))

    assert quiet == pytest.approx(30 / 210, abs=0.02)
    assert busy == pytest.approx(160 / 210, abs=0.02)


def test_a_shop_that_never_sold_has_even_weeks():
    empty = pd.DataFrame({"sold_on": pd.to_datetime([]), "orders": pd.Series(dtype="int64")})

    assert shop_weeks.part_share(empty, date(2026, 11, 23), date(2026, 11, 26)) == pytest.approx(
        3 / 7, abs=1e-3
    )
