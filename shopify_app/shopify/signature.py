"""Shopify's signatures over bytes: webhooks and redirect queries. Any of the secrets may sign."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

QUERY_AGE_SECONDS: Final = 90
"""How old a signed query may be (shopifyapi would take a day)."""


def is_signed_webhook(raw: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether `header` is the base64 HMAC-SHA256 of the raw body under one of the secrets.

    Bytes are compared: `compare_digest` raises on non-ASCII text.
    """
    given = (header or "").encode("utf-8", "surrogateescape")
    matches = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
        matches |= hmac.compare_digest(given, base64.b64encode(digest))
    return matches


def is_signed_query(query: str, secrets: Iterable[str], *, now: float) -> bool:
    """Whether a redirect's raw query string carries a fresh, correct `hmac`."""
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    given = pairs.pop("hmac", "").encode("utf-8", "surrogateescape")
    timestamp = pairs.get("timestamp", "")
    if (
        not (timestamp.isascii() and timestamp.isdigit())
        or abs(now - int(timestamp)) > QUERY_AGE_SECONDS
    ):
        return False
    message = urlencode(sorted(pairs.items()), quote_via=quote).encode()
    matches = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        matches |= hmac.compare_digest(given, digest.encode())
    return matches
