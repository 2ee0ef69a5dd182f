"""The Admin GraphQL transport: cost, throttling, and Shopify's errors in our words, once.

answer                                what it becomes
200 data                              the data
200 errors THROTTLED                  waited for, up to a deadline; then TransientError
200 errors ACCESS_DENIED              AccessDeniedError (trying again will not help)
200 errors INTERNAL_SERVER_ERROR      read: TransientError, write: OutcomeUnknownError
200 other errors                      ShopifyProgramError: our document or variables are wrong
200 userErrors                        ShopifyUserError
401                                   InvalidAccessTokenError
402 423                               ShopUnavailableError("frozen")
404                                   ShopUnavailableError("uninstalled")
403                                   AccessDeniedError
429 430 5xx, time-out                 TransientError, for a write that left: OutcomeUnknownError
"""

import random  # noqa: TID251 -- jitter between processes is meant to be unlike, no result rests on it
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson
import structlog

from shopify_app.config import settings
from shopify_app.errors import (
    AccessDeniedError,
    AppError,
    OutcomeUnknownError,
    ShopifyProgramError,
    ShopifyUserError,
    ShopUnavailableError,
    TransientError,
)
from shopify_app.metrics import API_FELL_FORWARD, SHOPIFY_CALLS, SHOPIFY_SECONDS

TIMEOUT: Final = httpx.Timeout(25.0, connect=3.0)
WRITE_TIMEOUT: Final = httpx.Timeout(5.0, connect=3.0)
"""A price write that takes longer is settled by reading."""

THROTTLE_DEADLINE_SECONDS: Final = 20.0
"""How long one call may wait for its cost; a worker has other shops to serve."""

USER_AGENT: Final = "Keel/0.1 (Shopify app; Python httpx)"

log = structlog.get_logger()


class InvalidAccessTokenError(AppError):
    """401: the token is not, or no longer, good."""


@dataclass(slots=True)
class CostBucket:
    """What a shop's cost bucket held when Shopify last said so."""

    available: float = 1_000.0
    maximum: float = 2_000.0
    restore_per_second: float = 100.0
    said_at: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Points there should be now."""
        restored = (time.monotonic() - self.said_at) * self.restore_per_second
        return min(self.maximum, self.available + restored)

    def learn(self, status: Mapping[str, Any]) -> None:
        """Take Shopify's word."""
        self.available = float(status["currentlyAvailable"])
        self.maximum = float(status["maximumAvailable"])
        self.restore_per_second = max(float(status["restoreRate"]), 1.0)
        self.said_at = time.monotonic()


_buckets: dict[str, CostBucket] = {}
_shared_http: list[httpx.Client] = []
_lock = threading.Lock()


def http_client() -> httpx.Client:
    """The connection pool of this process; redirects are never followed."""
    with _lock:
        if not _shared_http:
            _shared_http.append(
                httpx.Client(
                    timeout=TIMEOUT, follow_redirects=False, headers={"User-Agent": USER_AGENT}
                )
            )
        return _shared_http[0]


