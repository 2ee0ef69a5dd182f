"""Rows for tests: plain functions, keyword-only, sensible defaults."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from psycopg2.extras import Json

from shopify_app.db.connection import rows_as, sweep_transaction, transaction
from shopify_app.domain.evidence import PriceProposal
from shopify_app.domain.order import Order, OrderLine, Refund, RefundLine
from shopify_app.domain.outcome import DecisionEvidence
from shopify_app.domain.product import Product, Variant
from shopify_app.domain.run import RunSettings
from shopify_app.domain.shop import Shop

T = TypeVar("T")

_ids = itertools.count(9_000_000_000)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MUG = Product(
    id=1,
    title="Mug",
    handle="mug",
    status="ACTIVE",
    vendor="Northmill",
    product_type="Mugs",
    tags=["a"],
    is_gift_card=False,
    image_url=None,
    created_at=NOW,
    published_at=NOW,
    updated_at=NOW,
)
RED = Variant(
    id=10,
    product_id=1,
    inventory_item_id=100,
    title="Red",
    sku="M-R",
    position=1,
    price=Decimal("10.00"),
    compare_at_price=None,
    inventory_policy="DENY",
    created_at=NOW,
    updated_at=NOW,
)
BLUE = replace(RED, id=11, inventory_item_id=101, title="Blue")


def make_shop(
    domain: str,
    *,
    currency: str = "GBP",
    timezone: str = "Europe/London",
    state: str = "installed",
    scopes: tuple[str, ...] = (
        "read_orders",
        "write_products",
        "read_inventory",
        "read_locations",
        "read_all_orders",
    ),
    **columns: Any,
) -> Shop:
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO shops (domain, name, currency, timezone, state, granted_scopes, uninstalled_at, installed_at)
            VALUES (%(domain)s, %(name)s, %(currency)s, %(timezone)s, %(state)s, %(scopes)s,
                    CASE WHEN %(state)s = 'uninstalled' THEN now() END, %(installed_at)s)
            RETURNING *
            """,
            {
                "domain": domain,
                "name": domain.split(".", maxsplit=1)[0].title(),
                "currency": currency,
                "timezone": timezone,
                "state": state,
                "scopes": list(scopes),
                "installed_at": columns.get("installed_at", NOW - timedelta(days=30)),
            },
        )
        shop = rows_as(Shop, cur)[0]
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO shop_settings (shop_id) VALUES (%(shop_id)s)", {"shop_id": shop.shop_id}
        )
    return shop


def make_variant(
    shop: Shop,
    *,
    title: str = "Linen apron",
    variant_title: str = "Navy",
    price: str = "24.00",
    compare_at_price: str | None = None,
    cost: str | None = "9.00",
    available: int = 40,
    sku: str | None = "LA-NV",
    vendor: str | None = "Northmill",
    product_type: str | None = "Aprons",
    product_id: int | None = None,
) -> int:
    variant_id, item_id, location_id = next(_ids), next(_ids), 7_000_000_001
    new_product = product_id is None
    product_id = product_id or next(_ids)
    given = {
        "shop_id": shop.shop_id,
        "id": variant_id,
        "product_id": product_id,
        "item_id": item_id,
        "title": title,
        "variant_title": variant_title,
        "price": Decimal(price),
        "compare_at": Decimal(compare_at_price) if compare_at_price else None,
        "cost": Decimal(cost) if cost else None,
        "available": available,
        "sku": sku,
        "vendor": vendor,
        "type": product_type,
        "at": NOW,
        "location_id": location_id,
    }
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        if new_product:
            cur.execute(
                "INSERT INTO products (shop_id, id, title, status, vendor, product_type, updated_at)"
                " VALUES (%(shop_id)s, %(product_id)s, %(title)s, 'ACTIVE', %(vendor)s, %(type)s, %(at)s)",
                given,
            )
        cur.execute(
            "INSERT INTO inventory_items (shop_id, id, unit_cost, updated_at) VALUES (%(shop_id)s, %(item_id)s, %(cost)s, %(at)s)",
            given,
        )
        cur.execute(
            "INSERT INTO variants (shop_id, id, product_id, inventory_item_id, title, sku, price, compare_at_price, updated_at)"
            " VALUES (%(shop_id)s, %(id)s, %(product_id)s, %(item_id)s, %(variant_title)s, %(sku)s, %(price)s, %(compare_at)s, %(at)s)",
            given,
        )
        cur.execute(
            "INSERT INTO locations (shop_id, id, name, updated_at) VALUES (%(shop_id)s, %(location_id)s, 'Warehouse', %(at)s) ON CONFLICT DO NOTHING",
            given,
        )
        cur.execute(
            "INSERT INTO inventory_levels (shop_id, inventory_item_id, location_id, available_units, updated_at)"
            " VALUES (%(shop_id)s, %(item_id)s, %(location_id)s, %(available)s, %(at)s)",
            given,
        )
    return variant_id


