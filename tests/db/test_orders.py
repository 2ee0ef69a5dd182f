"""Orders: whatever the order of the news, the newest stands; lines are a set; the rival's stay."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import orders
from shopify_app.db.connection import transaction
from shopify_app.usecases.inbox.spoiling_errors import SPOILING
from tests.factories import NOW, line_of, order_of, rows

LATER = NOW + timedelta(hours=1)


def put(shop, *made):
    with transaction(shop.shop_id) as conn:
        return orders.upsert_many(conn, shop.shop_id, shop.zone, list(made))


def state(shop):
    return rows(
        shop,
        "SELECT o.id, o.financial_status, o.deleted_at IS NOT NULL, coalesce(array_agg(l.id ORDER BY l.id) FILTER (WHERE l.id IS NOT NULL), '{}')"
        " FROM orders o LEFT JOIN order_lines l ON (l.shop_id, l.order_id) = (o.shop_id, o.id) GROUP BY 1, 2, 3 ORDER BY 1",
    )


NEWS = [
    order_of(1, line_of(1), at=NOW, financial_status="pending"),
    order_of(
        1, line_of(1), line_of(2), processed_at=NOW, updated_at=LATER, financial_status="paid"
    ),
    order_of(
        1,
        line_of(2),
        processed_at=NOW,
        updated_at=LATER + timedelta(hours=1),
        financial_status="refunded",
    ),
]


@pytest.mark.parametrize("turn", list(itertools.permutations(range(3))))
def test_three_versions_in_any_order_and_twice_end_the_same(acme, turn):
    for number in (*turn, *turn):
        put(acme, NEWS[number])

    assert state(acme) == [(1, "refunded", False, [2])]


def test_the_same_stamp_is_taken_again_and_is_no_news(acme):
    first, again = put(acme, NEWS[0]), put(acme, NEWS[0])

    assert (first.taken, first.newer, again.taken, again.newer) == (1, 1, 1, 0)


def test_an_older_version_is_not_taken_and_touches_no_day(acme):
    put(acme, NEWS[1])
    late = put(acme, NEWS[0])

    assert (late.taken, late.newer, late.days) == (0, 0, set())


def test_the_shops_calendar_decides_the_day_and_a_moved_order_touches_both(rival):
    evening = NOW.replace(hour=23)  # already tomorrow in Tokyo
    applied = put(rival, order_of(1, at=evening))
    assert applied.days == {date(2026, 11, 21)}

    moved = put(rival, order_of(1, at=NOW.replace(day=10), updated_at=LATER + timedelta(days=1)))
    assert moved.days == {date(2026, 11, 21), date(2026, 11, 10)}


def test_a_known_product_is_not_forgotten_because_it_was_deleted_since(acme):
    put(acme, order_of(1, line_of(1, 77, product_id=70)))
    put(acme, order_of(1, line_of(1, None), updated_at=LATER))

    assert rows(acme, "SELECT product_id, variant_id FROM order_lines") == [(70, 77)]


@pytest.mark.parametrize("known", [True, False])
def test_a_deleted_order_stays_deleted_whatever_is_told_late_and_returns_if_it_was_seen_since(
    acme, known
):
    if known:
        put(acme, NEWS[0])
    with transaction(acme.shop_id) as conn:
        assert orders.bury(conn, acme.shop_id, 1, at=LATER)
    put(acme, NEWS[0])
    assert put(acme, NEWS[1]).taken == 0  # of the very moment of the deletion

    assert [row[2] for row in state(acme)] == [True]

    assert put(acme, NEWS[2]).days == {date(2026, 11, 20)}
    assert state(acme) == [(1, "refunded", False, [2])]


def test_a_deletion_that_is_told_late_does_not_bury_what_was_seen_since(acme):
    put(acme, NEWS[2])
    with transaction(acme.shop_id) as conn:
        assert orders.bury(conn, acme.shop_id, 1, at=LATER) == set()

    assert state(acme) == [(1, "refunded", False, [2])]


def test_when_an_order_was_placed_is_known_unless_it_is_a_tombstone_or_the_rivals(acme, rival):
    put(acme, order_of(1, at=NOW), order_of(2, at=NOW, created_at=None))
    with transaction(acme.shop_id) as conn:
        orders.bury(conn, acme.shop_id, 3, at=NOW)
        found = [orders.created_at(conn, acme.shop_id, number) for number in (1, 2, 3, 4)]
    with transaction(rival.shop_id) as conn:
        assert orders.created_at(conn, acme.shop_id, 1) is None

    assert found == [NOW, NOW, None, None]


def test_nothing_is_nothing(acme):
    assert put(acme) == orders.Applied(0, 0, set())


def test_the_rivals_order_of_the_same_id_stays(acme, rival):
    put(rival, NEWS[0])
    put(acme, NEWS[2])
    with transaction(acme.shop_id) as conn:
        orders.bury(conn, acme.shop_id, 1, at=LATER)

    assert state(rival) == [(1, "pending", False, [1])]
    with transaction(acme.shop_id) as conn:
        orders.bury(conn, rival.shop_id, 1, at=LATER)
    assert state(rival) == [(1, "pending", False, [1])]


@pytest.mark.parametrize(
    "text",
    ["", "\\N", "a tab\tand a line\nand a \\ back", "围裙 👗 'quoted' \"twice\"", None],
    ids=repr,
)
def test_a_title_and_a_price_come_back_as_they_went(acme, text):
    put(acme, order_of(1, line_of(1, title=text, sku=text, price="12345678901.2345")))

    assert rows(acme, "SELECT title, sku, unit_price FROM order_lines") == [
        (text, text, Decimal("12345678901.2345"))
    ]


def test_many_orders_at_once_end_as_one_by_one_also_when_they_come_again_changed(acme, rival):
    def orders_of(**changed):
        return [
            order_of(number, *(replace(line_of(place, place), **changed) for place in range(1, 11)))
            for number in range(1, 151)
        ]

    again = [
        replace(order, updated_at=LATER, lines=order.lines[1:])
        for order in orders_of(variant_id=None, title=None, tax=Decimal("0.20"))
    ]
    for made in (orders_of(), again):
        put(acme, *made)
        for order in made:
            put(rival, order)

    kept = "SELECT * FROM order_lines ORDER BY order_id, id"
    ours, theirs = rows(acme, kept), rows(rival, kept)
    assert len(ours) == 9 * len(again)
    assert [row[1:] for row in ours] == [row[1:] for row in theirs]


def test_a_title_that_postgres_cannot_keep_spoils_its_batch_and_leaves_nothing(acme):
    with pytest.raises(SPOILING):
        put(acme, order_of(1, line_of(1)), order_of(2, line_of(2, title="a\0b")))
    assert state(acme) == []
