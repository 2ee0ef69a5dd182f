"""A price test agreed to, seen under way and stopped, in a real browser, against the simulated admin."""

import pytest
from playwright.sync_api import expect

from shopify_app.db.connection import transaction
from tests.journeys.admin_pages import admin
from tests.kept_worlds import installed
from tests.web.page_rows import price_test_row, set_settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def proposed(world):
    """A proposed test of twelve products that only Keel knows: it is stopped before its first block."""
    shop = installed(world)
    set_settings(shop, loss_cap="5000.00", exposure_limit="1")
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("DELETE FROM price_tests WHERE shop_id = %s", (shop.shop_id,))
    return price_test_row(shop)


def test_a_test_is_agreed_to_seen_under_way_and_stopped_without_a_price_written(
    world, proposed, page
):
    page.goto(admin(world, "/pricing"))
    main = page.frame_locator("#app").locator("main")
    main.get_by_role("link", name="See what it would do").click()
    expect(main).to_contain_text("at most £31 of gross profit in all")

    main.get_by_role("button", name="Start the test").dblclick()
    expect(main).to_contain_text("Begins on")
    expect(main).to_have_count(1)

    main.get_by_role("button", name="Stop and put prices back").click()
    expect(main).to_contain_text("You stopped it.")
    world.work()
    page.reload()
    page.goto(admin(world, "/results"))
    expect(main).to_contain_text("The test never began")

    assert [write for write in world.look("price-writes") if write["actor"] == "app"] == []
    assert page.problems == []
