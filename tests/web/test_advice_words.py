"""What every page says while nothing can be judged, or a run failed: one state, two languages, no false comfort."""

import re

import pytest

from shopify_app.db import backfills, due_work
from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from tests.factories import NOW, make_run, make_suggestion, make_variant, rows
from tests.web.page_rows import as_json, bearer, price_row

PAGES = ("/", "/pricing", "/restock", "/trends", "/results")
ADVICE = PAGES[:4]
COMFORT = {
    "en": r"in order\.|Nothing left to decide|close to their best|Too much stock|Do not order|Stock should last|from chance"
    r"|0 prices|0 products|Nothing to order now|No price worth changing",
    "zh": r"没有问题|已全部完成|已接近最佳|库存过多|撑过下次|与偶然区分|无需订购|没有值得调整",
}


@pytest.fixture
def client(database):
    return create_app().test_client()


def html(client, shop, path, language="en"):
    found = client.get(
        path, headers=bearer(shop, Accept="text/html", **{"Accept-Language": language})
    )
    assert found.status_code == 200
    return re.sub(r"\s+", " ", found.text)


def advice(client, shop, path="/"):
    return client.get(path, headers=as_json(shop)).json["advice"]


def reads_history(shop, *, done=()):
    with transaction(shop.shop_id) as conn:
        backfills.start(conn, shop.shop_id, install_epoch=1)
        for step in done:
            backfills.finish(conn, shop.shop_id, step)


def sells(shop, variant_id=1):
    rows(
        shop,
        "INSERT INTO daily_sales (shop_id, variant_id, sold_on, ordered_units, returned_units, orders, largest_line_units,"
        " revenue, list_revenue) VALUES (current_shop_id(), %(variant)s, '2026-11-01', 1, 0, 1, 1, 10, 10) RETURNING 1",
        variant=variant_id,
    )


def fails(shop, times=1):
    with transaction(shop.shop_id) as conn:
        due_work.ask(conn, shop.shop_id, "suggestions")
        for _ in range(times):
            due_work.fail(conn, shop.shop_id, "suggestions", error_type="KeyError")


def idle_stock(shop):
    """A best seller before its history is read: stock, and no sale known."""
    make_variant(shop, title="Regency cakestand", available=1_559)
    rows(shop, "UPDATE variants SET created_at = '2024-01-01' RETURNING 1")


STATES = {
    "importing": (
        lambda shop: reads_history(shop, done=("shop", "products")),
        "We are reading your order history",
        "正在读取您的订单历史",
    ),
    "working": (
        lambda shop: reads_history(shop, done=backfills.STEPS),
        "We are working out your first suggestions",
        "正在计算您的首批建议",
    ),
    "failed": (
        fails,
        "We could not work out your first suggestions since today",
        "未能算出您的首批建议",
    ),
    "no_sales": (make_run, "No sales yet, nothing can be judged", "还没有销售，暂时无法判断"),
}


@pytest.mark.parametrize("path", ADVICE)
@pytest.mark.parametrize("stage", STATES)
def test_while_nothing_can_be_judged_no_page_says_that_anything_is_in_order(
    client, acme, rival, path, stage
):
    make, english, chinese = STATES[stage]
    idle_stock(acme)
    make(acme)

    for language, words in (("en", english), ("zh", chinese)):
        page = html(client, acme, path, language)
        assert words in page
        assert not re.search(COMFORT[language], re.sub(r"<[^>]+>", " ", page))
        assert words not in html(client, rival, path, language) or stage == "working"
    told = advice(client, acme, path)
    assert (told["stage"], told["may_judge"]) == (stage, False)
    assert english in told["words"]


@pytest.mark.parametrize("path", ADVICE)
def test_when_a_run_has_ended_and_something_was_sold_the_pages_judge(client, acme, path):
    reads_history(acme, done=backfills.STEPS)
    sells(acme)
    make_run(acme)

    assert re.search(COMFORT["en"], html(client, acme, path))
    assert advice(client, acme, path)["stage"] == "ready"
    assert advice(client, acme, path)["words"] == ""


