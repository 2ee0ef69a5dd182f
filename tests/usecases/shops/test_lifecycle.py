"""A shop's life in every order in which its news may come: no news of an old install ends a newer one."""

import itertools
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from shopify_app.db import offline_tokens, redactions, shops, webhook_inbox
from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from shopify_app.db.webhook_inbox import NewDelivery
from shopify_app.domain.shop import ShopState
from shopify_app.errors import ShopUnavailableError, TransientError
from shopify_app.shopify import shop_api
from shopify_app.usecases.inbox import drain
from shopify_app.usecases.shops import access, install, uninstalls
from tests.factories import rows
from tests.simulated import install as install_whole

START = datetime.now(UTC) - timedelta(minutes=30)
SCOPES = ["read_inventory", "read_locations", "read_orders", "write_products"]


def token_of(shop):
    with transaction(shop.shop_id) as conn:
        return offline_tokens.of_shop(conn, shop.shop_id)


def shop_or_none(world):
    with sweep_transaction() as conn:
        return shops.by_domain(conn, world.domain)


def deliver(world, topic, at, **body):
    """A webhook as Shopify would send it, now, about a moment."""
    delivery = NewDelivery(
        webhook_id=f"{topic}-{at.isoformat()}",
        event_id=None,
        shop_domain=world.domain,
        topic=topic,
        api_version="2026-10",
        triggered_at=at,
        body=json.dumps({"id": 1, "myshopify_domain": world.domain, **body}).encode(),
    )
    with ingest_transaction() as conn:
        webhook_inbox.record(conn, delivery)
    drain.drain_inbox()
    if uninstalls.confirm_uninstalls():
        drain.drain_inbox()  # what waited for it


def move_install_to(world, moment):
    """Have the present install look as old as it must be for the tale."""
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE shops SET installed_at = %s, last_proved_at = %s WHERE domain = %s",
            (moment, moment, world.domain),
        )


def leaves(world):
    """Shopify's side: the app is removed; our tokens are dead."""
    conn = world.sim.store.connection()
    conn.execute("UPDATE shops SET installed_at = NULL")
    conn.execute("UPDATE access_tokens SET revoked_at = 1")


def leaves_and_comes_back(world):
    """Shopify's side: the app is removed and installed again; our old tokens are dead."""
    leaves(world)
    world.control("install")


@pytest.mark.parametrize(
    "order", list(itertools.permutations(("left", "opened", "redact"))), ids="-".join
)
def test_whatever_the_order_of_leaving_coming_back_and_redact_the_new_install_keeps_its_token(
    world, order
):
    world.control("install")
    world.open_app()
    move_install_to(world, START)
    leaves_and_comes_back(world)
    acts = {
        "left": lambda: deliver(world, "app/uninstalled", START + timedelta(minutes=5)),
        "opened": world.open_app,
        "redact": lambda: deliver(
            world, "shop/redact", START + timedelta(minutes=9), shop_domain=world.domain
        ),
    }

    for name in order:
        acts[name]()
        if (
            (shop := shop_or_none(world)) is not None
            and name == "opened"
            and shop.state is ShopState.INSTALLED
        ):
            try:  # any call with a dead token sends the shop to its next opening
                access.with_api(shop.shop_id, shop_api.shop_info)
            except ShopUnavailableError:
                world.open_app()
    world.open_app()

    shop = world.shop()
    assert shop.state is ShopState.INSTALLED
    assert access.with_api(shop.shop_id, shop_api.shop_info).name == "Tiny"
    token = token_of(shop)
    assert token.install_epoch == shop.install_epoch


def test_an_uninstall_from_before_the_last_proof_of_install_is_stale_though_the_state_never_changed(
    world,
):
    """We never heard of leaving and coming back: the page that was opened since is the proof."""
    world.control("install")
    world.open_app()
    move_install_to(world, START)
    world.open_app()  # signed now
    shop = world.shop()

    deliver(world, "app/uninstalled", START + timedelta(minutes=5))

    assert world.shop().state is ShopState.INSTALLED
    assert token_of(shop) is not None


def test_an_uninstall_after_the_last_proof_ends_the_install(world):
    world.control("install")
    world.open_app()
    shop = world.shop()
    leaves(world)

    deliver(world, "app/uninstalled", soon())

    assert world.shop().state is ShopState.UNINSTALLED
    assert token_of(shop) is None
    assert outcomes() == ["applied"]


def soon():
    return datetime.now(UTC) + timedelta(seconds=30)


def outcomes():
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT outcome FROM webhook_inbox ORDER BY id")
        return [row[0] for row in cur.fetchall()]


def look_again():
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE webhook_inbox SET due_at = now() WHERE done_at IS NULL")
    uninstalls.confirm_uninstalls()
    drain.drain_inbox()


