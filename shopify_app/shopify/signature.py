"""Shopify's signatures over bytes: webhooks and redirect queries. Any of the secrets may sign."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from shopify import Session

QUERY_AGE_SECONDS: Final = 90
"""How old a signed query may be (shopifyapi would take a day)."""

JSON_SPACE: Final = b" \t\r\n"


def is_signed_webhook(raw: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether `header` is the base64 HMAC-SHA256 of the raw body under one of the secrets, and the body an object.

    Shopify signs other things with the same secret, and hands them to every merchant: an ID token (begins `eyJ`),
    a launch's query. Each is a body with a good signature, and no webhook.
    Bytes are compared: `compare_digest` raises on non-ASCII text.
    """
    if not raw.lstrip(JSON_SPACE).startswith(b"{"):
        return False
    given = (header or "").encode("utf-8", "surrogateescape")
    matches = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
        matches |= hmac.compare_digest(given, base64.b64encode(digest))
    return matches


def is_signed_query(query: str, secrets: Iterable[str], *, now: float) -> bool:
    """Whether a redirect's raw query string carries a fresh, correct `hmac`.

    A name that stands twice is refused: signer and reader might each take another of the two. So is
    a list (`ids[]`), which shopifyapi signs like a plain `ids` that holds its JSON.
    """
    listed = parse_qsl(query, keep_blank_values=True)
    pairs = dict(listed)
    if len(pairs) != len(listed) or any("[" in name for name in pairs):
        return False
    if not _is_fresh(pairs.get("timestamp", ""), now):
        return False
    known = list(secrets)
    return any(_signer(secret).validate_hmac(pairs) for secret in known) or _is_signed_as_sent(
        pairs, known
    )


def _is_fresh(timestamp: str, now: float) -> bool:
    return (
        timestamp.isascii()
        and timestamp.isdigit()
        and len(timestamp) <= 12
        and abs(now - int(timestamp)) <= QUERY_AGE_SECONDS
    )


def _is_hex_hmac(given: bytes, message: bytes, secrets: Iterable[str]) -> bool:
    matches = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        matches |= hmac.compare_digest(given, digest.encode())
    return matches


def _signer(secret: str) -> type[Session]:
    """Shopify's Session under one secret: a class of its own, as the package keeps one for all threads."""
    return type("Signer", (Session,), {"secret": secret})


def _is_signed_as_sent(pairs: dict[str, str], secrets: Iterable[str]) -> bool:
    """Whether the percent-encoded query is what was signed.

    Shopify's packages differ where a value has a space, `/` or `=`: the Python one signs it decoded,
    the JavaScript one as sent. No two queries share a message either way, so that both may be taken.
    """
    given = pairs.get("hmac", "").encode("utf-8", "surrogateescape")
    rest = sorted((name, value) for name, value in pairs.items() if name != "hmac")
    return _is_hex_hmac(given, urlencode(rest, quote_via=quote).encode(), secrets)
