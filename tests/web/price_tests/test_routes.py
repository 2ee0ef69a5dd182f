"""A price test's page in each state, its buttons, and what Pricing and Results say of it."""

from decimal import Decimal

import pytest

from shopify_app.db import pages, price_tests, tested_prices
from shopify_app.db.connection import transaction
from shopify_app.domain.price_test import LeftReason, StopReason
from shopify_app.web import create_app
from tests.web.openapi import check
from tests.web.page_rows import (
    as_json,
    bearer,
    price_row,
    price_test_row,
    reading_record,
    set_settings,
)

PATH = "/price-tests/{test_id}"


@pytest.fixture
def client(database):
    return create_app().test_client()


@pytest.fixture
def acme(acme):
    """Our shop, willing to lose more than a test may cost."""
    set_settings(acme, loss_cap="500.00")
    return acme


def page(client, shop, number, language="en"):
    answer = client.get(
        f"/price-tests/{number}",
        headers=bearer(shop, Accept="text/html", **{"Accept-Language": language}),
    )
    assert answer.status_code == 200
    return answer.text


def state_of(shop, number):
    with transaction(shop.shop_id) as conn:
        return price_tests.newest(conn, shop.shop_id, test_id=number)[0].state


def test_a_proposal_says_everything_before_the_button(client, acme):
    shown = page(client, acme, price_test_row(acme))

    button = shown.index("Start the test")
    for words in (
        "a test of 12 products over 8 weeks",
        "at most £31",
        "probably about £9",
        "How it ends",
        "What is left alone",
        "What we know now",
        "What we will know",
        "13 other products keep their prices",
    ):
        assert shown.index(words) < button
    assert "No, thanks" in shown
    assert shown.index("Tea towel 00") > button
    for words in ("2 variants", "£24.00", "£22.80", "£25.20"):
        assert words in shown


@pytest.mark.parametrize(
    ("state", "english", "chinese"),
    [
        ("proposed", ["Proposed", "Start the test"], ["待您决定", "开始试验"]),
        (
            "running",
            ["Under way", "Stop and put prices back", "In your store now"],
            ["进行中", "停止并恢复价格"],
        ),
        ("returning", ["Putting prices back", "0 of 13 prices are back"], ["正在恢复价格"]),
        (
            "ended",
            [
                "sales fell by about 1.9%",
                "3 of 100 such tests",
                "13 of 13 prices are exactly what they were",
            ],
            ["已结束", "1.9%"],
        ),
        ("declined", ["Declined", "You said no to this test"], ["已谢绝"]),
    ],
)
def test_each_state_has_its_page_in_both_languages_and_its_json(
    client, acme, state, english, chinese
):
    number = price_test_row(acme, state, reading=reading_record())

    for words in english:
        assert words in page(client, acme, number)
    for words in chinese:
        assert words in page(client, acme, number, "zh-CN")
    answer = client.get(f"/price-tests/{number}", headers=as_json(acme))
    check(answer, PATH)
    assert answer.json["state"] == state
    assert answer.json["maximum_cost"] == "30.2000"
    assert len(answer.json["prices"]) == 13


def test_a_rival_finds_no_test_of_ours(client, acme, rival):
    number = price_test_row(acme, "running")

    for path, ask in (
        ("", client.get),
        ("/start", client.post),
        ("/decline", client.post),
        ("/stop", client.post),
    ):
        assert ask(f"/price-tests/{number}{path}", headers=as_json(rival)).status_code == 404
    assert state_of(acme, number) == "running"


def test_a_click_starts_it_a_second_one_finds_it_started(client, acme):
    number = price_test_row(acme)

    first = client.post(f"/price-tests/{number}/start", headers=as_json(acme))
    second = client.post(f"/price-tests/{number}/start", headers=as_json(acme))

    check(first, PATH + "/start", "post")
    assert (first.json, second.json) == ({"started": True}, {"started": False})
    assert state_of(acme, number) == "running"
    assert "Begins on" in page(client, acme, number)


def test_a_click_on_the_page_leads_to_the_page(client, acme):
    number = price_test_row(acme)

    for verb in ("start", "stop"):
        answer = client.post(
            f"/price-tests/{number}/{verb}", headers=bearer(acme, Accept="text/html")
        )
        assert answer.status_code == 303
        assert answer.location == f"/price-tests/{number}"
    assert "Putting prices back" in page(client, acme, number)


def test_a_test_is_declined_once(client, acme):
    number = price_test_row(acme)

    answers = [
        client.post(f"/price-tests/{number}/decline", headers=as_json(acme)) for _ in range(2)
    ]

    check(answers[0], PATH + "/decline", "post")
    assert [one.json["declined"] for one in answers] == [True, False]
    assert client.get("/pricing", headers=as_json(acme)).json["price_tests"] == []


def test_a_test_is_stopped_once(client, acme):
    number = price_test_row(acme, "running")

    answers = [client.post(f"/price-tests/{number}/stop", headers=as_json(acme)) for _ in range(2)]

    check(answers[0], PATH + "/stop", "post")
    assert [one.json["stopped"] for one in answers] == [True, False]


