"""Bulk queries: start one, ask how it stands, read its file.

Results are asked for grouped: a child stands right behind its parent, so a file of any size is
read with one family in memory. Shopify needs longer for it; the history has the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from shopify_app.config import settings
from shopify_app.errors import AppError, ShopifyProgramError, TransientError
from shopify_app.shopify.client import AdminApi, http_client
from shopify_app.shopify.gid import from_gid, to_gid

RUN_BULK_QUERY: Final = """
mutation RunBulkQuery($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status }
    userErrors { field message code }
  }
}
"""

BULK_OPERATION: Final = """
query BulkOperation($id: ID!) {
  bulkOperation(id: $id) { id status createdAt errorCode objectCount fileSize url }
}
"""

STORAGE_HOSTS: Final = ("storage.googleapis.com",)
"""Where Shopify keeps results; the answer's URL is followed nowhere else."""

CHUNK_BYTES: Final = 4 * 1024 * 1024
LONGEST_LINE_BYTES: Final = 8 * 1024 * 1024
LARGEST_FILE_BYTES: Final = 20 * 1024**3


class UnsafeUrlError(AppError):
    """A result's URL that leads somewhere we do not go."""


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """How an operation stands; `status` as Shopify writes it, `url` None when there is no row."""

    id: int
    status: str
    error_code: str | None
    object_count: int
    file_bytes: int | None
    url: str | None
    created_at: datetime
    """Shopify's stamp: its list knows nothing of what was made later."""


def run_bulk_query(api: AdminApi, query: str) -> int:
    """Start a bulk query; its operation's id.

    Raises
    ------
    ShopifyUserError
        `OPERATION_IN_PROGRESS` or `LIMIT_REACHED` when Shopify is busy with others of ours.
    """
    payload = api.mutate(RUN_BULK_QUERY, {"query": query}, operation="RunBulkQuery")
    return from_gid(payload["bulkOperation"]["id"], "BulkOperation")


def bulk_operation(api: AdminApi, operation_id: int) -> BulkOperation | None:
    """How an operation stands; None if Shopify does not know it (any more)."""
    gid = to_gid("BulkOperation", operation_id)
    node = api.query(BULK_OPERATION, {"id": gid}, operation="BulkOperation")["bulkOperation"]
    if node is None:
        return None
    return BulkOperation(
        id=operation_id,
        status=node["status"],
        error_code=node["errorCode"],
        object_count=int(node["objectCount"]),
        file_bytes=int(node["fileSize"]) if node["fileSize"] else None,
        url=node["url"],
        created_at=datetime.fromisoformat(node["createdAt"]),
    )


def check_result_url(url: str) -> None:
    """Refuse a URL that is not Shopify's storage (outside production: or the configured base host).

    Raises
    ------
    UnsafeUrlError
    """
    parts = urlsplit(url)
    if (
        parts.scheme == "https"
        and parts.hostname in STORAGE_HOSTS
        and parts.port in (None, 443)
        and not parts.username
    ):
        return
    base = urlsplit(settings().base_url_template.replace("{shop}", "shop"))
    if not settings().is_production and (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
        return
    raise UnsafeUrlError("a bulk result's URL is not Shopify's storage")


def result_lines(url: str, *, from_byte: int = 0) -> Iterator[tuple[dict[str, Any], int]]:
    """The objects of a result from a byte offset on, each with the offset just behind its line.

    The file is streamed: memory does not grow with it. No redirect is followed.

    Raises
    ------
    UnsafeUrlError
    TransientError
        If the connection breaks: go on from the last offset.
    ShopifyProgramError
        If the file is not what was promised.
    """
    check_result_url(url)
    offset = from_byte
    rest = b""
    for chunk in _chunks(url, from_byte):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE_BYTES:
            raise ShopifyProgramError("a line of a bulk result is longer than any object of ours")
        for line in lines:
            offset += len(line) + 1
            if line:
                yield _object(line), offset
    if rest:
        yield _object(rest), offset + len(rest)


def _chunks(url: str, from_byte: int) -> Iterator[bytes]:
    headers = {"Range": f"bytes={from_byte}-"} if from_byte else {}
    received = from_byte
    try:
        with http_client().stream("GET", url, headers=headers) as answer:
            if answer.status_code == 416:
                return
            if answer.status_code != (206 if from_byte else 200):
                raise TransientError(f"bulk file: HTTP {answer.status_code}")
            for chunk in answer.iter_bytes(CHUNK_BYTES):
                received += len(chunk)
                if received > LARGEST_FILE_BYTES:
                    raise ShopifyProgramError("a bulk result is larger than any shop's history")
                yield chunk
    except httpx.HTTPError as error:
        raise TransientError(f"bulk file: {type(error).__name__}") from error


def _object(line: bytes) -> dict[str, Any]:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ShopifyProgramError("a line of a bulk result is not JSON") from error
