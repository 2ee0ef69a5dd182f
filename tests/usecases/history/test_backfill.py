"""A history comes in whole or says why not: never twice, never half, never for an install that is over, never a rival's."""

from datetime import UTC, datetime, timedelta

import pytest

from shopify_app.db import backfills, shops
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.errors import ShopifyUserError, ShopUnavailableError, TransientError
from shopify_app.shopify.bulk_operations import BulkOperation
from shopify_app.usecases.history import backfill
from shopify_app.usecases.shops import access
from tests.factories import NOW, elsewhere, rows

STAMP = NOW.isoformat()


def product_line(number):
    return {
        "id": f"gid://shopify/Product/{number}", "title": f"Mug {number}", "handle": "mug", "status": "ACTIVE",
        "vendor": "", "productType": "", "tags": [], "isGiftCard": False, "createdAt": STAMP, "publishedAt": None,
        "updatedAt": STAMP,
    }  # fmt: skip


def variant_line(number, product):
    return {
        "id": f"gid://shopify/ProductVariant/{number}", "__parentId": f"gid://shopify/Product/{product}", "title": "",
        "sku": None, "position": 1, "price": "5.00", "compareAtPrice": None, "inventoryPolicy": "DENY",
        "createdAt": STAMP, "updatedAt": STAMP,
        "inventoryItem": {"id": f"gid://shopify/InventoryItem/{number}", "tracked": True, "updatedAt": STAMP, "unitCost": None},
    }  # fmt: skip


@pytest.fixture
def shopify(monkeypatch):
    """A Shopify whose bulk operation is done and whose file holds `lines`, each ten bytes long."""

    class Shopify:
        def __init__(self):
            self.lines = [line for n in (1, 2, 3) for line in (product_line(n), variant_line(n, n))]
            self.started, self.read_from = [], []
            self.status, self.promised, self.refuses = "COMPLETED", None, None
            self.breaks_at = None

        def run(self, api, query):
            if self.refuses:
                raise self.refuses
            self.started.append(api)
            return 700 + len(self.started)

        def operation(self, api, number):
            count = len(self.lines) if self.promised is None else self.promised
            return BulkOperation(
                number, self.status, "TIMEOUT", count, 10, "https://there/file", NOW
            )

        def read(self, url, *, from_byte=0):
            self.read_from.append(from_byte)
            for place, line in enumerate(self.lines):
                if place == self.breaks_at:
                    raise TransientError("bulk file: ReadError")
                if 10 * place >= from_byte:
                    yield line, 10 * (place + 1)

    made = Shopify()
    monkeypatch.setattr(access, "with_api", lambda shop_id, work: work(shop_id))
    monkeypatch.setattr(backfill.bulk_operations, "run_bulk_query", made.run)
    monkeypatch.setattr(backfill.bulk_operations, "bulk_operation", made.operation)
    monkeypatch.setattr(backfill.bulk_operations, "result_lines", made.read)
    return made


