"""A shop comes, opens, goes, and comes back: against the simulator's real token endpoint."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from shopify_app.db import offline_tokens
from shopify_app.db.connection import transaction
from shopify_app.domain.shop import ShopState
from shopify_app.errors import ShopUnavailableError
from shopify_app.shopify import shop_api
from shopify_app.usecases.shops import access
from tests.simulated import install


def token_of(shop):
    with transaction(shop.shop_id) as conn:
        return offline_tokens.of_shop(conn, shop.shop_id)


def test_opening_installs_once_and_asks_shopify_for_the_shops_own_facts(world):
    world.control("install")

    assert [world.open_app().status_code for _ in range(3)] == [200, 200, 200]

    shop = world.shop()
    assert (shop.currency, shop.timezone, shop.install_epoch) == ("GBP", "Europe/London", 1)
    assert "write_products" in shop.granted_scopes
    assert token_of(shop).refresh_token.startswith("shprt_")


def test_eight_workers_with_a_dying_token_refresh_it_once(world):
    world.control("install")
    world.open_app()
    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE offline_tokens SET expires_at = now() + interval '1 minute' WHERE shop_id = %s",
            (shop.shop_id,),
        )

    with ThreadPoolExecutor(8) as threads:
        apis = list(threads.map(access.admin_api, [shop.shop_id] * 8))

    assert len({api.access_token for api in apis}) == 1
    assert token_of(shop).generation == 2
    assert shop_api.shop_info(apis[0]).name == "Tiny"


def test_a_refresh_whose_reply_is_lost_is_asked_again_with_the_same_token(world):
    world.control("install")
    world.open_app()
    shop = world.shop()
    world.faults(oauth_lose_reply=1.0)
    with pytest.raises(Exception, match="token endpoint"):
        access.refresh_token(shop.shop_id, refused=access.admin_api(shop.shop_id))
    world.behave()

    assert access.with_api(shop.shop_id, shop_api.shop_info).name == "Tiny"
    assert access.refresh_token(shop.shop_id, refused=access.admin_api(shop.shop_id))


def test_a_token_that_shopify_turns_down_is_refreshed_and_the_work_goes_on(world):
    world.control("install")
    world.open_app()
    shop = world.shop()
    world.sim.store.connection().execute("UPDATE access_tokens SET revoked_at = 1")

    assert access.with_api(shop.shop_id, shop_api.shop_info).name == "Tiny"
    assert token_of(shop).generation == 2


def test_a_dead_refresh_token_waits_for_the_merchants_next_visit_and_heals(world):
    world.control("install")
    world.open_app()
    shop = world.shop()
    world.sim.store.connection().execute("UPDATE access_tokens SET revoked_at = 1")
    world.sim.store.connection().execute("UPDATE refresh_tokens SET dead_at = 1")

    with pytest.raises(ShopUnavailableError, match="needs_open"):
        access.with_api(shop.shop_id, shop_api.shop_info)
    assert world.shop().state is ShopState.NEEDS_OPEN

    world.open_app()
    assert world.shop().state is ShopState.INSTALLED
    assert access.with_api(shop.shop_id, shop_api.shop_info).name == "Tiny"


def test_an_uninstall_takes_the_tokens_and_a_late_one_does_not_touch_the_new_install(world):
    shop = install(world)
    world.control("uninstall")
    world.deliver()
    assert world.shop().state is ShopState.UNINSTALLED
    assert token_of(shop) is None

    world.control("install")
    world.open_app()
    late = (
        world.sim.store.connection()
        .execute("SELECT * FROM deliveries WHERE topic = 'app/uninstalled'")
        .fetchone()
    )
    world.sim.store.connection().execute(
        "UPDATE deliveries SET state = 'pending', webhook_id = 'again', triggered_at = '2020-01-01T00:00:00Z' WHERE seq = ?",
        (late["seq"],),
    )
    world.deliver()

    assert world.shop().state is ShopState.INSTALLED
    assert world.shop().install_epoch == 2
    assert token_of(shop) is not None


def test_a_shop_that_is_redacted_after_it_left_is_gone_and_the_ledger_says_so(world):
    install(world)
    world.control("uninstall")
    world.deliver()
    world.control("redact")
    world.http.post("/_sim/flush", json={"timeout_seconds": 30})
    world.work()

    with pytest.raises(AssertionError):
        world.shop()


def test_a_document_without_a_token_is_sent_to_the_patch_page_and_a_fetch_is_told_to_retry(world):
    page = httpx.get(f"{world.app_url}/pricing?shop={world.domain}&host=abc&id_token=dead")
    assert page.status_code == 302
    assert page.headers["Location"].startswith(
        f"{world.app_url}/auth/patch-id-token?shop={world.domain}&host=abc&shopify-reload=%2Fpricing"
    )
    assert "dead" not in page.headers["Location"]

    fetch = httpx.get(f"{world.app_url}/pricing", headers={"Authorization": "Bearer dead"})
    assert (fetch.status_code, fetch.headers["X-Shopify-Retry-Invalid-Session-Request"]) == (
        401,
        "1",
    )
    assert httpx.post(f"{world.app_url}/settings").status_code == 401