class AdminApi:
    """One shop's Admin API under one access token."""

    def __init__(
        self, shop_domain: str, access_token: str, *, http: httpx.Client | None = None
    ) -> None:
        config = settings()
        self.shop_domain = shop_domain
        self.access_token = access_token
        self._http = http or http_client()
        self._url = config.graphql_url(shop_domain)
        self._version = config.api_version

    def query(
        self, document: str, variables: Mapping[str, Any] | None = None, *, operation: str
    ) -> dict[str, Any]:
        """The data of a read. Raises what the table above says."""
        return self._call(document, variables or {}, operation, is_write=False)

    def mutate(
        self, document: str, variables: Mapping[str, Any], *, operation: str
    ) -> dict[str, Any]:
        """The payload of the document's one mutation; its userErrors become ShopifyUserError."""
        data = self._call(document, variables, operation, is_write=True)
        payload: dict[str, Any] = next(iter(data.values()))
        if errors := payload.get("userErrors"):
            first = errors[0]
            raise ShopifyUserError(
                first["message"],
                code=first.get("code"),
                field=tuple(str(part) for part in first.get("field") or ()),
            )
        return payload

    def _call(
        self, document: str, variables: Mapping[str, Any], operation: str, *, is_write: bool
    ) -> dict[str, Any]:
        deadline = time.monotonic() + THROTTLE_DEADLINE_SECONDS
        while True:
            body = self._post(document, variables, operation, is_write=is_write)
            wait = self._throttled_for(body)
            if wait is None:
                return self._data(body, operation, is_write=is_write)
            if time.monotonic() + wait > deadline:
                raise TransientError("throttled", retry_after_seconds=wait)
            time.sleep(wait)

    def _post(
        self, document: str, variables: Mapping[str, Any], operation: str, *, is_write: bool
    ) -> dict[str, Any]:
        content = orjson.dumps(
            {"query": document, "variables": dict(variables), "operationName": operation}
        )
        started = time.monotonic()
        try:
            answer = self._http.post(
                self._url,
                content=content,
                headers={
                    "X-Shopify-Access-Token": self.access_token,
                    "Content-Type": "application/json",
                },
                timeout=WRITE_TIMEOUT if is_write else TIMEOUT,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            SHOPIFY_CALLS.labels(operation, "unreachable").inc()
            raise TransientError(f"Shopify cannot be reached: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            SHOPIFY_CALLS.labels(operation, "no_answer").inc()
            raise _lost(is_write, f"no answer: {type(error).__name__}") from error
        SHOPIFY_SECONDS.labels(operation).observe(time.monotonic() - started)
        SHOPIFY_CALLS.labels(operation, str(answer.status_code)).inc()
        self._watch_version(answer, operation)
        if answer.status_code != 200:
            request_id = answer.headers.get("X-Request-Id", "")[:64]
            log.warning(
                "shopify_refused",
                status=answer.status_code,
                operation=operation,
                shopify_request_id=request_id,
            )
        _raise_for_status(answer, is_write=is_write)
        try:
            body: Any = orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise _lost(is_write, "the answer was not JSON") from error
        if not isinstance(body, dict):
            raise _lost(is_write, "the answer was not an object")
        if status := ((body.get("extensions") or {}).get("cost") or {}).get("throttleStatus"):
            _buckets.setdefault(self.shop_domain, CostBucket()).learn(status)
        return body

    def _watch_version(self, answer: httpx.Response, operation: str) -> None:
        """A pinned version that is gone falls forward silently: say so loudly."""
        served = answer.headers.get("X-Shopify-API-Version")
        if served and served != self._version:
            API_FELL_FORWARD.labels(served[:20]).inc()
            log.error(
                "api_version_fell_forward", served=served, asked=self._version, operation=operation
            )
        if reason := answer.headers.get("X-Shopify-API-Deprecated-Reason"):
            log.warning("api_deprecated", reason=reason, operation=operation)

    def _throttled_for(self, body: Mapping[str, Any]) -> float | None:
        """Seconds to wait if nothing was executed for want of points, else None."""
        errors = body.get("errors")
        if not isinstance(errors, list) or all(_code(one) != "THROTTLED" for one in errors):
            return None
        cost = (body.get("extensions") or {}).get("cost") or {}
        bucket = _buckets.setdefault(self.shop_domain, CostBucket())
        missing = float(cost.get("requestedQueryCost") or 100.0) - bucket.now()
        return max(1.0, missing / bucket.restore_per_second) + random.uniform(0, 0.5)  # noqa: S311 -- jitter

    def _data(self, body: Mapping[str, Any], operation: str, *, is_write: bool) -> dict[str, Any]:
        errors = body.get("errors")
        if not errors:
            if not isinstance(body.get("data"), dict):
                raise _lost(is_write, "the answer held no data")
            return body["data"]
        codes = {_code(error) for error in errors} if isinstance(errors, list) else {""}
        message = (
            "; ".join(str(error.get("message")) for error in errors)
            if isinstance(errors, list)
            else str(errors)
        )
        if "ACCESS_DENIED" in codes or "not approved to access" in message:
            raise AccessDeniedError(message)
        if "INTERNAL_SERVER_ERROR" in codes:
            raise _lost(is_write, "Shopify had an internal error")
        raise ShopifyProgramError(f"{operation}: {message}")


def _code(error: Mapping[str, Any]) -> str:
    return str((error.get("extensions") or {}).get("code") or "")


def _lost(is_write: bool, message: str) -> TransientError:  # noqa: FBT001 -- the one question there is
    return OutcomeUnknownError(message) if is_write else TransientError(message)


def _raise_for_status(answer: httpx.Response, *, is_write: bool) -> None:
    """Translate an HTTP status that is not 200."""
    status = answer.status_code
    if status == 200:
        return
    if status == 401:
        raise InvalidAccessTokenError("401")
    if status in (402, 423):
        raise ShopUnavailableError("frozen")
    if status == 404:
        raise ShopUnavailableError("uninstalled")
    if status == 403:
        raise AccessDeniedError("403")
    if status in (429, 430):
        raise TransientError(str(status), retry_after_seconds=_retry_after(answer))
    if status >= 500:
        raise _lost(is_write, f"Shopify answered {status}")
    raise ShopifyProgramError(f"Shopify answered {status}")


def _retry_after(answer: httpx.Response) -> float:
    try:
        return min(max(float(answer.headers.get("Retry-After", "2")), 0.5), 300.0)
    except ValueError:
        return 2.0
