"""A shop's Admin API with a token that will last: refreshed by one process at a time.

Each exchange or refresh of a shop happens under its token lock, with the row read again behind
the lock, one HTTP call inside, and both tokens stored in one statement: two refreshes at once
would retire each other's refresh token. It is the one place where Shopify is called while a
transaction is open, and the transaction holds nothing but that lock (docs/adr/0010).
"""

from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from shopify_app.db import offline_tokens, shops
from shopify_app.db.connection import Connection, sweep_transaction, token_lock, transaction
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.errors import (
    AccessDeniedError,
    AppError,
    NotFoundError,
    ShopUnavailableError,
    TransientError,
)
from shopify_app.shopify import shop_api, tokens
from shopify_app.shopify.client import AdminApi, InvalidAccessTokenError
from shopify_app.usecases.rounds import each

FRESH_SECONDS: Final = 600
"""A task must not start with a token that dies under it."""

IDLE_DAYS: Final = 30
"""A refresh token dies after 90 days unused: a quiet shop's is used before."""

DEAD: Final = frozenset({"needs_open", "uninstalled"})
"""Why a shop is unavailable when its token, or the shop, is no more."""

T = TypeVar("T")
log = structlog.get_logger()


def admin_api(shop_id: int) -> AdminApi:
    """The Admin API of a shop, its token good for at least ten minutes.

    Raises
    ------
    NotFoundError, TransientError
    ShopUnavailableError
        `uninstalled`, or `needs_open` when only the merchant's next visit can heal the token.
    """
    with transaction(shop_id) as conn:
        shop = _working_shop(conn, shop_id)
        if offline_tokens.is_fresh(conn, shop_id, for_seconds=FRESH_SECONDS):
            token = offline_tokens.of_shop(conn, shop_id)
            if token is not None and token.install_epoch == shop.install_epoch:
                return AdminApi(shop.domain, token.access_token)
    return AdminApi(shop.domain, refresh_token(shop_id))


def with_api(shop_id: int, work: Callable[[AdminApi], T]) -> T:
    """Do work with a shop's API; a 401 is met by one forced refresh and one more try.

    A shop that Shopify has frozen (402, 423) is marked; its periodic work rests until `thaw`.
    """
    api = admin_api(shop_id)
    try:
        try:
            return work(api)
        except InvalidAccessTokenError:
            return work(AdminApi(api.shop_domain, refresh_token(shop_id, refused=api)))
    except InvalidAccessTokenError as error:
        _mark(shop_id, ShopState.NEEDS_OPEN)
        raise ShopUnavailableError("needs_open") from error
    except ShopUnavailableError as error:
        if error.reason == "frozen":
            _mark(shop_id, ShopState.FROZEN)
        raise


def thaw_frozen_shops() -> int:
    """Ask Shopify of every frozen shop whether it answers again; how many do."""
    with sweep_transaction() as conn:
        frozen = shops.every(conn, states=[ShopState.FROZEN.value])
    return each(frozen, _thaw, of="frozen_shops")


def _thaw(shop: Shop) -> int:
    try:
        scopes = with_api(shop.shop_id, shop_api.granted_scopes)
    except (ShopUnavailableError, AccessDeniedError, TransientError):
        return 0
    with transaction(shop.shop_id) as conn:
        shops.set_scopes(conn, shop.shop_id, scopes)
        thawed = shops.thaw(conn, shop.shop_id)
    log.info("shop_thawed", shop_id=shop.shop_id)
    return thawed


def refresh_token(shop_id: int, *, refused: AdminApi | None = None) -> str:
    """A fresh access token, from this call or from the process that was faster.

    `refused` is the API whose token Shopify just turned down: its token must not come back.
    """
    refused_token = refused.access_token if refused else None
    try:
        with transaction(shop_id) as conn:
            token_lock(conn, _working_shop(conn, shop_id).domain)
            shop = _working_shop(conn, shop_id)  # again: someone may have had the lock
            known = offline_tokens.of_shop(conn, shop_id)
            if (
                known is None
                or not known.refresh_token
                or known.install_epoch != shop.install_epoch
            ):
                raise ShopUnavailableError("needs_open")  # noqa: TRY301 -- told apart from Shopify's own refusal below
            if known.access_token != refused_token and offline_tokens.is_fresh(
                conn, shop_id, for_seconds=FRESH_SECONDS
            ):
                return known.access_token
            pair = tokens.refresh(shop.domain, known.refresh_token)
            store_pair(conn, shop, pair)
            if pair.scopes:
                shops.set_scopes(conn, shop_id, pair.scopes)
            return pair.access_token
    except tokens.TokenRefusedError as error:
        log.warning("token_refresh_refused", shop_id=shop_id, code=error.code)
        _mark(shop_id, ShopState.NEEDS_OPEN)
        raise ShopUnavailableError("needs_open") from error
    except ShopUnavailableError as error:
        if error.reason == "needs_open":
            _mark(shop_id, ShopState.NEEDS_OPEN)
        raise


def store_pair(conn: Connection, shop: Shop, pair: tokens.TokenPair) -> None:
    """Keep a fresh pair under the shop's present install."""
    offline_tokens.store(
        conn,
        shop.shop_id,
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in_seconds=pair.expires_in_seconds,
        refresh_expires_in_seconds=pair.refresh_expires_in_seconds,
        install_epoch=shop.install_epoch,
    )


def refresh_idle_tokens() -> int:
    """Use the refresh tokens of quiet shops before they die; how many were renewed."""
    with sweep_transaction() as conn:
        idle = offline_tokens.idle_shops(conn, idle_days=IDLE_DAYS)
    return each(idle, _renew, of="idle_tokens")


def _renew(shop_id: int) -> int:
    try:
        refresh_token(shop_id)
    except (ShopUnavailableError, TransientError) as error:
        log.warning("idle_token_not_renewed", shop_id=shop_id, error_type=type(error).__name__)
        return 0
    return 1


def re_encrypt_tokens() -> int:
    """Put every shop's tokens under the newest key; how many were moved."""
    with sweep_transaction() as conn:
        every_shop = shops.every(conn)
    moved = 0
    for shop in every_shop:
        with transaction(shop.shop_id) as conn:
            moved += offline_tokens.re_encrypt(conn, shop.shop_id)
    return moved


def _working_shop(conn: Connection, shop_id: int) -> Shop:
    shop = shops.by_id(conn, shop_id)
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    if shop.state is ShopState.UNINSTALLED:
        raise ShopUnavailableError("uninstalled")
    return shop


def _mark(shop_id: int, state: ShopState) -> None:
    with transaction(shop_id) as conn:
        shops.set_state(conn, shop_id, state)


def is_token_dead(shop: Shop) -> bool | None:
    """Whether Shopify refuses the shop's token, a refreshed one too; None where its answer does not say."""
    try:
        with_api(shop.shop_id, shop_api.granted_scopes)
    except ShopUnavailableError as error:
        return True if error.reason in DEAD else None
    except AppError as error:
        log.warning("token_not_tried", shop_id=shop.shop_id, error_type=type(error).__name__)
        return None
    return False