def test_a_refusal_says_why_on_the_page_and_changes_nothing(client, acme):
    number = price_test_row(acme)
    set_settings(acme, prices_frozen_first="2020-11-26", prices_frozen_last="2099-12-01")

    refused = client.post(f"/price-tests/{number}/start", headers=bearer(acme, Accept="text/html"))
    as_data = client.post(f"/price-tests/{number}/start", headers=as_json(acme))

    assert refused.status_code == 422
    assert "Days on which your prices are frozen lie within the test" in refused.text
    assert "Start the test" in refused.text
    check(as_data, PATH + "/start", "post")
    assert as_data.json["refused_because"] == "prices_frozen"
    assert state_of(acme, number) == "proposed"


def test_a_proposal_that_the_shop_has_outrun_says_so_and_offers_no_button(client, acme):
    number = price_test_row(acme)
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE variants SET price = 31 WHERE shop_id = %s", (acme.shop_id,))

    refused = client.post(f"/price-tests/{number}/start", headers=bearer(acme, Accept="text/html"))

    assert refused.status_code == 422
    assert "no longer what it was when we proposed it" in refused.text
    assert "Start the test" not in refused.text


def test_a_price_that_left_is_listed_with_what_it_was_and_is_and_why(client, acme):
    number = price_test_row(acme, "running")
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        row = tested_prices.of_test(conn, acme.shop_id, number)[-1]
        tested_prices.leave(conn, acme.shop_id, number, [row.variant_id], LeftReason.EDITED)
        cur.execute(
            "UPDATE variants SET price = 21.5 WHERE shop_id = %s AND id = %s",
            (acme.shop_id, row.variant_id),
        )

    shown = page(client, acme, number)
    body = client.get(f"/price-tests/{number}", headers=as_json(acme)).json

    assert "1 price left the test" in shown
    assert "You changed it, so it stays as you set it." in shown
    assert "£21.50" in shown
    left = next(one for one in body["prices"] if one["left_because"])
    assert (left["left_because"], left["regular_price"], left["current_price"]) == (
        "edited",
        "24.0000",
        "21.5000",
    )


def test_a_product_that_is_gone_keeps_its_line(client, acme):
    number = price_test_row(acme, "running")
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE variants SET deleted_at = now() WHERE shop_id = %s", (acme.shop_id,))

    assert "Tea towel 11" in page(client, acme, number)


def test_pricing_has_a_banner_for_a_proposal_and_for_a_test_under_way(client, acme, rival):
    number = price_test_row(acme)
    proposed = client.get("/pricing", headers=bearer(acme)).text
    client.post(f"/price-tests/{number}/start", headers=as_json(acme))
    answer = client.get("/pricing", headers=as_json(acme))

    assert "A test of 12 products over 8 weeks, at most £31." in proposed
    assert f"/price-tests/{number}" in proposed
    check(answer, "/pricing")
    assert [one["id"] for one in answer.json["price_tests"]] == [number]
    assert "Begins on" in client.get("/pricing", headers=bearer(acme)).text
    assert client.get("/pricing", headers=as_json(rival)).json["price_tests"] == []


def test_results_lists_ended_tests_and_the_running_one_the_newest_first(client, acme, rival):
    ended = price_test_row(acme, "ended", reading=reading_record(), because=StopReason.PRECISE)
    running = price_test_row(acme, "running", title="Napkin")

    shown = client.get("/results", headers=bearer(acme)).text
    answer = client.get("/results", headers=as_json(acme))

    assert "For each 1% that a price rose, sales fell by about 1.9%" in shown
    assert "It cost about £6; at most £31 was stated." in shown
    check(answer, "/results")
    assert [one["id"] for one in answer.json["price_tests"]] == [running, ended]
    assert client.get("/results", headers=as_json(rival)).json["price_tests"] == []


def test_earlier_changes_link_a_tests_writes_to_it_and_are_not_flooded_by_them(client, acme):
    number = price_test_row(acme, "running")
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        variants = {
            row.variant_id: Decimal("25.20")
            for row in tested_prices.of_test(conn, acme.shop_id, number)
        }
        tested_prices.queue_writes(conn, acme.shop_id, number, variants, block=0, by="test")
        cur.execute(
            "UPDATE price_changes SET state = 'applied', finished_at = now() WHERE shop_id = %s",
            (acme.shop_id,),
        )
        of_one = pages.earlier_changes(conn, acme.shop_id, variant_id=next(iter(variants)))

    body = client.get("/pricing", headers=as_json(acme))

    check(body, "/pricing")
    assert [one["test_id"] for one in body.json["earlier"]] == [number] * pages.TEST_WRITES_SHOWN
    assert {one["suggestion_id"] for one in body.json["earlier"]} == {None}
    assert f'href="/price-tests/{number}"' in client.get("/pricing", headers=bearer(acme)).text
    assert len(of_one) == 1


def test_a_price_under_test_is_not_changed_by_a_suggestion_and_says_so(client, acme):
    number = price_test_row(acme, "running")
    with transaction(acme.shop_id) as conn:
        variant_id = tested_prices.of_test(conn, acme.shop_id, number)[0].variant_id
    suggestion_id = price_row(acme, variant_id=variant_id)

    answer = client.post(
        f"/suggestions/{suggestion_id}/acceptance", headers=bearer(acme, Accept="text/html")
    )

    assert answer.status_code == 422
    assert "A price test sets this price now, so nothing was changed." in answer.text
