"""Pages: what a merchant sees, in two languages, and what a neighbour must not see."""

import re

import pytest

from shopify_app.db import pages, purchase_orders, suggestions
from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from tests.factories import NOW
from tests.web.page_rows import bearer, price_row, restock_row, set_counts, set_settings, trend_row

PATHS = ("/", "/welcome", "/pricing", "/restock", "/trends", "/settings")


@pytest.fixture
def client(database):
    return create_app().test_client()


def html(client, shop, path, language="en"):
    answer = client.get(
        path, headers=bearer(shop, Accept="text/html", **{"Accept-Language": language})
    )
    assert answer.status_code == 200
    return answer.text


def test_home_shows_decisions_by_worth_and_says_what_each_costs(client, acme):
    (
        restock_row(acme, is_urgent=True, rank_score=1, order_by="2020-01-01"),
        price_row(acme, rank_score=5),
        trend_row(acme),
    )

    page = html(client, acme, "/")

    assert "3 decisions for today" in page
    assert page.index("Order 150 × Wool throw, Moss today") < page.index(
        "Raise Soy candle, Fig from £24.00 to £26.00"
    )
    assert "margin lost per week of waiting" in page
    assert "£970 to £1,700" in page
    assert "Watch Pour-over kettle: up 38%" in page


def test_home_says_what_it_looked_at_and_why_it_is_not_sure(client, acme):
    price_row(acme)
    set_counts(
        acme,
        {
            "looked_at": 4_120,
            "need_nothing": 3_910,
            "not_sure": {"no_cost": 12, "too_new": 4},
            "suggested": 5,
        },
    )

    page = re.sub(r"\s+", " ", html(client, acme, "/"))

    assert (
        "We looked at 4,120 variants. For 3,910 we suggest nothing. 16 prices or stocks we could not judge: without a cost, too new."
        in page
    )


def test_home_tells_of_frozen_days(client, acme):
    set_settings(acme, prices_frozen_first="2099-11-26", prices_frozen_last="2099-12-01")

    assert "Prices are frozen Nov 26 to Dec 1" in html(client, acme, "/")


@pytest.mark.parametrize("path", PATHS)
def test_an_empty_shop_has_every_page(client, acme, path):
    assert "</html>" in html(client, acme, path)


@pytest.mark.parametrize("path", PATHS)
def test_a_rival_sees_nothing_of_ours(client, acme, rival, path):
    (
        price_row(acme, title="Secret candle"),
        restock_row(acme, title="Secret throw", vendor="Secret mill"),
        trend_row(acme, title="Secret kettle"),
    )

    assert "Secret" not in html(client, rival, path)


@pytest.mark.parametrize(
    ("make", "folder"), [(price_row, "pricing"), (restock_row, "restock"), (trend_row, "trends")]
)
def test_a_rival_does_not_find_our_suggestion(client, acme, rival, make, folder):
    number = make(acme)

    assert client.get(f"/{folder}/{number}", headers=bearer(acme)).status_code == 200
    assert client.get(f"/{folder}/{number}", headers=bearer(rival)).status_code == 404


@pytest.mark.parametrize(
    "read",
    [
        lambda conn, shop_id: pages.data_health(conn, shop_id).variants_followed,
        pages.latest_run,
        lambda conn, shop_id: pages.open_counts(conn, shop_id).open,
        lambda conn, shop_id: pages.decision_counts(conn, shop_id, NOW).accepted,
        lambda conn, shop_id: suggestions.decided_cards(
            conn, shop_id, since=NOW.replace(year=2020)
        ),
        pages.purchase_lines,
        pages.vendors,
        pages.earlier_changes,
        lambda conn, shop_id: pages.store_prices(
            conn, shop_id, range(9_000_000_000, 9_000_010_000)
        ),
        lambda conn, shop_id: pages.idle_stock(conn, shop_id, NOW.date()),
        lambda conn, shop_id: purchase_orders.mark_exported(conn, shop_id, "Norrland Mill"),
    ],
)
def test_no_read_of_pages_crosses_shops(client, acme, rival, read):
    (
        price_row(acme),
        client.post(f"/suggestions/{restock_row(acme)}/acceptance", headers=bearer(acme)),
    )

    with transaction(rival.shop_id) as conn:
        assert not read(conn, rival.shop_id)
        assert not read(conn, acme.shop_id)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Being worked out again with your new limits"), ("zh", "正在按您的新限制重新计算")],
)
def test_a_price_beyond_the_limits_of_now_has_no_button_on_any_page(client, acme, language, words):
    number = price_row(acme)
    pages = ("/", "/pricing", f"/pricing/{number}")
    before = [html(client, acme, path, language) for path in pages]
    set_settings(acme, max_price_step="0.08")

    after = [html(client, acme, path, language) for path in pages]

    assert all(f"/suggestions/{number}/acceptance" in page for page in before)
    assert not any(f"/suggestions/{number}/acceptance" in page for page in after)
    assert all(words in page for page in after)


