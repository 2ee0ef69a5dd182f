"""Prometheus' counters and histograms, on a port of their own (never the app's)."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram, start_http_server

WEBHOOKS_RECEIVED: Final = Counter("keel_webhooks_received_total", "Webhooks", ["topic", "answer"])
WEBHOOKS_APPLIED: Final = Counter(
    "keel_webhooks_applied_total", "Inbox rows worked through", ["topic", "outcome"]
)
INBOX_OLDEST_SECONDS: Final = Gauge(
    "keel_inbox_oldest_seconds", "Age of the oldest webhook not yet applied"
)
INBOX_DEAD: Final = Gauge("keel_inbox_dead", "Parked webhooks")
HEALED_ROWS: Final = Counter(
    "keel_healed_rows_total", "Rows that reconciliation had to mend", ["kind"]
)
REFETCHES: Final = Counter(
    "keel_refetches_total", "Resources asked of Shopify again", ["kind", "outcome"]
)
SALES_CHANGED: Final = Counter(
    "keel_sales_changed_total", "Sale rows that Shopify told otherwise than before"
)
SHOPIFY_CALLS: Final = Counter(
    "keel_shopify_calls_total", "Admin API calls", ["operation", "answer"]
)
SHOPIFY_SECONDS: Final = Histogram("keel_shopify_seconds", "Admin API latency", ["operation"])
PRICE_WRITES: Final = Counter(
    "keel_price_writes_total", "Price changes brought to an end", ["state"]
)
API_FELL_FORWARD: Final = Counter(
    "keel_api_fell_forward_total",
    "Answers in another API version than the one we are pinned to",
    ["served"],
)
SHOPS_WITHOUT_WEBHOOKS: Final = Gauge(
    "keel_shops_without_webhooks", "Shops whose orders change while no order webhook comes"
)
REDACTIONS_LATE: Final = Gauge(
    "keel_redactions_late", "Privacy requests past half of our own deadline"
)
SHOPS_WITHOUT_NEW_SUGGESTIONS: Final = Gauge(
    "keel_shops_without_new_suggestions", "Shops whose newest run of the suggestions failed"
)
SHOPS_WITH_HELD_SUGGESTIONS: Final = Gauge(
    "keel_shops_with_held_suggestions",
    "Shops whose suggestions wait because their books are not whole",
)
PAGE_SECONDS: Final = Histogram("keel_page_seconds", "Time to answer a page", ["endpoint"])


def serve_metrics(port: int) -> None:
    """Serve this process's metrics; port 0 serves none, a port in use is another process of ours."""
    if port == 0:
        return
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError:
        start_http_server(0, addr="127.0.0.1")