def test_an_uninstall_is_not_believed_while_shopify_takes_the_token(world, rival):
    """The body is the shop's own, captured once: under a made-up moment it would end the install of today."""
    world.control("install")
    world.open_app()
    shop = world.shop()

    deliver(world, "app/uninstalled", datetime(2030, 1, 1, tzinfo=UTC))

    assert world.shop().state is ShopState.INSTALLED
    assert token_of(shop) is not None
    assert outcomes() == ["stale"]
    with sweep_transaction() as conn:
        assert shops.by_id(conn, rival.shop_id) == rival


@pytest.mark.parametrize("expired", [False, True])
def test_a_token_that_is_only_old_is_refreshed_before_it_proves_an_uninstall(world, expired):
    world.control("install")
    world.open_app()
    shop = world.shop()
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE offline_tokens SET expires_at = now()")
    world.sim.store.connection().execute("UPDATE access_tokens SET revoked_at = 1")
    if expired:
        leaves(world)

    deliver(world, "app/uninstalled", soon())

    assert (world.shop().state is ShopState.UNINSTALLED) == expired
    assert outcomes() == (["applied"] if expired else ["stale"])


@pytest.mark.parametrize("trouble", ["away", "frozen"])
def test_an_uninstall_waits_while_shopify_does_not_say_and_so_does_the_redaction_behind_it(
    world, trouble
):
    world.control("install")
    world.open_app()
    shop = world.shop()
    if trouble == "away":
        world.faults(graphql_http_status=503, graphql_http_share=1.0)
    else:
        world.control("block", status=402)
    deliver(world, "app/uninstalled", soon())
    deliver(world, "shop/redact", soon(), shop_domain=world.domain)

    assert world.shop().state is not ShopState.UNINSTALLED
    assert token_of(shop) is not None
    assert outcomes() == [None, None]
    with sweep_transaction() as conn:
        assert [one.done_at for one in redactions.every(conn)] == [None]  # the alarm can see it

    world.behave()
    world.control("block", status=0)
    leaves(world)
    look_again()

    assert shop_or_none(world) is None
    with sweep_transaction() as conn:
        (entry,) = redactions.every(conn)
    assert entry.proof["deleted_shop_id"] == shop.shop_id


def test_a_shop_that_comes_back_while_shopify_is_asked_keeps_its_new_token(world, monkeypatch):
    world.control("install")
    world.open_app()
    leaves_and_comes_back(world)
    real = access.with_api

    def comes_back_meanwhile(*args):
        try:
            return real(*args)
        finally:
            proved = rows(world.shop(), "SELECT last_proved_at FROM shops")[0][0]
            world.open_app()
            # both proofs in one second, which is all that a proof says
            rows(world.shop(), "UPDATE shops SET last_proved_at = %(at)s RETURNING 1", at=proved)

    monkeypatch.setattr(uninstalls.access, "with_api", comes_back_meanwhile)
    deliver(world, "app/uninstalled", soon())
    monkeypatch.undo()

    assert world.shop().state is ShopState.INSTALLED
    assert token_of(world.shop()) is not None
    assert outcomes() == [None]


def test_news_of_scopes_retires_the_token_and_the_next_one_says_what_is_granted(world):
    world.control("install")
    world.open_app()
    shop = world.shop()
    before = access.admin_api(shop.shop_id).access_token
    world.faults(webhook_drop=1.0)  # its own news of it shall not come between
    world.control("scopes", granted=SCOPES)

    # the newer news comes first, then the older one
    deliver(world, "app/scopes_update", datetime.now(UTC) + timedelta(seconds=9), current=SCOPES)
    deliver(
        world,
        "app/scopes_update",
        datetime.now(UTC) + timedelta(seconds=3),
        current=["read_orders"],
    )
    assert world.shop().granted_scopes == ["read_orders"]

    assert access.admin_api(shop.shop_id).access_token != before
    assert world.shop().granted_scopes == sorted(SCOPES)
    assert not world.shop().sees_all_orders


def test_news_of_scopes_from_an_earlier_install_changes_nothing(world):
    world.control("install")
    world.open_app()
    granted = world.shop().granted_scopes

    deliver(world, "app/scopes_update", START - timedelta(days=1), current=["read_orders"])

    assert world.shop().granted_scopes == granted


def test_a_scope_that_the_merchant_takes_back_and_gives_again_is_followed_through_webhooks(world):
    install_whole(world)
    assert world.shop().sees_all_orders

    world.control("scopes", revoke=["read_all_orders"])
    world.deliver()
    assert not world.shop().sees_all_orders

    world.control("scopes", grant=["read_all_orders"])
    world.deliver()
    access.with_api(world.shop().shop_id, shop_api.shop_info)
    assert world.shop().sees_all_orders


