"""A shop comes, opens, changes its scopes, goes.

    (none) --open--> installed --app/uninstalled--> uninstalled --open--> installed, epoch + 1

There is no install callback: a shop is installed when a token exchange for it succeeds.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog

from shopify_app.db import backfills, offline_tokens, price_changes, shop_settings, shops
from shopify_app.db.connection import (
    TOKEN_LOCK,
    Connection,
    shop_lock,
    sweep_transaction,
    transaction,
)
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.shopify import payloads, shop_api, tokens
from shopify_app.shopify.session_token import IdToken
from shopify_app.usecases import access

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
    with sweep_transaction() as conn:
        shop = shops.by_domain(conn, id_token.shop_domain)
    if shop is not None and shop.state in (ShopState.INSTALLED, ShopState.FROZEN):
        return shop
    return _exchange_and_install(id_token.shop_domain, raw_token)


def _exchange_and_install(domain: str, raw_token: str) -> Shop:
    pair = tokens.exchange_id_token(domain, raw_token)
    with sweep_transaction() as conn:
        shop, is_new = shops.install(conn, domain, scopes=pair.scopes)
    with transaction(shop.shop_id) as conn:
        shop_lock(conn, shop.shop_id, TOKEN_LOCK)
        access.store_pair(conn, shop, pair)
        shop_settings.of_shop(conn, shop.shop_id)
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
        shops.set_facts(conn, shop_id, asdict(info))
        shops.set_scopes(conn, shop_id, scopes)


def uninstall_shop(conn: Connection, shop_id: int, *, triggered_at: datetime) -> bool:
    """Take note of an uninstall: tokens go at once, writes that wait are ended.

    False if the news is from before the present install (it arrives late, or after a reinstall).
    Shopify has revoked the tokens already: nothing is called.
    """
    if not shops.uninstall(conn, shop_id, triggered_at=triggered_at):
        return False
    offline_tokens.forget(conn, shop_id)
    price_changes.cancel_waiting(conn, shop_id, error_code="uninstalled")
    log.info("shop_uninstalled", shop_id=shop_id)
    return True


def update_scopes(conn: Connection, shop_id: int, scopes: list[str]) -> None:
    """Keep what the merchant grants now."""
    shops.set_scopes(conn, shop_id, scopes)


def take_shop_payload(conn: Connection, shop: Shop, body: dict[str, Any]) -> None:
    """Keep what a shop/update body says; what it does not say stays."""
    shops.set_facts(
        conn,
        shop.shop_id,
        {
            "shopify_id": payloads.number(body, "id"),
            "name": payloads.text(body, "name") or shop.name,
            "currency": payloads.text(body, "currency") or shop.currency,
            "timezone": payloads.text(body, "iana_timezone") or shop.timezone,
            "country": payloads.text(body, "country_code") or shop.country,
            "plan": payloads.text(body, "plan_display_name") or shop.plan,
            "taxes_included": bool(body.get("taxes_included", shop.taxes_included)),
        },
    )
