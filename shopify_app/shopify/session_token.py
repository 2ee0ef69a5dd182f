"""ID tokens (session tokens): the proof of which shop's which user asks.

PyJWT and shopifyapi each let something through that we must not (a missing `exp`, an `aud` that
is a list, an `iss` of another shop), so every claim is checked here.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from shopify_app.errors import InvalidIdTokenError
from shopify_app.shopify.shop_domain import shop_domain

LEEWAY_SECONDS: Final = 10
LONGEST_LIFE_SECONDS: Final = 120
"""Shopify issues 60 s; a token that claims to live for hours is not Shopify's."""

REQUIRED: Final = ["exp", "nbf", "iat", "iss", "dest", "aud", "sub", "jti"]


@dataclass(frozen=True, slots=True)
class IdToken:
    """A proved token: who asks."""

    shop_domain: str
    user_id: str
    session_id: str | None
    jti: str
    issued_at: datetime
    """By Shopify's clock: the app was installed in the shop at this moment."""


def read_id_token(
    token: str, *, api_key: str, secrets: Iterable[str], now: float | None = None
) -> IdToken:
    """Prove a token and say who asks.

    Raises
    ------
    InvalidIdTokenError
        `audience` if it is another app's, else `invalid`.
    """
    moment = time.time() if now is None else now
    claims = _signed_claims(token, secrets)
    _check_times(claims, moment)
    if claims["aud"] != api_key:
        raise InvalidIdTokenError("audience")
    domain = _host(claims["dest"], path_allowed=("", "/"))
    if domain is None or _host(claims["iss"], path_allowed=("/admin",)) != domain:
        raise InvalidIdTokenError
    if not all(isinstance(claims[name], str) and claims[name] for name in ("sub", "jti")):
        raise InvalidIdTokenError
    session_id = claims.get("sid")
    return IdToken(
        domain,
        claims["sub"],
        session_id if isinstance(session_id, str) else None,
        claims["jti"],
        datetime.fromtimestamp(claims["iat"], UTC),
    )


def _signed_claims(token: str, secrets: Iterable[str]) -> Mapping[str, Any]:
    """The claims under whichever secret signed them; times are checked by us."""
    for secret in secrets:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "JWT") != "JWT" or "crit" in header or "kid" in header:
                break
            return jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                options={
                    "require": REQUIRED,
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_sub": False,
                    "verify_jti": False,
                    "verify_iss": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            continue
    raise InvalidIdTokenError


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    times = [claims[name] for name in ("exp", "nbf", "iat")]
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in times):
        raise InvalidIdTokenError
    expires, not_before, issued = times
    if not (not_before - LEEWAY_SECONDS <= now < expires + LEEWAY_SECONDS):
        raise InvalidIdTokenError
    if not 0 < expires - issued <= LONGEST_LIFE_SECONDS:
        raise InvalidIdTokenError


def _host(url: object, *, path_allowed: tuple[str, ...]) -> str | None:
    """The shop of an https URL with nothing but a host and an expected path."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        return None  # urlsplit would drop a newline without a word
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme != "https" or parts.path not in path_allowed or parts.query or parts.fragment:
        return None
    return shop_domain(parts.netloc)
