"""Shopify's own sales are asked for a burst of news later, ten orders a call; what it does not show stays as it was derived."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import structlog
from structlog.testing import LogCapture

from shopify_app import config
from shopify_app.db import orders, refetches
from shopify_app.db.connection import transaction
from shopify_app.domain.sale import Action, LineType, OrderLedger, Reason, Sale
from shopify_app.errors import TransientError
from shopify_app.shopify import agreements_api
from shopify_app.usecases.history import facts, proof
from shopify_app.usecases.inbox import ledgers, refetch
from shopify_app.usecases.shops import access
from tests.factories import NOW, line_of, order_of, rows
from tests.kept_worlds import installed

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def shopify(monkeypatch):
    """Shopify's ledgers by order (None: it shows none), and who asked for which orders."""

    class Shopify:
        def __init__(self):
            self.ledgers, self.asked = {}, []

        def answer(self, api, order_ids):
            self.asked.append((api, list(order_ids)))
            found = [self.ledgers.get(one) for one in order_ids]
            for one in found:
                if isinstance(one, Exception):
                    raise one
            return [one for one in found if one is not None]

    made = Shopify()
    monkeypatch.setattr(access, "with_api", lambda shop_id, work: work(shop_id))
    monkeypatch.setattr(agreements_api, "ledgers_of_orders", made.answer)
    return made


def sale(number, total="10.00", **changed):
    made = Sale(
        id=number, agreement_id=1, happened_at=NOW, reason=Reason.ORDER, action=Action.ORDER, line_type=LineType.PRODUCT,
        quantity=1, total=Decimal(total), tax=Decimal(0), discount=Decimal(0), currency="GBP",
    )  # fmt: skip
    return replace(made, **changed)


def ledger_of(order_id, *sales, at=NOW):
    return OrderLedger(order_id, at, Decimal(10), Decimal(10), Decimal(0), (), list(sales))


def hold(shop, *numbers, **changed):
    """Orders whose lines do not tell their money, as they come from Shopify."""
    made = [order_of(n, line_of(n * 10), financial_status="refunded", **changed) for n in numbers]
    with transaction(shop.shop_id) as conn:
        orders.upsert_many(conn, shop.shop_id, shop.zone, made)
        ledgers.note(conn, shop.shop_id, numbers)


def wanted(shop):
    return [row[0] for row in rows(shop, "SELECT id FROM orders WHERE ledger_wanted ORDER BY id")]


def test_a_burst_of_news_is_one_reading_a_minute_after_it_began(acme, shopify, monkeypatch):
    monkeypatch.setenv("LEDGER_WAIT_SECONDS", "60")
    config.settings.cache_clear()
    hold(acme, 1)
    hold(acme, 1, updated_at=LATER)

    assert refetch.refetch_resources() == 0
    waits = "SELECT kind, resource_id, (extract(epoch FROM due_at - now()))::int BETWEEN 50 AND 60 FROM refetches"
    assert rows(acme, waits) == [("ledger", 1, True)]


def test_ten_orders_are_one_call_and_each_shop_asks_for_its_own(acme, rival, shopify):
    numbers = list(range(1, 24))
    shopify.ledgers = {n: ledger_of(n, sale(n)) for n in numbers}
    hold(acme, *numbers)
    hold(rival, 1)

    refetch.refetch_resources()

    assert sorted((shop, len(ids)) for shop, ids in shopify.asked) == [
        (acme.shop_id, 3),
        (acme.shop_id, 10),
        (acme.shop_id, 10),
        (rival.shop_id, 1),
    ]
    assert rows(acme, "SELECT count(*) FROM sales") == [(23,)]
    assert rows(rival, "SELECT count(*) FROM sales") == [(1,)]
    assert (wanted(acme), wanted(rival)) == ([], [])


