"""COPY carries every value as an INSERT would, and many lines end as few do."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg2
import pytest

from shopify_app.db import orders
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.db.copying import MANY, as_copy
from tests.factories import NOW, line_of, order_of, rows

VALUES = [
    "plain",
    "",
    "\\N",
    "a tab\tand a line\nand a return\rand a \\ back",
    "\\.",
    "围裙 👗 'quoted' \"twice\"",
    None,
    7,
    Decimal("-0.0001"),
    Decimal("1E+3"),
    True,
    NOW,
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_comes_back_as_it_went(database, value):
    kind = {int: "bigint", Decimal: "numeric", bool: "boolean", type(NOW): "timestamptz"}
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(f"CREATE TEMP TABLE taken (v {kind.get(type(value), 'text')}) ON COMMIT DROP")
        cur.copy_expert("COPY taken FROM STDIN", as_copy([(value,)]))
        cur.execute("SELECT v FROM taken")
        assert cur.fetchall() == [(value,)]


def put(shop, made):
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, made)


def lines_of(shop):
    return rows(shop, "SELECT * FROM order_lines ORDER BY shop_id, order_id, id")


def many(updated_at=NOW, **changed):
    """Orders of ten lines each, of which one knows neither product nor SKU."""
    return [
        order_of(
            number,
            *(
                line_of(
                    number * 100 + place,
                    place or None,
                    units=place + 1,
                    **(
                        {"product_id": place or None, "sku": None, "title": f"Mug\t{place}\\"}
                        | changed
                    ),
                )
                for place in range(10)
            ),
            updated_at=updated_at,
        )
        for number in range(MANY // 10 + 5)
    ]


def test_many_lines_end_as_few_do_also_when_they_come_again_changed(acme, rival):
    later = NOW + timedelta(hours=1)
    again = [
        replace(order, lines=order.lines[1:])
        for order in many(updated_at=later, product_id=None, title=None, tax=Decimal("0.20"))
    ]
    for made in (many(), again):
        put(acme, made)
        for order in made:
            put(rival, [order])

    ours, theirs = lines_of(acme), lines_of(rival)
    assert len(ours) == 9 * len(again)
    assert [row[1:] for row in ours] == [row[1:] for row in theirs]
    assert {row[0] for row in ours} == {acme.shop_id}


def test_two_batches_in_one_transaction_do_not_see_each_other(acme):
    made = many()
    with transaction(acme.shop_id) as conn:
        orders.upsert_many(conn, acme.shop_id, acme.zone, made)
        first = [replace(line, title="kept") for line in made[0].lines]
        orders.upsert_many(conn, acme.shop_id, acme.zone, [replace(made[0], lines=first)])
        later = [replace(one, id=one.id + 5000) for one in made]
        orders.upsert_many(conn, acme.shop_id, acme.zone, later)

    assert rows(acme, "SELECT DISTINCT title FROM order_lines WHERE order_id = 0") == [("kept",)]
    assert len(lines_of(acme)) == 20 * len(made)


def test_a_title_that_postgres_cannot_keep_spoils_its_batch_and_leaves_nothing(acme):
    with pytest.raises((ValueError, psycopg2.DataError)):
        put(acme, many(title="a\0b"))
    assert lines_of(acme) == []
