"""Five decisions and a price test, then sixty days by the simulated admin's own button: Keel's days went with them."""

import re
import subprocess
import sys
from contextlib import contextmanager
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from launch.processes import ROOT
from shopify_app.db import price_tests
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.price_test import PriceTestPlan
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.price_tests import decide as price_test_decisions
from tests.factories import make_run, make_shop, make_suggestion, rows
from tests.journeys.admin_pages import admin
from tests.simulated import install, simulated_world
from tests.web.page_rows import plan_record, price_evidence, set_settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1_800)]

A_RANGE = re.compile(r"\d to \W*\d")
PRICED, TESTED = 5, 11
"""Products whose price is raised by a decision, and whose price a test switches: of the shop's forty."""


@contextmanager
def workers(count=2):
    """Work goes on behind the pages, in processes of its own; while one computes another writes prices."""
    command = [sys.executable, "-m", "workers.pump", "--inline"]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(timeout=60)


@pytest.fixture
def slow_world(database, tmp_path, monkeypatch):
    """Forty products that sell now and then, in a shop whose days Keel follows."""
    monkeypatch.setenv("SHOP_CLOCK", "simulated")
    with simulated_world(tmp_path, monkeypatch, "slow") as made:
        yield made


def raised(shop, variant):
    """An open suggestion: 8 % more for a variant."""
    price = f"{Decimal(variant['price']) * Decimal('1.08'):.2f}"
    proposal = {
        "price": price,
        "compare_at_price": None,
        "old_price": variant["price"],
        "old_compare_at_price": None,
    }
    return make_suggestion(shop, variant["id"], evidence=price_evidence(), proposal=proposal)


def switched(shop, variants):
    """A price test of a month agreed to: 5 % below and above, a week each."""
    plan = plan_record([one["product_id"] for one in variants], weeks=4)
    for series, one in zip(plan["series"], variants, strict=True):
        price = float(one["price"])
        series |= {"old_price": price, "low_price": round(price * 0.95, 2), "high_price": round(price * 1.05, 2), "unit_cost": round(price / 2, 2), "units_per_week": 0.3}  # fmt: skip
    run_id = make_run(shop)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("DELETE FROM price_tests WHERE shop_id = %s", (shop.shop_id,))
        test_id = price_tests.propose(
            conn, shop.shop_id, run_id, PriceTestPlan.of_json(plan), currency=shop.currency
        )
    price_test_decisions.start(shop.shop_id, test_id, started_by="42")
    return test_id


def best_sellers_first(world, shop):
    """The shop's variants by units sold, those that sold none last."""
    query = "SELECT variant_id, sum(ordered_units) FROM daily_sales WHERE shop_id = %(shop_id)s GROUP BY 1"
    sold = dict(rows(shop, query, shop_id=shop.shop_id))
    found = world.look("variants", limit=100)
    return sorted(found, key=lambda one: (-sold.get(one["id"], 0), one["id"]))


def let_days_go_by(world, page, days):
    page.goto(admin(world))
    page.get_by_role("button", name=f"+{days} days").click()
    expect(page.locator("#walk")).to_contain_text(re.compile(rf"Day \d+ of {days}"))
    expect(page.locator("#walk")).to_be_hidden(timeout=700_000)


def count(shop, query):
    return rows(shop, query, shop_id=shop.shop_id)[0][0]


def test_sixty_days_bring_a_verdict_a_tests_weeks_and_judged_ranges(slow_world, page):
    world = slow_world
    rival = make_shop("rival.myshopify.com", currency="JPY", timezone="Asia/Tokyo")
    for one in world.look("variants", limit=100):  # whose shelf is empty is compared with nothing
        world.control(f"variants/{one['id']}/stock", available=60)
    shop = install(world)
    set_settings(shop, loss_cap="50000.00", exposure_limit="1")
    variants = best_sellers_first(world, shop)
    tested = variants[-TESTED:]
    for one in variants[:PRICED]:
        raised(shop, one)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT id FROM suggestions WHERE shop_id = %s AND state = 'open' ORDER BY kind <> 'price', id LIMIT 5",
            (shop.shop_id,),
        )
        five = [number for (number,) in cur.fetchall()]
    with workers():
        answers = decide.accept_suggestions(shop.shop_id, five, accepted_by="42")
        assert [answer.accepted for _, answer in answers] == [True] * 5
        switched(shop, tested)

        let_days_go_by(world, page, 30)
        let_days_go_by(world, page, 30)

        page.goto(admin(world, "/results"))
        main = page.frame_locator("#app").locator("main")
        expect(main.locator("td small", has_text=A_RANGE).first).to_be_visible()
        expect(main).to_contain_text("Price tests")
        page.goto(admin(world))
        health = page.frame_locator("#app").locator("section", has_text="Data health").first
        expect(health).to_contain_text("Working")

    verdicts = "SELECT count(*), count(*) FILTER (WHERE profit_low < profit_high) > 0 FROM verdicts WHERE shop_id = %(shop_id)s"
    assert rows(shop, verdicts, shop_id=shop.shop_id) == [(PRICED, True)]
    assert count(shop, "SELECT weeks_read FROM price_tests WHERE shop_id = %(shop_id)s") == 4
    assert count(shop, "SELECT state FROM price_tests WHERE shop_id = %(shop_id)s") == "ended"
    assert count(shop, "SELECT count(*) FROM issued_ranges WHERE shop_id = %(shop_id)s AND actual IS NOT NULL") > 0  # fmt: skip
    given_back = {one["id"]: one["price"] for one in world.look("variants", limit=100)}
    for one in tested:
        assert given_back[one["id"]] == one["price"]
    assert_blocks_were_written_on_their_days(shop)
    # Its own day brings the other shop one run; sixty days elsewhere bring it no more.
    assert count(rival, "SELECT count(*) FROM suggestion_runs WHERE shop_id = %(shop_id)s") <= 1
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT clock_ahead_seconds FROM shops WHERE shop_id = %s", (rival.shop_id,))
        assert cur.fetchone() == (0,)
    assert page.problems == []


def assert_blocks_were_written_on_their_days(shop):
    """A block a week, each written on the first day of its week by the shop's clock."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT DISTINCT c.test_block, (c.finished_at AT TIME ZONE s.timezone)::date - t.first_on"
            "  FROM price_changes c JOIN price_tests t ON (t.shop_id, t.id) = (c.shop_id, c.test_id)"
            "  JOIN shops s ON s.shop_id = c.shop_id"
            " WHERE c.shop_id = %s AND c.state = 'applied' AND c.test_block IS NOT NULL ORDER BY 1",
            (shop.shop_id,),
        )
        assert [days for _, days in cur.fetchall()] == [0, 7, 14, 21]
