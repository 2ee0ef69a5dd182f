"""A shop comes, opens, changes its scopes, goes.

    (none) --open--> installed --app/uninstalled--> uninstalled --open--> installed, epoch + 1

There is no install callback: a shop is installed when a token exchange for it succeeds. (The
authorization-code grant is the one other road, for an opening outside the admin.)
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import available_timezones

import structlog

from shopify_app import clock
from shopify_app.db import (
    backfills,
    due_work,
    offline_tokens,
    price_changes,
    price_tests,
    shop_settings,
    shops,
)
from shopify_app.db.connection import (
    Connection,
    become_shop,
    sweep_transaction,
    token_lock,
    transaction,
)
from shopify_app.domain.price_test import StopReason
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.shopify import payloads, shop_api, tokens
from shopify_app.shopify.session_token import IdToken
from shopify_app.usecases.history import local_days
from shopify_app.usecases.shops import access

WORKING: Final = (ShopState.INSTALLED, ShopState.FROZEN)
PROVED_EVERY: Final = timedelta(seconds=10)
"""A page load writes down its proof of install only if the last one is older."""

log = structlog.get_logger()


def open_app(id_token: IdToken, raw_token: str) -> Shop:
    """The shop that opens the app, installed if it was not.

    A shop in order costs one look-up; a first open, a reinstall or a dead token costs a token
    exchange with the very ID token that proved who asks.

    Raises
    ------
    InvalidIdTokenError
        If Shopify does not take the ID token any more (the page asks for a fresh one).
    TokenRefusedError, TransientError
    """
    domain, proved_at = id_token.shop_domain, id_token.issued_at
    with sweep_transaction() as conn:
        shop = shops.by_domain(conn, domain)
        if shop is not None and shop.state in WORKING:
            if shop.last_proved_at is None or proved_at - shop.last_proved_at > PROVED_EVERY:
                shops.prove(conn, domain, at=proved_at)
            return shop
    return _install(
        domain,
        lambda: tokens.exchange_id_token(domain, raw_token),
        proved_at=proved_at,
        unless_working=True,
    )


def install_by_code(domain: str, code: str) -> Shop:
    """The shop whose merchant was sent back with a code (the fallback outside the admin).

    Raises
    ------
    TokenRefusedError, TransientError
    """
    return _install(
        domain,
        lambda: tokens.exchange_code(domain, code),
        proved_at=clock.machine_now(),
        unless_working=False,
    )


def _install(
    domain: str,
    get_pair: Callable[[], tokens.TokenPair],
    *,
    proved_at: datetime,
    unless_working: bool,
) -> Shop:
    """Get a pair and keep it, in one transaction behind the shop's token lock.

    Whoever waited for the lock finds the shop healed and exchanges nothing: two exchanges, or an
    exchange and a refresh, would retire each other's refresh token.
    """
    with sweep_transaction() as conn:
        token_lock(conn, domain)
        known = shops.by_domain(conn, domain)
        if unless_working and known is not None and known.state in WORKING:
            return known
        pair = get_pair()
        shop, is_new = shops.install(conn, domain, scopes=pair.scopes)
        shops.prove(conn, domain, at=proved_at)
        become_shop(conn, shop.shop_id)
        access.store_pair(conn, shop, pair)
        shop_settings.make(conn, shop.shop_id)
        if is_new:
            backfills.start(conn, shop.shop_id, install_epoch=shop.install_epoch)
    if is_new:
        log.info(
            "shop_installed", shop_id=shop.shop_id, shop=domain, install_epoch=shop.install_epoch
        )
    refresh_shop_facts(shop.shop_id)
    return shop


def refresh_shop_facts(shop_id: int) -> None:
    """Ask Shopify for the shop's name, currency, time zone and granted scopes."""
    info = access.with_api(shop_id, shop_api.shop_info)
    scopes = access.with_api(shop_id, shop_api.granted_scopes)
    with transaction(shop_id) as conn:
        before = shops.by_id(conn, shop_id)
        held = before.timezone if before is not None else "UTC"
        facts = asdict(info) | {"timezone": _zone(info.timezone, held, shop_id)}
        shops.set_facts(conn, shop_id, facts)
        if before is not None:
            local_days.follow(conn, before)
        shops.set_scopes(conn, shop_id, scopes)


def uninstall_shop(conn: Connection, shop_id: int, *, triggered_at: datetime) -> bool:
    """Take note of an uninstall that Shopify confirmed (`uninstalls`): tokens go, writes that wait are ended.

    False if the news is from before the present install (it arrives late, or after a reinstall).
    """
    if not shops.uninstall(conn, shop_id, triggered_at=triggered_at):
        return False
    offline_tokens.forget(conn, shop_id)
    price_changes.cancel_waiting(conn, shop_id, error_code="uninstalled")
    # Nothing can be written any more; after a reinstall the prices of a test are given back.
    price_tests.stop(conn, shop_id, StopReason.UNINSTALLED, by="shopify")
    log.info("shop_uninstalled", shop_id=shop_id)
    return True


def update_scopes(
    conn: Connection, shop: Shop, scopes: list[str], *, triggered_at: datetime
) -> bool:
    """Keep what the merchant grants now; False if the news is of an earlier install.

    Two such news may come in the wrong order: so the access token is replaced on its next use, and
    the scopes that Shopify names beside the new one are the truth.
    """
    if triggered_at < shop.installed_at:
        return False
    shops.set_scopes(conn, shop.shop_id, scopes)
    offline_tokens.retire(conn, shop.shop_id)
    due_work.ask(conn, shop.shop_id, "suggestions")  # they may have been held for want of one
    return True


def _zone(told: str | None, held: str, shop_id: int) -> str:
    """The time zone told, if its clock is known here; else the one held: a newer zone than this machine's stops no shop."""
    if told in available_timezones():
        return told
    if told:
        log.error("unknown_time_zone", shop_id=shop_id, told=told, held=held)
    return held


def take_shop_payload(
    conn: Connection, shop: Shop, body: dict[str, Any], *, told_at: datetime
) -> bool | None:
    """Keep what a shop/update body says; what it does not say stays.

    False if we know later facts, or these; None if we hold others under the very same stamp: Shopify must be asked.
    """
    held = shops.by_id(conn, shop.shop_id) or shop  # other news of the batch may have changed it
    facts = {
        "shopify_id": payloads.number(body, "id"),
        "name": payloads.text(body, "name") or held.name,
        "currency": payloads.text(body, "currency") or held.currency,
        "timezone": _zone(payloads.text(body, "iana_timezone"), held.timezone, shop.shop_id),
        "country": payloads.text(body, "country_code") or held.country,
        "plan": payloads.text(body, "plan_display_name") or held.plan,
        "taxes_included": bool(body.get("taxes_included", held.taxes_included)),
        "facts_updated_at": payloads.maybe(payloads.moment, body, "updated_at") or told_at,
    }
    if held.facts_updated_at == facts["facts_updated_at"]:
        return False if all(getattr(held, name) == told for name, told in facts.items()) else None
    return shops.set_facts(conn, shop.shop_id, facts)