def test_eight_pages_opened_at_once_by_a_shop_whose_token_is_dead_exchange_once(world, monkeypatch):
    world.control("install")
    world.open_app()
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET state = 'needs_open'")
    real, asked = install.tokens.exchange_id_token, []

    def counted(*args):
        asked.append(args)
        return real(*args)

    monkeypatch.setattr(install.tokens, "exchange_id_token", counted)
    answers = []
    pages = [
        threading.Thread(target=lambda: answers.append(world.open_app().status_code))
        for _ in range(8)
    ]
    for page in pages:
        page.start()
    for page in pages:
        page.join()

    assert answers == [200] * 8
    assert len(asked) == 1
    assert access.with_api(world.shop().shop_id, shop_api.shop_info).name == "Tiny"


def test_an_exchange_waits_for_a_refresh_that_is_under_way(world, monkeypatch):
    """One current pair a shop: whoever is second finds what the first one got."""
    world.control("install")
    world.open_app()
    shop = world.shop()
    api = access.admin_api(shop.shop_id)
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET state = 'needs_open'")
    entered, go_on, log = threading.Event(), threading.Event(), []
    real = access.tokens.refresh

    def slow(*args):
        entered.set()
        go_on.wait(10)
        log.append("refreshed")
        return real(*args)

    monkeypatch.setattr(access.tokens, "refresh", slow)
    refresher = threading.Thread(target=lambda: access.refresh_token(shop.shop_id, refused=api))
    refresher.start()
    assert entered.wait(10)
    opener = threading.Thread(target=lambda: (world.open_app(), log.append("opened")))
    opener.start()
    opener.join(1.0)
    assert log == []  # it waits
    go_on.set()
    refresher.join(20)
    opener.join(20)

    assert log == ["refreshed", "opened"]
    assert access.with_api(shop.shop_id, shop_api.shop_info).name == "Tiny"
    with transaction(shop.shop_id) as conn:
        kept = offline_tokens.of_shop(conn, shop.shop_id).refresh_token
    alive = world.sim.store.connection().execute(
        "SELECT dead_at FROM refresh_tokens WHERE token = ?", (kept,)
    )
    assert alive.fetchone()["dead_at"] is None


@pytest.mark.parametrize("status", [402, 423])
def test_a_frozen_shop_rests_and_works_again_when_shopify_answers(world, status):
    install_whole(world)
    shop = world.shop()
    world.control("block", status=status)

    with pytest.raises(ShopUnavailableError, match="frozen"):
        access.with_api(shop.shop_id, shop_api.shop_info)
    assert world.shop().state is ShopState.FROZEN
    assert access.thaw_frozen_shops() == 0
    assert token_of(shop) is not None  # nothing is deleted

    world.control("block", status=0)
    assert access.thaw_frozen_shops() == 1
    assert world.shop().state is ShopState.INSTALLED


def test_a_shop_that_is_gone_for_the_api_is_not_called_frozen(world):
    world.control("install")
    world.open_app()
    world.control("block", status=404)

    with pytest.raises(ShopUnavailableError, match="uninstalled"):
        access.with_api(world.shop().shop_id, shop_api.shop_info)
    assert world.shop().state is ShopState.INSTALLED  # only the webhook ends an install


def test_a_token_endpoint_that_is_busy_is_waited_for_and_then_the_page_says_try_again(world):
    world.control("install")
    world.faults(oauth_429=1.0, oauth_retry_after="0.1")
    assert world.open_app().status_code == 503
    world.behave()
    world.faults(oauth_503=1.0)
    assert world.open_app().status_code == 503
    world.behave()

    assert world.open_app().status_code == 200


def test_security_refusals_and_throttling_by_http_are_tried_again_later(world):
    world.control("install")
    world.open_app()
    for status in (429, 430, 500, 504):
        world.faults(graphql_http_status=status, graphql_http_share=1.0)
        with pytest.raises(TransientError):
            access.with_api(world.shop().shop_id, shop_api.shop_info)
    assert world.shop().state is ShopState.INSTALLED


@pytest.mark.parametrize(
    ("has_left", "opened_since", "trouble", "stays", "proof"),
    [
        (True, False, False, False, "deleted_shop_id"),
        (False, False, False, True, "kept"),
        (True, True, False, True, "kept"),
        (False, False, True, True, None),
    ],
    ids=["left", "never left", "came back and lost its token", "shopify does not say"],
)
def test_a_shop_whose_uninstall_was_never_heard_of_is_forgotten_if_it_left(
    world, has_left, opened_since, trouble, stays, proof
):
    world.control("install")
    world.open_app()
    asked_at = datetime.now(UTC).replace(microsecond=0)
    move_install_to(world, asked_at - timedelta(hours=1 if opened_since else 100))
    if has_left:
        leaves(world)
    if trouble:
        world.faults(graphql_http_status=503, graphql_http_share=1.0)

    deliver(world, "shop/redact", asked_at, shop_domain=world.domain)

    assert (shop_or_none(world) is not None) is stays
    with sweep_transaction() as conn:
        (entry,) = redactions.every(conn)
    assert (entry.done_at is not None) is (proof is not None), "what is not answered is not closed"
    assert proof is None or proof in entry.proof
