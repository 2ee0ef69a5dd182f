"""Ranges given are kept once, scored once by what their own days brought, and seen by their own shop only."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shopify_app.db import issued_ranges
from shopify_app.db.connection import transaction
from shopify_app.db.issued_ranges import DueRange, NewRange
from tests.factories import make_variant, rows

GIVEN = date(2026, 10, 5)
DUE = date(2026, 11, 2)


def range_of(variant_id, **changed):
    given = {"issued_on": GIVEN, "due_on": DUE, "low": 2, "high": 9} | changed
    return NewRange(
        variant_id,
        level=0.8,
        used_level=0.8,
        expected=5.5,
        low_share=0.25,
        high_share=0.75,
        **given,
    )


def give(shop, *ranges):
    with transaction(shop.shop_id) as conn:
        issued_ranges.add(conn, shop.shop_id, ranges)


def due(shop, until=DUE, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return issued_ranges.due(conn, shop_id or shop.shop_id, until=until, timezone=shop.timezone)


def sell(shop, variant_id, day, units):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO daily_sales (shop_id, variant_id, sold_on, ordered_units, returned_units, orders,"
            " largest_line_units, revenue, list_revenue) VALUES (%s, %s, %s, %s, 0, 1, 1, 10, 10)",
            (shop.shop_id, variant_id, day, units),
        )


def stock(shop, variant_id, at, units, *, location=7_000_000_001):
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO locations (shop_id, id, name, updated_at) VALUES (%s, %s, 'Barn', now()) ON CONFLICT DO NOTHING",
            (shop.shop_id, location),
        )
        cur.execute(
            "INSERT INTO inventory_history (shop_id, inventory_item_id, location_id, changed_at, available_units)"
            " SELECT shop_id, inventory_item_id, %s, %s, %s FROM variants WHERE shop_id = %s AND id = %s",
            (location, at, units, shop.shop_id, variant_id),
        )


@pytest.fixture
def mug(acme):
    return make_variant(acme)


def test_a_range_is_held_against_the_units_of_its_own_days(acme, mug):
    give(acme, range_of(mug))
    for day, units in (
        (GIVEN - timedelta(days=1), 100), (GIVEN, 3), (DUE - timedelta(days=1), 4), (DUE, 100),
    ):  # fmt: skip
        sell(acme, mug, day, units)

    assert due(acme, until=DUE - timedelta(days=1)) == []
    assert due(acme) == [DueRange(mug, GIVEN, 7, 0.0)]


def test_days_without_a_sale_are_a_total_of_none(acme, mug):
    give(acme, range_of(mug))

    assert due(acme) == [DueRange(mug, GIVEN, 0, 0.0)]


def test_time_without_stock_counts_over_all_locations_and_within_the_range_only(acme, mug):
    give(acme, range_of(mug))
    stock(acme, mug, datetime(2026, 9, 1, tzinfo=UTC), 5)
    stock(acme, mug, datetime(2026, 9, 1, tzinfo=UTC), 1, location=7_000_000_002)
    stock(acme, mug, datetime(2026, 10, 6, tzinfo=UTC), 0)  # the other location has one
    assert due(acme)[0].out_of_stock_share == 0
    stock(acme, mug, datetime(2026, 10, 20, tzinfo=UTC), 0, location=7_000_000_002)
    stock(acme, mug, datetime(2026, 10, 27, tzinfo=UTC), 6)
    stock(acme, mug, datetime(2026, 11, 20, tzinfo=UTC), 0)

    assert due(acme)[0].out_of_stock_share == pytest.approx(0.25, abs=0.001)


def test_a_range_given_twice_stays_as_it_was_first(acme, mug):
    give(acme, range_of(mug))
    give(acme, range_of(mug, low=0, high=99), range_of(987_654_321))

    assert rows(acme, "SELECT variant_id, low, high FROM issued_ranges") == [(mug, 2, 9)]


def test_a_score_is_written_once_and_what_is_left_out_says_so(acme, mug):
    other = make_variant(acme)
    give(acme, range_of(mug), range_of(other))
    with transaction(acme.shop_id) as conn:
        for units in (7, 70):
            issued_ranges.keep_scores(
                conn, acme.shop_id, [DueRange(mug, GIVEN, units, 0.0)], [DueRange(other, GIVEN, 1, 0.5)]
            )  # fmt: skip
        scored = issued_ranges.scored_since(conn, acme.shop_id, DUE)
        assert issued_ranges.scored_since(conn, acme.shop_id, DUE + timedelta(days=1)) == []
        assert issued_ranges.left_out_since(conn, acme.shop_id, DUE) == 1
        assert issued_ranges.next_due_on(conn, acme.shop_id) is None

    assert [(one.variant_id, one.actual, one.level, one.high_share) for one in scored] == [(mug, 7, 0.8, 0.75)]  # fmt: skip
    assert due(acme) == []


def test_the_next_due_day_and_the_last_given_are_known_and_old_ones_are_forgotten(acme, mug):
    later = range_of(mug, issued_on=DUE, due_on=DUE + timedelta(days=28))
    give(acme, range_of(mug), later)
    with transaction(acme.shop_id) as conn:
        assert issued_ranges.next_due_on(conn, acme.shop_id) == DUE
        assert issued_ranges.last_issued_on(conn, acme.shop_id) == DUE
        assert issued_ranges.forget_before(conn, acme.shop_id, DUE + timedelta(days=1)) == 1
        assert issued_ranges.next_due_on(conn, acme.shop_id) == later.due_on


def test_the_rival_neither_sees_nor_scores_nor_forgets_ours(acme, rival, mug):
    give(acme, range_of(mug))
    give(rival, range_of(mug))  # our variant is none of its own

    assert due(rival) == due(rival, shop_id=acme.shop_id) == []
    with transaction(rival.shop_id) as conn:
        for shop_id in (rival.shop_id, acme.shop_id):
            issued_ranges.keep_scores(conn, shop_id, [DueRange(mug, GIVEN, 7, 0.0)], [])
            assert issued_ranges.forget_before(conn, shop_id, date(2027, 1, 1)) == 0
            assert issued_ranges.last_issued_on(conn, shop_id) is None
            assert issued_ranges.next_due_on(conn, shop_id) is None
            assert issued_ranges.scored_since(conn, shop_id, GIVEN) == []
            assert issued_ranges.left_out_since(conn, shop_id, GIVEN) == 0
    assert len(due(acme)) == 1
