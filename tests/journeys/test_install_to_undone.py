"""Install, decide, accept, applied, undone: a merchant's road in a real browser, against the simulated admin."""

import re
import threading
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases import housekeeping
from tests.factories import make_suggestion
from tests.journeys.admin_pages import admin
from tests.simulated import install
from workers import pump

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

EVIDENCE = {
    "elasticity": -1.2, "elasticity_low": -1.8, "elasticity_high": -0.7, "chance_it_helps": 0.93, "units_per_month_now": 120.0,
    "units_per_month_then": 110.0, "margin_now": 0.62, "margin_then": 0.65, "unit_cost": "9.00",
    "prices_tried": [{"price": "24.00", "units_per_week": 28.0, "weeks": 20}], "curve": [
        {"price": 23.0, "profit": 1700.0, "profit_low": 1600.0, "profit_high": 1800.0}, {"price": 26.0, "profit": 1880.0, "profit_low": 1700.0, "profit_high": 2000.0}],
    "binding_limit": None, "clamp_trail": [], "events": 3, "window_first": "2025-06-01", "window_last": "2026-11-19", "model": "test",
    "model_version": "1", "seed": 0, "run_id": 1, "inputs_sha256": "ab" * 32,
}  # fmt: skip


@contextmanager
def pumping():
    """Work goes on behind the page, as it does in production."""
    stop = threading.Event()
    thread = threading.Thread(target=pump.run, args=(stop,), kwargs={"inline": True}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


@pytest.fixture
def apron(world):
    """The installed shop with one open decision: the linen apron from 24.00 to 26.00."""
    shop = install(world)
    variant = next(one for one in world.look("variants") if one["product_title"] == "Linen apron")
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE suggestions SET state = 'superseded' WHERE shop_id = %s AND state = 'open'",
            (shop.shop_id,),
        )
    housekeeping.make_sure_of_jobs()
    with (
        sweep_transaction() as conn,
        conn.cursor() as cur,
    ):  # the daily round would work the suggestions out anew
        cur.execute("UPDATE due_work SET due_at = now() + interval '1 day' WHERE shop_id IS NULL")
    suggestion_id = make_suggestion(shop, variant["id"], evidence=EVIDENCE)
    return variant["id"], suggestion_id


def writes(world, variant_id):
    return [
        (w["actor"], w["after_price"]) for w in world.look("price-writes", variant_id=variant_id)
    ]


def test_a_price_is_accepted_by_a_double_click_applied_once_and_undone_exactly(world, apron, page):
    variant_id, suggestion_id = apron
    with pumping():
        page.goto(admin(world))
        frame = page.frame_locator("#app")
        row = frame.locator(f"#row-{suggestion_id}")
        expect(row).to_contain_text(re.compile(r"Linen apron.*£24\.00.*£26\.00", re.DOTALL))
        accept = row.get_by_role(
            "button", name=re.compile("Change price|Accept", re.IGNORECASE)
        ).first
        accept.dblclick()
        expect(row).to_contain_text(re.compile(r"is now £26\.00"), timeout=20_000)
        assert writes(world, variant_id) == [("app", "26.00")]

        row.get_by_role("button", name=re.compile("Undo", re.IGNORECASE)).first.click()
        expect(row).to_contain_text(re.compile(r"Undone"), timeout=20_000)

    assert writes(world, variant_id) == [("app", "26.00"), ("app", "24.00")]
    assert page.problems == []


def test_an_edit_by_the_merchant_in_between_is_left_alone_and_the_card_says_so(world, apron, page):
    variant_id, suggestion_id = apron
    world.control(f"variants/{variant_id}/price", price="25.00")
    with pumping():
        page.goto(admin(world))
        row = page.frame_locator("#app").locator(f"#row-{suggestion_id}")
        row.get_by_role(
            "button", name=re.compile("Change price|Accept", re.IGNORECASE)
        ).first.click()
        expect(row).to_contain_text("£25.00", timeout=20_000)

    assert writes(world, variant_id) == [("merchant", "25.00")]


def test_the_menu_leads_through_every_page_in_both_languages_without_an_error(world, apron, page):
    for locale, words in (
        ("en", ["Pricing", "Restock", "Trends", "Settings"]),
        ("zh", ["定价", "补货", "趋势", "设置"]),
    ):
        page.goto(admin(world, locale=locale))
        expect(page.frame_locator("#app").locator("main")).not_to_be_empty()
        for word in words:
            page.locator("#menu button", has_text=word).click()
            expect(page.locator("#title")).to_contain_text(word)
            expect(page.frame_locator("#app").locator("main")).not_to_be_empty()
    assert page.problems == []


def test_a_shop_that_is_not_installed_is_asked_first_and_then_shown_its_progress(world, page):
    page.goto(admin(world))
    page.get_by_role("button", name="Install").click()
    expect(page.frame_locator("#app").locator("main")).to_contain_text(
        re.compile(r"histor|orders|reading", re.IGNORECASE), timeout=20_000
    )
    assert world.shop().install_epoch == 1