@pytest.mark.parametrize(
    ("age_days", "sees_all", "tries"), [(61, False, 1), (61, True, 4), (1, False, 4)]
)
def test_what_shopify_does_not_show_stays_as_it_was_derived(
    acme, shopify, age_days, sees_all, tries
):
    if not sees_all:
        rows(acme, "UPDATE shops SET granted_scopes = '{read_orders}' RETURNING 1")
    hold(acme, 1, at=datetime.now(UTC) - timedelta(days=age_days))

    for _ in range(9):
        refetch.refetch_resources()
        rows(acme, "UPDATE refetches SET due_at = now() RETURNING 1")

    assert len(shopify.asked) == tries
    assert (wanted(acme), rows(acme, "SELECT count(*) FROM refetches")) == ([], [(0,)])
    assert [day["gross"] for day in facts.facts(acme.shop_id)["days"]] == ["10.00"]


def test_an_answer_older_than_news_that_we_have_is_kept_and_asked_for_again(acme, shopify):
    hold(acme, 1, updated_at=LATER)
    shopify.ledgers[1] = ledger_of(1, sale(1))
    refetch.refetch_resources()
    assert wanted(acme) == [1]

    shopify.ledgers[1] = ledger_of(1, sale(1), sale(2, "5.00"), at=LATER)
    rows(acme, "UPDATE refetches SET due_at = now() RETURNING 1")
    refetch.refetch_resources()

    assert wanted(acme) == []
    assert [day["gross"] for day in facts.facts(acme.shop_id)["days"]] == ["15.00"]


def test_one_order_that_cannot_be_read_holds_up_none_of_the_ten(acme, shopify):
    shopify.ledgers = {n: ledger_of(n, sale(n)) for n in (1, 2)} | {3: TransientError("busy")}
    hold(acme, 1, 2, 3)

    refetch.refetch_resources()

    assert (wanted(acme), rows(acme, "SELECT resource_id, attempts FROM refetches")) == (
        [3],
        [(3, 1)],
    )


def test_a_sale_that_comes_back_otherwise_is_told_of_and_counted(acme, rival, shopify, monkeypatch):
    told = LogCapture()
    monkeypatch.setattr(ledgers, "log", structlog.wrap_logger(None, processors=[told]))
    hold(acme, 1)
    for total in ("10.00", "10.00", "9.00"):
        shopify.ledgers[1] = ledger_of(1, sale(1, total))
        with transaction(acme.shop_id) as conn:
            refetches.ask(conn, acme.shop_id, "ledger", [1])
        refetch.refetch_resources()

    assert [(log["event"], log["sales"]) for log in told.entries] == [("sales_changed", [1])]
    assert rows(acme, "SELECT sales_changed FROM proofs") == [(1,)]
    assert rows(rival, "SELECT count(*) FROM proofs") == [(0,)]
    assert [day["gross"] for day in facts.facts(acme.shop_id)["days"]] == ["9.00"]


@pytest.mark.slow
def test_an_order_of_many_agreements_and_sales_is_read_page_by_page(world):
    shop = installed(world)
    variant = world.look("variants")[0]["id"]
    one = {"variant_id": variant, "quantity": 1, "price": "10.00"}
    order_id = world.control("orders", lines=[one] * 55)["result"]
    for _ in range(38):
        world.control(f"orders/{order_id}/edit", add=one)
    world.deliver()

    assert rows(
        shop,
        "SELECT count(*), count(DISTINCT agreement_id) FROM sales WHERE order_id = %(id)s",
        id=order_id,
    ) == [(93, 39)]
    assert facts.facts(shop.shop_id)["days"] == world.look("ledger")["days"]


def test_only_what_was_read_after_its_newest_news_and_disagrees_counts_against_the_books(
    acme, rival, shopify
):
    # Shopify says 10.00 of the first, whose sales come to 9.00; of the second 12.00, where its line says 10.00, and shows it not.
    shopify.ledgers = {1: ledger_of(1, sale(1, "9.00")), 2: None}
    hold(acme, 1, total_price=Decimal(10), current_total=Decimal(10))
    hold(acme, 2, total_price=Decimal(12), current_total=Decimal(12))
    hold(rival, 3)  # no total of it was told
    refetch.refetch_resources()

    found, rivals = (proof.prove_shop(shop.shop_id).proof for shop in (acme, rival))

    assert {one.order_id for one in found.disagreements} == {1, 2}
    assert (found.orders, found.agreeing, found.settled_unlike) == (2, 0, 1)
    assert (rivals.orders, rivals.agreeing) == (0, 0), (
        "what Shopify did not say agrees with nothing"
    )