def test_the_head_of_pricing_counts_what_is_inside_the_limits_only(client, acme):
    price_row(acme)
    gentle = {
        "price": "25.00",
        "compare_at_price": None,
        "old_price": "24.00",
        "old_compare_at_price": None,
    }
    number = price_row(acme, title="Bowl", proposal=gentle)
    set_settings(acme, max_price_step="0.05")

    page = html(client, acme, "/pricing")
    told = client.post(
        "/rollouts/previews", data={"all": "1"}, headers=bearer(acme, Accept="application/json")
    )

    assert "1 price worth changing" in page
    assert "1 more is being worked out again with your new limits." in page
    assert told.json["ids"] == [number]


def test_pages_speak_chinese_when_the_admin_does(client, acme):
    price_row(acme)

    page = html(client, acme, "/", "zh-CN")

    assert 'lang="zh-Hans"' in page
    assert "将 Soy candle, Fig 从 £24.00 提价至 £26.00" in page


def test_a_chosen_language_wins_over_the_admins(client, acme):
    set_settings(acme, language="zh")

    assert "设置" in html(client, acme, "/settings", "en")


def test_yen_have_no_cents(client, rival):
    number = price_row(rival)

    assert "¥26" in html(client, rival, f"/pricing/{number}")
    assert "¥26.00" not in html(client, rival, f"/pricing/{number}")


@pytest.mark.parametrize("budget", ["-5", "nan", "inf", "abc", "1e999"])
def test_a_nonsense_budget_is_not_an_error(client, acme, budget):
    restock_row(acme)

    assert client.get(f"/restock?budget={budget}", headers=bearer(acme)).status_code == 200


def test_product_names_are_escaped(client, acme):
    price_row(acme, title="<script>alert(1)</script>")

    assert "<script>alert" not in html(client, acme, "/")


def test_answers_carry_the_security_headers_and_no_cookie(client, acme):
    answer = client.get("/", headers=bearer(acme))
    policy = answer.headers["Content-Security-Policy"]

    assert "script-src 'self' https://cdn.shopify.com;" in policy
    assert "base-uri 'none'" in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors" in policy
    assert acme.domain in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_pages_hold_no_inline_script(client, acme):
    price_row(acme)
    for path in PATHS:
        page = html(client, acme, path)
        assert not re.search(r"<script(?![^>]*src=)", page)
        assert not re.search(r"\son\w+=", page)


def test_app_bridge_is_the_first_script(client, acme):
    first = re.search(r'<script src="([^"]+)"', html(client, acme, "/"))

    assert first.group(1).startswith("https://cdn.shopify.com/")


def test_banned_words_are_nowhere(client, acme):
    numbers = price_row(acme), restock_row(acme), trend_row(acme)
    paths = [*PATHS, f"/pricing/{numbers[0]}", f"/restock/{numbers[1]}", f"/trends/{numbers[2]}"]
    for path in paths:
        words = re.sub(r"<[^>]+>", " ", html(client, acme, path)).lower()
        assert not re.search(
            r"guarantee|will increase|boost|unlock|ai-powered|elasticity|p-value|quantile|please|!",
            words,
        ), path
