"""What every answer carries: a request id, the security headers, compression of pages."""

import gzip
import time
import uuid
from typing import Final
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, request

from shopify_app.config import settings
from shopify_app.metrics import PAGE_SECONDS

COMPRESS_FROM_BYTES: Final = 800
IMAGES: Final = "https://cdn.shopify.com"
"""Where Shopify keeps product pictures."""


def install(app: Flask) -> None:
    """Register the hooks; call before any other `before_request`."""
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.started = time.perf_counter()
    g.request_id = request.headers.get("X-Request-Id", "")[:64] or uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id, endpoint=request.endpoint)


def _finish(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = g.request_id
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    if answer.mimetype in ("text/html", "application/json"):
        answer.headers["Content-Security-Policy"] = _policy()
        answer.headers["Cache-Control"] = "no-store"
        answer.headers.add("Vary", "Accept, Accept-Language, Authorization")
        _compress(answer)
    if g.get("is_document") and answer.mimetype == "text/html":
        answer.headers["Link"] = _bridge_first()
    seconds = time.perf_counter() - g.started
    answer.headers["Server-Timing"] = f"app;dur={seconds * 1000:.1f}"
    PAGE_SECONDS.labels(request.endpoint or "none").observe(seconds)
    return answer


def _bridge_first() -> str:
    """Have the browser fetch App Bridge while it still reads the page."""
    bridge = urlsplit(settings().app_bridge_url)
    return (
        f'<{bridge.scheme}://{bridge.netloc}>; rel="preconnect", '
        f'<{settings().app_bridge_url}>; rel="preload"; as="script"'
    )


def _policy() -> str:
    """No inline script, no eval, no plug-in; framed by the admin (auth.py says which shop's)."""
    bridge = urlsplit(settings().app_bridge_url)
    bridge_origin = f"{bridge.scheme}://{bridge.netloc}"
    ancestors = g.get("frame_ancestors", "'none'")
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {bridge_origin}",
            "style-src 'self' 'unsafe-inline'",  # App Bridge adds a <style>
            f"img-src 'self' data: {IMAGES}",
            f"connect-src 'self' {bridge_origin} {settings().admin_origin}",
            f"frame-ancestors {ancestors}",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        )
    )


def _compress(answer: Response) -> None:
    if "gzip" not in request.headers.get("Accept-Encoding", "") or answer.direct_passthrough:
        return
    if "Content-Encoding" in answer.headers or len(answer.get_data()) < COMPRESS_FROM_BYTES:
        return
    answer.set_data(gzip.compress(answer.get_data(), 5))
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers.add("Vary", "Accept-Encoding")
