"""Static files under a name that holds their hash: cached for ever, compressed once.

`asset("app.css")` -> `/static/1f0c2a9b3d/app.css`. An old hash answers 404 rather than newer bytes.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort, request

from shopify_app.web.auth import public

FOLDER: Final = Path(__file__).resolve().parents[2] / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".woff2": "font/woff2",
}
A_YEAR: Final = "public, max-age=31536000, immutable"

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    digest: str
    content_type: str
    raw: bytes
    gzipped: bytes | None
    """None where compressing again would gain nothing (fonts)."""


@cache
def assets() -> dict[str, Asset]:
    """Every file of `static/` that may be served, read once a process."""
    return {path.name: _read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


def asset(name: str) -> str:
    """The address of a static file.

    Raises
    ------
    KeyError
        If there is no such file: a template must not ship a dead link.
    """
    return f"/static/{assets()[name].digest}/{name}"


@blueprint.get("/static/<digest>/<name>")
@public
def show(digest: str, name: str) -> Response:
    """One file, gzipped if the browser takes that."""
    found = assets().get(name)
    if found is None or found.digest != digest:
        abort(404)
    squeezed = found.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    answer = Response(found.gzipped if squeezed else found.raw, content_type=found.content_type)
    answer.headers["Cache-Control"] = A_YEAR
    if found.gzipped is not None:
        answer.headers["Vary"] = "Accept-Encoding"
    if squeezed:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def _read(path: Path) -> Asset:
    raw = path.read_bytes()
    if path.suffix == ".css":
        raw = _with_hashed_addresses(raw)
    digest = hashlib.sha256(raw).hexdigest()[:12]
    gzipped = None if path.suffix == ".woff2" else gzip.compress(raw, 9, mtime=0)
    return Asset(digest, TYPES[path.suffix], raw, gzipped)


def _with_hashed_addresses(css: bytes) -> bytes:
    """A stylesheet names its font by file name; browsers must ask for the hashed one."""
    for path in FOLDER.glob("*.woff2"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        css = css.replace(
            f'url("{path.name}")'.encode(), f'url("/static/{digest}/{path.name}")'.encode()
        )
    return css
