"""The token endpoint: an ID token or a code for an offline token, a refresh token for a new pair."""

import time
from dataclasses import dataclass
from typing import Any, Final

import httpx

from shopify_app.config import settings
from shopify_app.errors import AppError, InvalidIdTokenError, TransientError
from shopify_app.shopify.client import http_client

TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)
TRIES: Final = 3


class TokenRefusedError(AppError):
    """The token endpoint said no for good; `code` is its word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A fresh offline token with its refresh token; lives are seconds from now."""

    access_token: str
    refresh_token: str | None
    expires_in_seconds: int
    refresh_expires_in_seconds: int | None
    scopes: list[str]


def exchange_id_token(shop_domain: str, id_token: str) -> TokenPair:
    """An expiring offline token for a proved ID token.

    Raises
    ------
    InvalidIdTokenError
        If Shopify does not take the ID token any more.
    TokenRefusedError, TransientError
    """
    try:
        return _ask(
            shop_domain,
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token": id_token,
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
                "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
                "expiring": 1,  # without it Shopify gives a token that it will refuse from 2027 on
            },
        )
    except TokenRefusedError as error:
        if error.code == "invalid_subject_token":
            raise InvalidIdTokenError from error
        raise


def exchange_code(shop_domain: str, code: str) -> TokenPair:
    """An expiring offline token for the code of a callback that was proved (web/oauth.py).

    Raises
    ------
    TokenRefusedError
        If the code is spent, old or another app's.
    TransientError
    """
    return _ask(shop_domain, {"code": code, "expiring": "1"})


def refresh(shop_domain: str, refresh_token: str) -> TokenPair:
    """A new pair for a refresh token. A lost reply is answered by asking with the same one again.

    Raises
    ------
    TokenRefusedError
        If the refresh token is dead.
    TransientError
    """
    return _ask(shop_domain, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def _ask(shop_domain: str, grant: dict[str, Any]) -> TokenPair:
    config = settings()
    last: TransientError | None = None
    for secret in config.api_secrets:
        body = {"client_id": config.api_key, "client_secret": secret, **grant}
        for attempt in range(TRIES):
            if last is not None:
                time.sleep(min(last.retry_after_seconds or 0.2 * 2**attempt, 2.0))
            try:
                return _post(f"{config.shop_url(shop_domain)}/admin/oauth/access_token", body)
            except TransientError as error:
                last = error
            except TokenRefusedError as error:
                if error.code == "invalid_client" and secret != config.api_secrets[-1]:
                    break  # during a rotation the other secret may be the valid one
                raise
    raise last or TransientError("the token endpoint gave no answer")


def _post(url: str, body: dict[str, Any]) -> TokenPair:
    try:
        answer = http_client().post(
            url, json=body, headers={"Accept": "application/json"}, timeout=TIMEOUT
        )
    except httpx.HTTPError as error:
        raise TransientError(f"token endpoint: {type(error).__name__}") from error
    if answer.status_code == 429 or answer.status_code >= 500:
        wait = answer.headers.get("Retry-After", "")
        raise TransientError(
            f"token endpoint answered {answer.status_code}",
            retry_after_seconds=float(wait) if wait.replace(".", "", 1).isdigit() else None,
        )
    try:
        said = answer.json()
    except ValueError as error:
        raise TransientError("token endpoint: not JSON") from error
    if answer.status_code != 200:
        raise TokenRefusedError(str(said.get("error") or answer.status_code))
    return TokenPair(
        access_token=said["access_token"],
        refresh_token=said.get("refresh_token"),
        expires_in_seconds=int(said.get("expires_in") or 3600),
        refresh_expires_in_seconds=said.get("refresh_token_expires_in"),
        scopes=[scope for scope in said.get("scope", "").split(",") if scope],
    )