def begin(shop, step="products"):
    """A history that has come as far as a step."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        backfills.start(conn, shop.shop_id, install_epoch=shop.install_epoch)
        cur.execute(
            "UPDATE backfills SET state = 'done', finished_at = now()"
            " WHERE shop_id = %(id)s AND position < (SELECT position FROM backfills WHERE shop_id = %(id)s AND step = %(step)s)",
            {"id": shop.shop_id, "step": step},
        )


def go_on(shop, times=1):
    """Let the waits pass and take due steps."""
    for _ in range(times):
        rows(shop, "UPDATE backfills SET due_at = now() RETURNING 1")
        backfill.step_backfills()


def step(shop, name="products"):
    with transaction(shop.shop_id) as conn:
        return next(one for one in backfills.progress(conn, shop.shop_id) if one.step == name)


def held(shop):
    return rows(shop, "SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM variants)")[0]


def stop_after(monkeypatch, name):
    """End with a step, so that the next is not begun."""
    monkeypatch.setitem(backfill.WORK, name, lambda shop, one: False)


def test_a_bulk_file_becomes_rows_and_says_how_far_it_is(acme, shopify, monkeypatch):
    stop_after(monkeypatch, "inventory")
    begin(acme)

    go_on(acme)
    assert (step(acme).state, step(acme).bulk_operation_id, held(acme)) == ("running", 701, (0, 0))
    go_on(acme)

    assert (step(acme).state, step(acme).rows_loaded, held(acme)) == ("done", 6, (3, 3))
    assert rows(acme, "SELECT source, count(*) FROM price_history GROUP BY 1") == [("import", 3)]
    assert len(shopify.started) == 1


def test_a_shop_without_a_single_product_is_done_too(acme, shopify, monkeypatch):
    stop_after(monkeypatch, "inventory")
    shopify.operation = None
    monkeypatch.setattr(
        backfill.bulk_operations,
        "bulk_operation",
        lambda api, number: BulkOperation(number, "COMPLETED", None, 0, None, None, NOW),
    )
    begin(acme)

    go_on(acme, 2)

    assert step(acme).state == "done"


def test_while_shopify_still_works_nothing_is_started_twice_and_no_try_is_counted(acme, shopify):
    shopify.status = "RUNNING"
    begin(acme)

    go_on(acme, 4)

    assert (len(shopify.started), step(acme).attempts, step(acme).rows_expected) == (1, 0, 6)
    rows(acme, "UPDATE backfills SET due_at = now() + interval '1 hour' RETURNING 1")
    assert backfill.step_backfills() == 0


def test_a_busy_shopify_is_waited_for_and_any_other_refusal_is_a_failure(acme, shopify):
    shopify.refuses = ShopifyUserError("busy", code="OPERATION_IN_PROGRESS")
    begin(acme)
    go_on(acme, 3)
    assert (step(acme).state, step(acme).attempts) == ("running", 0)

    shopify.refuses = ShopifyUserError("no such field", code="INVALID")
    go_on(acme)
    assert (step(acme).state, step(acme).attempts) == ("waiting", 1)
    assert "no such field" in step(acme).error


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "EXPIRED"])
def test_an_operation_that_ended_badly_is_started_anew_from_the_first_byte(
    acme, shopify, monkeypatch, status
):
    stop_after(monkeypatch, "inventory")
    shopify.status = status
    begin(acme)
    go_on(acme, 2)
    assert (step(acme).bulk_operation_id, step(acme).attempts) == (None, 1)

    shopify.status = "COMPLETED"
    go_on(acme, 2)

    assert (step(acme).state, len(shopify.started), shopify.read_from) == ("done", 2, [0])


def test_a_file_that_is_shorter_than_promised_is_not_taken_for_the_whole_but_asked_for_anew(
    acme, shopify, monkeypatch
):
    stop_after(monkeypatch, "inventory")
    whole = shopify.lines
    shopify.lines, shopify.promised = whole[:3], 6
    begin(acme)
    go_on(acme, 2)
    assert step(acme).state == "waiting"
    assert "3 of 6" in step(acme).error

    shopify.lines = whole
    go_on(acme, 2)

    assert (step(acme).state, len(shopify.started), held(acme)) == ("done", 2, (3, 3))


def test_a_line_that_cannot_be_read_is_tried_again_from_there_and_at_last_shown_as_failed(
    acme, rival, shopify, monkeypatch
):
    stop_after(monkeypatch, "inventory")
    monkeypatch.setattr(backfill, "ROWS_AT_ONCE", 2)
    whole = shopify.lines
    shopify.lines = [*whole[:4], product_line("x\0"), *whole[4:]]
    begin(acme)
    begin(rival)

    go_on(acme, 2)
    assert (step(acme).state, step(acme).attempts, held(acme)) == ("waiting", 1, (2, 2))
    assert "not a gid" in step(acme).error
    assert step(rival).bulk_operation_id is not None  # ours held nobody up

    go_on(acme, backfill.TRIES)
    assert step(acme).state == "failed"
    assert set(shopify.read_from) == {0, 40}


def test_a_connection_that_breaks_costs_one_batch_and_is_read_on_behind_what_is_committed(
    acme, shopify, monkeypatch
):
    stop_after(monkeypatch, "inventory")
    monkeypatch.setattr(backfill, "ROWS_AT_ONCE", 2)
    begin(acme)
    go_on(acme)
    shopify.breaks_at = 5  # inside the third family
    go_on(acme)
    assert (step(acme).loaded_bytes, held(acme)) == (40, (2, 2))

    shopify.breaks_at = None
    go_on(acme)

    assert (step(acme).state, step(acme).rows_loaded, held(acme)) == ("done", 6, (3, 3))
    assert (shopify.read_from, len(shopify.started)) == ([0, 40], 1)


def test_an_uninstall_half_way_ends_the_reading(acme, shopify, monkeypatch):
    monkeypatch.setattr(backfill, "ROWS_AT_ONCE", 2)
    begin(acme)
    go_on(acme)
    real, calls = backfill._write_products, []

    def leave():
        with sweep_transaction() as other:
            shops.uninstall(other, acme.shop_id, triggered_at=datetime.now(UTC))

    def uninstalled_at_the_second(conn, shop, families):
        calls.append(1)
        if len(calls) == 2:
            elsewhere(leave)
        real(conn, shop, families)

    monkeypatch.setattr(backfill, "_write_products", uninstalled_at_the_second)
    go_on(acme, 3)

    assert len(calls) == 2
    assert step(acme).state == "running"


def test_a_dead_token_is_waited_for_longer_than_any_failure(acme, shopify):
    shopify.refuses = ShopUnavailableError("needs_open")
    begin(acme)

    go_on(acme, backfill.TRIES + 1)

    assert (step(acme).state, step(acme).attempts) == ("waiting", backfill.TRIES + 1)


@pytest.mark.parametrize(("scopes", "asks_since"), [((), True), (("read_all_orders",), False)])
def test_only_what_the_scopes_allow_is_asked_for(acme, shopify, monkeypatch, scopes, asks_since):
    asked = []
    monkeypatch.setattr(
        backfill.orders_api, "bulk_orders_query", lambda since: asked.append(since) or "{}"
    )
    rows(acme, "UPDATE shops SET granted_scopes = %(scopes)s RETURNING 1", scopes=list(scopes))
    begin(acme, "orders")

    go_on(acme)

    (since,) = asked
    assert (since is not None) is asks_since
    if since:
        days = (datetime.now(UTC) - since) / timedelta(days=1)
        assert days == pytest.approx(backfill.RECENT_DAYS, abs=0.1)
        assert step(acme, "orders").window_since == since  # a retry looks at the same window


def test_the_last_step_asks_for_advice_and_a_half_history_for_none(acme):
    begin(acme, "decisions")
    assert rows(acme, "SELECT count(*) FROM due_work WHERE what = 'suggestions'") == [(0,)]

    go_on(acme)

    assert rows(acme, "SELECT due_at <= now() FROM due_work WHERE what = 'suggestions'") == [
        (True,)
    ]
    assert step(acme, "decisions").state == "done"
    assert backfill.step_backfills() == 0


def test_a_family_is_never_split_and_a_child_without_its_parent_is_no_guess(monkeypatch):
    monkeypatch.setattr(backfill, "ROWS_AT_ONCE", 2)
    lines = [{"id": "a"}, *({"id": f"a{n}", "__parentId": "a"} for n in range(3)), {"id": "b"}]
    numbered = [(line, 10 * (place + 1)) for place, line in enumerate(lines)]

    batches = list(backfill.batches(numbered))

    assert [
        ([(one.parent["id"], len(one.children)) for one in families], offset, count)
        for families, offset, count in batches
    ] == [([("a", 3)], 40, 4), ([("b", 0)], 50, 1)]
    with pytest.raises(TransientError, match="apart"):
        list(backfill.batches(numbered[1:]))


def test_the_rivals_history_is_its_own(acme, rival, shopify, monkeypatch):
    stop_after(monkeypatch, "inventory")
    begin(acme)

    go_on(acme, 2)

    assert (held(acme), held(rival)) == ((3, 3), (0, 0))
    assert shopify.started == [acme.shop_id]