@pytest.mark.parametrize("stage", ["importing", "working"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_again_by_itself_and_gets_the_whole_page_when_it_is_time(
    client, acme, path, stage
):
    STATES[stage][0](acme)
    page = html(client, acme, path)
    asks = f"{path}?seen={stage}"
    assert f'hx-get="{asks}"' in page
    assert "<progress" in page
    assert "HX-Retarget" not in client.get(asks, headers=bearer(acme)).headers

    reads_history(acme, done=backfills.STEPS)
    sells(acme)
    make_run(acme)
    turned = client.get(asks, headers=bearer(acme, Accept="text/html"))
    assert (turned.headers["HX-Retarget"], turned.headers["HX-Reselect"]) == ("#app", "#app")
    assert 'id="advice"' not in turned.text


def test_a_run_before_the_history_was_read_again_is_none_of_it(client, acme):
    sells(acme)
    make_run(acme)
    assert advice(client, acme)["stage"] == "ready"

    reads_history(acme, done=backfills.STEPS)
    assert advice(client, acme)["stage"] == "working"


@pytest.mark.parametrize("path", PAGES)
def test_a_run_that_failed_is_said_with_the_day_of_what_stands_below(client, acme, rival, path):
    sells(acme)
    price_row(acme)
    fails(acme, times=2)
    rows(acme, "UPDATE due_work SET failing_since = '2026-11-21 09:05+00' RETURNING 1")

    english = "We could not work out new suggestions since Nov 21 9:05"
    page = html(client, acme, path).replace("\u00a0", " ")
    assert english in page
    assert "; those below are of Nov 20." in page
    assert "2 tries so far. We try again" in page
    assert "以下为11月20日的建议。" in html(client, acme, path, "zh")
    told = advice(client, acme, path)
    assert (told["stage"], told["may_judge"], told["attempts"]) == ("failed", True, 2)
    assert told["failing_since"].startswith("2026-11-21T09:05")
    assert told["as_of"] == NOW.date().isoformat()
    assert advice(client, rival, path)["attempts"] == 0
    assert "could not work out" not in html(client, rival, path)


def test_the_last_good_cards_stay_while_runs_fail(client, acme):
    sells(acme)
    price_row(acme)
    fails(acme)

    assert "Raise Soy candle, Fig" in html(client, acme, "/")


@pytest.mark.parametrize("path", ["/", "/pricing", "/restock", "/trends"])
def test_an_empty_list_of_a_shop_whose_runs_fail_says_of_which_day(client, acme, path):
    sells(acme)
    make_run(acme)
    fails(acme)

    page = html(client, acme, path)
    assert "Nothing is left of the suggestions of Nov 20" in page
    assert not re.search(r"in order\.|close to their best|Stock should last|from chance", page)


def test_the_last_decision_of_a_day_comforts_nobody_while_runs_fail(client, acme):
    sells(acme)
    number = price_row(acme)
    fails(acme)

    row = client.post(
        f"/suggestions/{number}/dismissal",
        data={"reason": "other"},
        headers=bearer(acme, Accept="text/html"),
    ).text
    assert "Nothing is left of the suggestions of Nov 20" in row
    assert "Nothing left to decide today" not in row


def test_who_may_not_see_old_orders_is_told_over_what_nothing_was_sold(client, acme):
    make_run(acme)
    rows(
        acme,
        "UPDATE shops SET granted_scopes = '{read_orders,write_products,read_inventory,read_locations}' RETURNING 1",
    )

    assert "orders of the last 60 days, and nothing was sold" in html(client, acme, "/")


def test_the_first_suggestions_are_done_when_a_run_has_ended(client, acme):
    reads_history(acme, done=backfills.STEPS)
    before = client.get("/welcome", headers=as_json(acme)).json
    page = html(client, acme, "/welcome")

    assert before["done"] is False
    assert before["steps"][-1] | {"rows_loaded": 0, "rows_expected": None, "error": None} == {
        "step": "decisions",
        "state": "running",
        "share": 0.0,
        "rows_loaded": 0,
        "rows_expected": None,
        "error": None,
    }
    assert 0.5 < before["share"] < 1
    assert "See the decisions for today" not in page
    assert "We are working out your first suggestions" in page

    make_run(acme)
    after = client.get("/welcome", headers=as_json(acme)).json
    assert (after["done"], after["share"]) == (True, 1.0)
    assert "See the decisions for today" in html(client, acme, "/welcome")


def test_progress_goes_by_the_time_that_steps_take_not_by_their_number(client, acme):
    reads_history(acme, done=("shop", "products", "inventory"))
    begun = client.get("/welcome", headers=as_json(acme)).json["share"]
    rows(
        acme,
        "UPDATE backfills SET state = 'running', rows_loaded = 300, rows_expected = 600 WHERE step = 'orders' RETURNING 1",
    )
    half = client.get("/welcome", headers=as_json(acme)).json["share"]

    assert begun < 0.2  # three of seven steps, and hardly anything of the wait
    assert 0.2 < half - begun < 0.3  # orders are half of it
    assert "300 records read" in html(client, acme, "/welcome")


def test_a_first_run_that_failed_is_said_where_it_is_waited_for(client, acme):
    reads_history(acme, done=backfills.STEPS)
    fails(acme)

    page = html(client, acme, "/welcome")
    assert 'role="alert"' in page
    assert "We could not work out your first suggestions since today" in page


def test_old_cards_stay_on_pages_while_a_history_is_read_again(client, acme):
    make_suggestion(acme, make_variant(acme))
    reads_history(acme)

    page = html(client, acme, "/pricing")
    assert "We are reading your order history" in page
    assert "1 price worth changing" in page
