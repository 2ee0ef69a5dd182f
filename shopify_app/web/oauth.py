"""The authorization-code grant: a fallback for an opening outside the admin.

Embedded openings never come here: Shopify installs by itself and the ID token is exchanged
(auth.py). What is checked of a callback, in this order: the shop's name, the state (a signed
cookie of this browser, gone after one use), the query's signature, its age; then the code.
"""

import secrets
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from shopify_app import clock
from shopify_app.config import settings
from shopify_app.shopify.shop_domain import shop_domain
from shopify_app.shopify.signature import is_signed_query
from shopify_app.shopify.tokens import TokenRefusedError
from shopify_app.usecases.shops import install
from shopify_app.web.auth import public

SCOPES: Final = "read_inventory,read_locations,read_orders,write_products"
"""As in shopify.app.toml (a test holds the two together); the running app does not read that file."""

STATE_COOKIE: Final = "keel_oauth_state"
STATE_SECONDS: Final = 600

blueprint = Blueprint("oauth", __name__, url_prefix="/auth")


@blueprint.get("/begin")
@public
def begin() -> Response:
    """To Shopify's grant screen; only Shopify's own signed link leads here."""
    domain = shop_domain(request.args.get("shop"))
    if domain is None:
        return make_response("Bad Request", 400)
    if not _is_shopifys_query():
        return make_response("Unauthorized", 401)
    nonce = secrets.token_urlsafe(24)
    query = {
        "client_id": settings().api_key,
        "scope": SCOPES,
        "redirect_uri": f"{settings().app_url}/auth/callback",
        "state": nonce,
    }
    answer = redirect(f"{settings().shop_url(domain)}/admin/oauth/authorize?{urlencode(query)}")
    answer.set_cookie(
        STATE_COOKIE,
        _signer().dumps([domain, nonce]),
        max_age=STATE_SECONDS,
        path="/auth",
        httponly=True,
        secure=settings().app_url.startswith("https://"),
        samesite="Lax",
    )
    return answer


@blueprint.get("/callback")
@public
def callback() -> Response:
    """Shopify sends the merchant back with a code: install, and on into the admin."""
    domain, code = shop_domain(request.args.get("shop")), request.args.get("code")
    if domain is None or not code or not _is_own_state(domain):
        return _once(make_response("Bad Request", 400))
    if not _is_shopifys_query():
        return _once(make_response("Unauthorized", 401))
    try:
        install.install_by_code(domain, code)
    except TokenRefusedError:
        return _once(make_response("Unauthorized", 401))
    handle = domain.removesuffix(".myshopify.com")
    return _once(redirect(f"{settings().admin_origin}/store/{handle}/apps/{settings().api_key}"))


def _is_own_state(domain: str) -> bool:
    """Whether this browser was sent to this shop by us, a moment ago, with this very state."""
    try:
        shop, nonce = _signer().loads(request.cookies.get(STATE_COOKIE, ""), max_age=STATE_SECONDS)
    except (BadSignature, ValueError, TypeError):
        return False
    given = request.args.get("state", "").encode("utf-8", "surrogateescape")
    return shop == domain and secrets.compare_digest(given, str(nonce).encode())


def _is_shopifys_query() -> bool:
    query = request.query_string.decode("latin-1")
    return is_signed_query(query, settings().api_secrets, now=clock.machine_now().timestamp())


def _once(answer: Response) -> Response:
    """A state serves one callback, whatever came of it."""
    answer.delete_cookie(STATE_COOKIE, path="/auth")
    return answer


def _signer() -> URLSafeTimedSerializer:
    """Signs with a key derived from the client secret, never with the secret itself."""
    return URLSafeTimedSerializer(list(reversed(settings().api_secrets)), salt="oauth-state")
