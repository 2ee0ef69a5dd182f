"""Touched days are counted to the last, ask for advice once and later, and never of another shop."""

from datetime import timedelta

import pytest

from shopify_app.db import daily_sales, due_work, orders
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases.history import sales
from tests.factories import NOW, line_of, make_variant, order_of, rows

ASKED = "SELECT round(extract(epoch FROM due_at - now()))::int FROM due_work"


def sell(shop, days):
    """One mug a day; the days are touched, as ingest leaves them."""
    variant_id = make_variant(shop)
    made = [
        order_of(day + 1, line_of(day + 1, variant_id), at=NOW - timedelta(days=day))
        for day in range(days)
    ]
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, made)
        daily_sales.touch(conn, shop.shop_id, applied.days)


def counted(shop):
    return rows(shop, "SELECT count(*), sum(ordered_units) FROM daily_sales")[0]


def test_a_history_longer_than_one_transaction_is_counted_to_its_first_day(acme):
    days = 2 * sales.DAYS_AT_ONCE + 5
    sell(acme, days)

    assert sales.roll_up_sales() == days

    assert counted(acme) == (days, days)
    assert rows(acme, "SELECT count(*) FROM touched_days") == [(0,)]
    assert sales.roll_up_sales() == 0


def test_what_is_committed_before_a_crash_stays_and_the_rest_is_still_noted(acme, monkeypatch):
    monkeypatch.setattr(sales, "DAYS_AT_ONCE", 3)
    sell(acme, 8)
    real, calls = daily_sales.recount, []

    def dies_at_the_second(conn, shop_id, *, limit_days):
        calls.append(1)
        found = real(conn, shop_id, limit_days=limit_days)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(daily_sales, "recount", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        sales.roll_up_sales()
    assert counted(acme) == (3, 3)
    assert rows(acme, "SELECT count(*) FROM touched_days") == [(5,)]

    assert sales.roll_up_sales() == 5
    assert counted(acme) == (8, 8)


def test_news_is_gathered_before_advice_is_asked_for_and_an_earlier_asking_is_kept(acme):
    sell(acme, 2)
    sales.roll_up_sales()
    ((waits,),) = rows(acme, ASKED)
    assert sales.REFRESH_AFTER_SECONDS - 5 <= waits <= sales.REFRESH_AFTER_SECONDS

    with transaction(acme.shop_id) as conn:
        due_work.ask(conn, acme.shop_id, "suggestions")
        daily_sales.touch(conn, acme.shop_id, [NOW.date()])
    sales.roll_up_sales()

    assert rows(acme, ASKED)[0][0] <= 0


def test_a_day_counted_again_with_nothing_touched_asks_for_no_advice(acme):
    assert sales.roll_up_shop(acme.shop_id) == 0

    assert rows(acme, ASKED) == []


def test_the_rivals_days_are_not_counted_with_ours_nor_its_advice_asked_for(acme, rival):
    sell(acme, 3)

    sales.roll_up_shop(rival.shop_id)
    assert counted(acme) == (0, None)
    sales.roll_up_sales()

    assert counted(acme) == (3, 3)
    assert counted(rival) == (0, None)
    assert rows(rival, "SELECT count(*) FROM due_work WHERE what = 'suggestions'") == [(0,)]
    with sweep_transaction() as conn:
        assert daily_sales.touched_shops(conn) == []
