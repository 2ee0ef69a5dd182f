"""Where a margin is told, so are the price on the shelf and the one before tax; in both languages."""

import pytest

from shopify_app.web import create_app
from tests.factories import rows
from tests.web.page_rows import (
    bearer,
    price_evidence,
    price_row,
    restock_row,
    trend_evidence,
    trend_row,
)

TAXED = {"tax_rate": 0.2, "tax_from": "own"}
LANGUAGES = ("en", "zh")


@pytest.fixture
def client(database):
    return create_app().test_client()


def page(client, shop, path, language="en"):
    rows(shop, "UPDATE shop_settings SET language = %(l)s RETURNING 1", l=language)
    answer = client.get(path, headers=bearer(shop, **{"Accept-Language": language}))
    assert answer.status_code == 200, answer.text[:300]
    return answer.text


@pytest.mark.parametrize(
    ("language", "now", "then"),
    [
        (
            "en",
            "£24.00 on the shelf, £20.00 before 20% tax",
            "£26.00 on the shelf, £21.67 before 20% tax",
        ),
        ("zh", "标价 £24.00，扣除 20% 税后 £20.00", "标价 £26.00，扣除 20% 税后 £21.67"),
    ],
)
def test_a_price_says_what_is_left_of_it_before_tax(client, acme, language, now, then):
    number = price_row(acme, evidence=price_evidence(**TAXED))
    shown = page(client, acme, f"/pricing/{number}", language)

    assert now in shown
    assert then in shown


def test_a_price_without_tax_says_nothing_of_it(client, acme):
    number = price_row(acme, evidence=price_evidence())

    assert "on the shelf" not in page(client, acme, f"/pricing/{number}")


def test_what_sales_must_fall_by_to_lose_is_worked_out_before_tax(client, acme):
    # 24.00 and 26.00 are 20.00 and 21.67 before tax; less 9.00 that is 11.00 and 12.67: 13 % fewer earn as much.
    number = price_row(acme, evidence=price_evidence(**TAXED))

    assert "fell by more than 13%" in page(client, acme, f"/pricing/{number}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_order_says_its_margin_and_where_its_tax_is_known_from(client, acme, language):
    told = {"unit_price": "24.00", "unit_margin": "11.00"}
    known = restock_row(acme, evidence=told | TAXED)
    unknown = restock_row(acme, evidence=told | {"tax_rate": 0.0, "tax_from": "unknown"})

    assert "£11.00" in page(client, acme, f"/restock/{known}", language)
    words = {"en": "no order of late tells how much", "zh": "近期订单未显示税额"}[language]
    assert words in page(client, acme, f"/restock/{unknown}", language)
    assert words not in page(client, acme, f"/restock/{known}", language)


@pytest.mark.parametrize(
    ("language", "owed", "waits"),
    [
        ("en", "320 of it are owed to customers already.", "nothing is lost, but customers wait"),
        ("zh", "其中 320 件已售出，尚欠顾客。", "没有损失，但顾客正在等待"),
    ],
)
def test_what_is_owed_and_what_customers_wait_for_is_said(client, acme, language, owed, waits):
    told = {"available_units": -320, "owed_units": 320, "sells_on": True}
    number = restock_row(acme, evidence=told)
    shown = page(client, acme, f"/restock/{number}", language)

    assert owed in shown
    assert waits in shown


def test_a_trend_is_worth_sales_before_tax(client, acme):
    number = trend_row(acme, evidence=trend_evidence(**TAXED))

    assert "sales a month before tax" in page(client, acme, f"/trends/{number}")
