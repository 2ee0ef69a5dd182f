"""The checks have teeth: the three classic mistakes, planted one at a time, are each found by the check that guards against them.

ack, then hand over in memory      acked webhooks are missing after a crash
upsert without a version guard     late news overwrites newer
write a price without comparing    a merchant's edit is overwritten
"""

import itertools
import json
from datetime import timedelta

import psycopg2
import pytest

from shopify_app.db import orders
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases.decisions import price_outbox
from shopify_app.usecases.inbox import drain
from shopify_app.web import create_app
from tests.factories import NOW, line_of, order_of, rows
from tests.price_writes import accept, app_writes, card
from tests.price_writes import send as send_prices
from tests.webhooks import ORDER, send


def acked_and_missing(client, shop):
    """Deliveries that were answered 200 and are in no row, after the process that took them is gone."""
    acked = [
        number
        for number in range(20)
        if send(client, shop, {**ORDER, "id": 7000 + number}, webhook_id=f"m{number}") == 200
    ]
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT webhook_id FROM webhook_inbox")
        kept = {row[0] for row in cur.fetchall()}
    return [number for number in acked if f"m{number}" not in kept]


def test_a_receiver_that_acks_before_it_keeps_is_found(database, acme, monkeypatch):
    client = create_app().test_client()
    assert acked_and_missing(client, acme) == []

    handed_over = []
    monkeypatch.setattr(
        drain, "record_delivery", lambda told: handed_over.append(json.loads(told.body)) or True
    )
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("DELETE FROM webhook_inbox")
    assert len(acked_and_missing(client, acme)) == 20


NEWS = [
    order_of(
        1, line_of(number), at=NOW, updated_at=NOW + timedelta(hours=number), name=f"v{number}"
    )
    for number in range(3)
]


def orders_of_news_that_end_wrong(shop):
    wrong = []
    for turn in itertools.permutations(range(3)):
        for number in turn:
            with transaction(shop.shop_id) as conn:
                orders.upsert_many(conn, shop.shop_id, shop.zone, [NEWS[number]])
        if rows(shop, "SELECT name, (SELECT array_agg(id) FROM order_lines) FROM orders") != [
            ("v2", [2])
        ]:
            wrong.append(turn)
        rows(shop, "DELETE FROM orders RETURNING 1")
    return wrong


def test_an_upsert_without_its_version_guard_is_found(acme, monkeypatch):
    assert orders_of_news_that_end_wrong(acme) == []

    real, guard = (
        orders.execute_values,
        "WHERE o.updated_at <= excluded.updated_at AND (o.deleted_at IS NULL OR o.deleted_at < excluded.updated_at)",
    )
    cut = []

    def unguarded(cur, sql, values, **more):
        cut.append(guard in sql)
        return real(cur, sql.replace(guard, ""), values, **more)

    monkeypatch.setattr(orders, "execute_values", unguarded)
    monkeypatch.setattr(orders, "_may_replace", lambda known, order: True)
    assert (
        len(orders_of_news_that_end_wrong(acme)) == 4
    )  # of six orders, those that do not end with the newest
    assert any(cut)


def overwritten(world, apron):
    """Whether a merchant's edit between the click and the write was overwritten."""
    variant_id, suggestion_id = apron
    accept(world, suggestion_id)
    world.control(f"variants/{variant_id}/price", price="30.00")
    send_prices(world)
    return app_writes(world, variant_id) != []


def test_a_price_write_that_compares_overwrites_no_edit(world, apron):
    assert not overwritten(world, apron)
    assert card(world, apron[1]).change_state == "conflict"


def test_a_price_write_without_comparing_is_found(world, apron, monkeypatch):
    monkeypatch.setattr(price_outbox, "_old", lambda change: EVERYTHING)
    assert overwritten(world, apron)


class _Everything:
    """Equal to whatever it is compared with: the comparison is gone."""

    def __eq__(self, other):
        return True

    __hash__ = None


EVERYTHING = _Everything()


@pytest.mark.parametrize("body", [b"{\xff", b"{", b'{"a": NaN}', b'{"a":"\\u0000"}'])
def test_an_inbox_of_jsonb_would_refuse_what_ours_keeps(database, acme, body):
    """Poison in a jsonb column is an endless 500, and after eight of them a lost subscription."""
    assert send(create_app().test_client(), acme, body, webhook_id="w") == 200
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT body FROM webhook_inbox")
        assert bytes(cur.fetchone()[0]) == body
    with pytest.raises(psycopg2.DataError), sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT convert_from(%s, 'UTF8')::jsonb", (body,))
