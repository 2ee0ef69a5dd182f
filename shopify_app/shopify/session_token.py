"""ID tokens (session tokens): the proof of which shop's which user asks.

PyJWT checks signature, required claims, times and audience. Ours is what it does not look at: that
times are whole numbers and a life is short, that issuer and destination are one shop, and that
nothing in the header asks for another key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from jwt.types import Options

from shopify_app.errors import InvalidIdTokenError
from shopify_app.shopify.shop_domain import shop_domain

LEEWAY_SECONDS: Final = 10
LONGEST_LIFE_SECONDS: Final = 120
"""Shopify issues 60 s; a token that claims to live for hours is not Shopify's."""

CHECKS: Final[Options] = {
    "require": ["exp", "nbf", "iat", "iss", "dest", "aud", "sub", "jti"],
    "strict_aud": True,
}
"""Asked of PyJWT beyond what it does by itself; a list as `aud` is refused."""


@dataclass(frozen=True, slots=True)
class IdToken:
    """A proved token: who asks."""

    shop_domain: str
    user_id: str
    session_id: str | None
    jti: str
    issued_at: datetime
    """By Shopify's clock: the app was installed in the shop at this moment."""


def read_id_token(token: str, *, api_key: str, secrets: Iterable[str]) -> IdToken:
    """Prove a token and say who asks.

    Raises
    ------
    InvalidIdTokenError
        `audience` if it is another app's, else `invalid`.
    """
    claims = _proved_claims(token, api_key, secrets)
    _check_life(claims)
    domain = _host(claims["dest"], path_allowed=("", "/"))
    if domain is None or _host(claims["iss"], path_allowed=("/admin",)) != domain:
        raise InvalidIdTokenError
    if not (claims["sub"] and claims["jti"]):
        raise InvalidIdTokenError
    session_id = claims.get("sid")
    return IdToken(
        domain,
        claims["sub"],
        session_id if isinstance(session_id, str) else None,
        claims["jti"],
        datetime.fromtimestamp(claims["iat"], UTC),
    )


def _proved_claims(token: str, api_key: str, secrets: Iterable[str]) -> Mapping[str, Any]:
    """The claims under whichever secret signed them, for us, now."""
    for secret in secrets:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "JWT") != "JWT" or "crit" in header or "kid" in header:
                break
            return jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                audience=api_key,
                leeway=LEEWAY_SECONDS,
                options=CHECKS,
            )
        except jwt.InvalidAudienceError as error:
            raise InvalidIdTokenError("audience") from error
        except (jwt.InvalidTokenError, ValueError, OverflowError, RecursionError):
            continue
    raise InvalidIdTokenError


def _check_life(claims: Mapping[str, Any]) -> None:
    """Refuse times that are not whole numbers (PyJWT reads `"60"` and True as such) and long lives."""
    times = [claims[name] for name in ("exp", "nbf", "iat")]
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in times):
        raise InvalidIdTokenError
    expires, _, issued = times
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
