"""What the admin puts into the frame: the app's URL, signed, with a fresh ID token."""

import base64
import hashlib
import hmac
import secrets
import sqlite3
import time
import uuid
from urllib.parse import quote, urlencode

import jwt

from simulator.config import SimConfig


def id_token(config: SimConfig, shop: str, *, user_id: str = "42", life_seconds: int = 60) -> str:
    """A session token as Shopify signs it."""
    now = int(time.time())
    claims = {
        "iss": f"https://{shop}/admin",
        "dest": f"https://{shop}",
        "aud": config.client_id,
        "sub": user_id,
        "exp": now + life_seconds,
        "nbf": now,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "sid": secrets.token_hex(32),
    }
    return jwt.encode(claims, config.client_secret, algorithm="HS256")


def launch_url(config: SimConfig, shop: sqlite3.Row, *, path: str = "/", locale: str = "en") -> str:
    """The app's URL with embedded, hmac, host, id_token, locale, session, shop, timestamp."""
    domain = shop["domain"]
    query = {
        "embedded": "1",
        "host": host_of(domain),
        "id_token": id_token(config, domain),
        "locale": locale,
        "session": secrets.token_hex(32),
        "shop": domain,
        "timestamp": str(int(time.time())),
    }
    return f"{config.app_url}{path}{'&' if '?' in path else '?'}{signed_query(config, query)}"


def begin_url(config: SimConfig, domain: str) -> str:
    """A signed link to the app outside the admin: where the authorization-code grant begins."""
    query = {"host": host_of(domain), "shop": domain, "timestamp": str(int(time.time()))}
    return f"{config.app_url}/auth/begin?{signed_query(config, query)}"


def host_of(domain: str) -> str:
    """The `host` parameter: base64 of the shop's address in the admin."""
    text = f"admin.shopify.com/store/{domain.removesuffix('.myshopify.com')}"
    return base64.b64encode(text.encode()).decode().rstrip("=")


def signed_query(config: SimConfig, query: dict[str, str]) -> str:
    """A query with its `hmac`, as Shopify signs redirects."""
    message = urlencode(sorted(query.items()), quote_via=quote)
    digest = hmac.new(config.client_secret.encode(), message.encode(), hashlib.sha256)
    return urlencode({**query, "hmac": digest.hexdigest()})
