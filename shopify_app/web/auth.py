"""Who asks: every route needs a proved ID token, but for the few marked `@public`.

    document without a good token   302 to the patch page, which fetches a fresh one
    fetch with a bad token          401 and X-Shopify-Retry-Invalid-Session-Request: App Bridge tries once more
    another app's token             401
    POST                            a bearer token only: that is also the defence against forged posts
    admin extensions                another origin: OPTIONS is allowed, tokens are proved as ever, nothing bounces
    crawler without a shop          410: there is nothing to index

The shop comes from the token's `dest` and from nowhere else.
"""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import structlog
from flask import Flask, current_app, g, make_response, redirect, request
from markupsafe import escape
from werkzeug.wrappers import Response

from shopify_app.config import settings
from shopify_app.errors import InvalidIdTokenError
from shopify_app.shopify.session_token import read_id_token
from shopify_app.shopify.shop_domain import shop_domain
from shopify_app.usecases.shops import install as install_usecase

PATCH_PATH: Final = "/auth/patch-id-token"
RETRY: Final = {"X-Shopify-Retry-Invalid-Session-Request": "1"}
CRAWLER: Final = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|facebookexternalhit|bingpreview|headlesschrome-lighthouse|lighthouse",
    re.IGNORECASE,
)
"""Names by which those who index the web call themselves."""

CROSS_ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Shopify-Retry-Invalid-Session-Request",
}
"""Any origin may ask: what proves is the bearer token, and no cookie of ours exists."""

PREFLIGHT: Final = {
    **CROSS_ORIGIN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Max-Age": "7200",
}
"""Admin extensions run on Shopify's own origin (platform contract 2.3)."""

OWN_PATH: Final = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f-\uffff]*")

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that anyone may call."""
    view.is_public = True  # pyright: ignore[reportFunctionMemberAccess] -- a mark, read by `_prove`
    return view


def install(app: Flask) -> None:
    """Guard every route of the app, and serve the patch page."""
    app.before_request(_prove)
    app.after_request(_let_extensions_read)
    app.add_url_rule(PATCH_PATH, "patch_id_token", public(patch_id_token), methods=["GET"])


def _prove() -> Response | None:
    """Let a request pass, or answer it."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "is_public", False):
        return None
    if request.method == "OPTIONS":
        return make_response("", 204, PREFLIGHT)
    header = request.headers.get("Authorization")
    if header is not None:
        return _prove_bearer(header)
    if request.method not in ("GET", "HEAD"):
        return make_response("Unauthorized", 401)
    if _is_cross_origin():
        return make_response("Unauthorized", 401, RETRY)
    return _prove_document()


def _is_cross_origin() -> bool:
    """Whether a script of another origin asks (a browser names it; a document's own load names none)."""
    return request.headers.get("Origin") not in (None, settings().app_url)


def _let_extensions_read(answer: Response) -> Response:
    """What was proved by a bearer token may be read by the script that sent it, wherever it runs."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and not getattr(view, "is_public", False) and _is_cross_origin():
        answer.headers.update(CROSS_ORIGIN)
    return answer


def _prove_bearer(header: str) -> Response | None:
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer":
        return make_response("Unauthorized", 401, RETRY)
    try:
        _accept(token)
    except InvalidIdTokenError:
        return make_response("Unauthorized", 401, RETRY)
    return None


def _prove_document() -> Response | None:
    try:
        _accept(request.args.get("id_token", ""))
    except InvalidIdTokenError as error:
        if error.kind == "audience":
            return make_response("Unauthorized", 401)
        if _is_crawler():
            return make_response("Gone", 410)
        return redirect(_patch_url())
    g.is_document = True
    return None


def _is_crawler() -> bool:
    """Whether somebody indexes the web, who comes without a shop."""
    comes_from_admin = {"shop", "host"} & request.args.keys()
    return not comes_from_admin and bool(CRAWLER.search(request.headers.get("User-Agent", "")))


def _accept(token: str) -> None:
    """Put who asks into `g`.

    Raises
    ------
    InvalidIdTokenError
    """
    proved = read_id_token(token, api_key=settings().api_key, secrets=settings().api_secrets)
    g.shop = install_usecase.open_app(proved, token)
    g.user_id = proved.user_id
    g.locale = request.args.get("locale") or request.headers.get("Accept-Language", "")
    g.frame_ancestors = _frame_ancestors(proved.shop_domain)
    structlog.contextvars.bind_contextvars(shop=proved.shop_domain)


def _frame_ancestors(domain: str) -> str:
    """Who may frame a page of this shop: its own admin."""
    ancestors = f"https://{domain} https://admin.shopify.com"
    return ancestors if settings().is_production else f"{ancestors} {settings().admin_origin}"


def _patch_url() -> str:
    """The patch page, told where to come back to (never with the dead token)."""
    rest = [(name, value) for name, value in request.args.items(multi=True) if name != "id_token"]
    query = urlencode(rest)
    target = request.path + (f"?{query}" if query else "")
    ahead = f"{query}&" if query else ""
    return f"{settings().app_url}{PATCH_PATH}?{ahead}shopify-reload={quote(target, safe='')}"


def patch_id_token() -> Response:
    """The page on which App Bridge fetches a fresh ID token and loads `shopify-reload` with it."""
    domain = shop_domain(request.args.get("shop"))
    target = _own_path(request.args.get("shopify-reload", ""))
    if domain is None or target is None:
        return make_response("Bad Request", 400)
    bridge = settings().app_bridge_url
    page = f'<script data-api-key="{escape(settings().api_key)}" src="{escape(bridge)}"></script>'
    answer = make_response(page)
    g.frame_ancestors = _frame_ancestors(domain)
    answer.headers["Link"] = f'<{bridge}>; rel="preload"; as="script"'
    return answer


def _own_path(target: str) -> str | None:
    """A root-relative path, also when it comes with our own origin in front; None for anything else."""
    own = settings().app_url
    path = target[len(own) :] if target.startswith(f"{own}/") else target
    return path if OWN_PATH.fullmatch(path) else None