def run_settings(**changed: Any) -> RunSettings:
    """What a run is told of a shop that chose nothing."""
    told = {
        "language": "en", "timezone": None, "lead_time_days": 14, "review_period_days": 7, "cycle_service_level": None,
        "holding_cost_per_year": "0.25", "margin_floor": "0.20", "max_price_step": "0.10", "price_ending": "0.00",
        "prices_frozen_first": None, "prices_frozen_last": None, "currency": "GBP", "minor_digits": 2,
        "resting": {"trend": [], "restock": [], "price": []},
    }  # fmt: skip
    return RunSettings.of_json(told | changed)


def make_run(shop: Shop) -> int:
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO suggestion_runs (shop_id, as_of, seed, model_version, inputs, inputs_sha256, counts, finished_at)"
            " VALUES (%(shop_id)s, %(as_of)s, 0, 'test', '', '', %(counts)s, now()) RETURNING id",
            {
                "shop_id": shop.shop_id,
                "as_of": NOW.date(),
                "counts": Json(
                    {
                        "looked_at": 12,
                        "need_nothing": 8,
                        "not_sure": {"too_few_price_changes": 3},
                        "suggested": 1,
                    }
                ),
            },
        )
        return cur.fetchone()[0]


def basis(price: str = "26.00", old_price: str = "24.00") -> DecisionEvidence:
    """What a decision on a price rested on."""
    proposal = PriceProposal(price=Decimal(price), old_price=Decimal(old_price))
    value = (Decimal(-4), Decimal(12), Decimal(30))
    return DecisionEvidence(proposal=proposal, value=value, value_unit="profit_a_month")


def make_suggestion(
    shop: Shop,
    variant_id: int,
    *,
    kind: str = "price",
    proposal: dict[str, Any] | None = None,
    evidence: dict[str, Any] | None = None,
    value: tuple[str, str, str] = ("12.00", "96.00", "180.00"),
    value_unit: str = "profit_a_month",
    rank_score: float = 1.0,
    is_urgent: bool = False,
    state: str = "open",
    run_id: int | None = None,
    as_of: date | None = None,
) -> int:
    run_id = run_id or make_run(shop)
    proposal = proposal or {
        "price": "26.00",
        "compare_at_price": None,
        "old_price": "24.00",
        "old_compare_at_price": None,
    }
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            """
            INSERT INTO suggestions (shop_id, run_id, kind, variant_id, state, proposal, evidence, value_low, value_mid, value_high,
                                     value_unit, currency, rank_score, is_urgent, as_of, decided_at, dismiss_reason)
            VALUES (%(shop_id)s, %(run_id)s, %(kind)s, %(variant_id)s, %(state)s, %(proposal)s, %(evidence)s, %(low)s, %(mid)s, %(high)s,
                    %(unit)s, %(currency)s, %(rank)s, %(urgent)s, %(as_of)s,
                    CASE WHEN %(state)s IN ('accepted', 'dismissed', 'undone') THEN now() END,
                    CASE WHEN %(state)s = 'dismissed' THEN 'not_now' END)
            RETURNING id
            """,
            {
                "shop_id": shop.shop_id,
                "run_id": run_id,
                "kind": kind,
                "variant_id": variant_id,
                "state": state,
                "proposal": Json(proposal),
                "evidence": Json(evidence or {}),
                "low": value[0],
                "mid": value[1],
                "high": value[2],
                "unit": value_unit,
                "currency": shop.currency,
                "rank": rank_score,
                "urgent": is_urgent,
                "as_of": as_of or NOW.date(),
            },
        )
        return cur.fetchone()[0]


def order_of(number: int, *lines: OrderLine, at: datetime = NOW, **changed: Any) -> Order:
    """An order as it comes from Shopify; nothing is written."""
    made = Order(
        id=number, name=f"#{number}", source_name="web", currency="GBP", financial_status="paid", is_test=False,
        processed_at=at, created_at=at, cancelled_at=None, updated_at=at, lines=list(lines),
    )  # fmt: skip
    return replace(made, **changed)


def line_of(
    number: int,
    variant_id: int | None = None,
    *,
    units: int = 1,
    price: str = "10.00",
    **changed: Any,
) -> OrderLine:
    """A line of such an order."""
    made = OrderLine(
        id=number, product_id=None, variant_id=variant_id, sku=None, title="Mug", quantity=units, current_quantity=units,
        unit_price=Decimal(price), discount=Decimal(0), tax=Decimal(0), is_gift_card=False,
    )  # fmt: skip
    return replace(made, **changed)


def refund_of(
    number: int,
    order_id: int,
    line_id: int,
    *,
    units: int = 1,
    at: datetime = NOW,
    restock_type: str = "return",
    subtotal: str = "10.00",
) -> Refund:
    """A refund of one line."""
    line = RefundLine(number * 10, line_id, units, restock_type, Decimal(subtotal), Decimal(0))
    return Refund(number, order_id, at, [line])


def elsewhere(act: Callable[..., T], *args: Any) -> T:
    """What an act gives in another thread, as another process would do it beside an open transaction."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(act, *args).result()


def rows(shop: Shop, query: str, **params: Any) -> list[tuple[Any, ...]]:
    """What a query shows to one shop."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(query, params)
        return cur.fetchall()
