"""Draft purchase orders by vendor: CSV and print by short-lived signed links.

A download cannot carry an ID token, so the link itself is the proof: shop, install and vendor,
signed, good for five minutes.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    abort,
    g,
    jsonify,
    redirect,
    render_template,
    url_for,
)
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer

from shopify_app.config import settings
from shopify_app.db import pages, shops
from shopify_app.db.connection import read_transaction
from shopify_app.db.pages import PurchaseLine
from shopify_app.domain.currency import exact, exponent, rounded
from shopify_app.domain.shop import Shop, ShopState
from shopify_app.usecases.decisions import order_receipts, purchase_order_exports
from shopify_app.web.auth import public
from shopify_app.web.json_twin import as_json, picked
from shopify_app.web.posted import posted
from shopify_app.web.reading import language, reading, shop, today, wants_json
from shopify_app.web.request_models import ExportRequest, ReceiptRequest

LINK_SECONDS: Final = 300
COLUMNS: Final = (
    "vendor",
    "sku",
    "product",
    "variant",
    "quantity",
    "unit_cost",
    "line_total",
    "currency",
    "order_by",
)

blueprint = Blueprint("purchase_orders", __name__, url_prefix="/purchase-orders")


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """A vendor's lines: on the draft (`sent_at` None), or what was sent at once."""

    vendor: str
    sent_at: datetime | None
    lines: list[PurchaseLine]

    @property
    def is_closed(self) -> bool:
        """Whether the merchant said that it was sent."""
        return self.sent_at is not None

    @property
    def arrived_at(self) -> datetime | None:
        """When the last of it came; None while a line is open."""
        came = [line.arrived_at for line in self.lines]
        return None if None in came else max((at for at in came if at is not None), default=None)

    @property
    def units(self) -> int:
        """Units over all lines."""
        return sum(line.units for line in self.lines)

    @property
    def cost(self) -> Decimal | None:
        """What it costs; None as soon as one line's cost is unknown."""
        costs = [line.cost for line in self.lines]
        return None if None in costs else sum((c for c in costs if c is not None), Decimal(0))

    @property
    def csv_url(self) -> str:
        """A fresh link to the file."""
        return url_for("purchase_orders.show_csv", ticket=ticket(self))

    @property
    def print_url(self) -> str:
        """A fresh link to the page to print."""
        return url_for("purchase_orders.show", ticket=ticket(self))


def draft_orders(lines: Sequence[PurchaseLine]) -> list[PurchaseOrder]:
    """Lines (sorted by vendor, drafts first, then as they were sent) as orders."""
    groups = groupby(lines, key=lambda line: (line.vendor, line.exported_at))
    return [PurchaseOrder(vendor, sent_at, list(group)) for (vendor, sent_at), group in groups]


@as_json.register
def order_json(order: PurchaseOrder) -> dict[str, Any]:
    """An order as JSON, links included."""
    return {
        **picked(order, "vendor", "is_closed", "units", "sent_at", "arrived_at", "cost"),
        "lines": [
            picked(line, "suggestion_id", "sku", "units", "unit_cost", "currency")
            for line in order.lines
        ],
        **picked(order, "csv_url", "print_url"),
    }


def ticket(order: PurchaseOrder) -> str:
    """The signed right to read one vendor's order of the asking shop."""
    return _signer().dumps(
        [shop().shop_id, shop().install_epoch, order.vendor, _iso(order.sent_at), language()]
    )


@blueprint.post("/exports")
def create_export() -> ResponseReturnValue:
    """Close a vendor's draft: it was sent, so its lines can no longer be undone here."""
    vendor = posted(ExportRequest).vendor
    return _orders_after("closed_lines", purchase_order_exports.close_draft(shop().shop_id, vendor))


@blueprint.post("/receipts")
def create_receipt() -> ResponseReturnValue:
    """An order that was sent is there, since today or an earlier day: its lead time is learned from."""
    told = posted(ReceiptRequest)
    lines = order_receipts.order_arrived(shop().shop_id, told.vendor, told.sent_at, told.day)
    return _orders_after("arrived_lines", lines)


def _orders_after(name: str, lines: int) -> ResponseReturnValue:
    """The orders as they stand now, and of how many lines something was said."""
    with reading() as conn:
        orders = draft_orders(pages.purchase_lines(conn, shop().shop_id))
    body = {name: lines, "purchase_orders": [order_json(order) for order in orders]}
    return jsonify(body) if wants_json() else redirect(url_for("restock.index"), 303)


@blueprint.get("/<ticket>.csv")
@public
def show_csv(ticket: str) -> ResponseReturnValue:
    """The order as a file for a spreadsheet (UTF-8 with its mark, dot decimals, ISO dates)."""
    order = _order_of(ticket)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in order.lines:
        writer.writerow(
            [
                _inert(line.vendor),
                _inert(line.sku or ""),
                _inert(line.product_title),
                _inert(line.variant_title),
                line.units,
                _written(line.unit_cost, exact, line.currency),
                _written(line.cost, rounded, line.currency),
                line.currency,
                line.order_by.isoformat(),
            ]
        )
    made = Response("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    made.headers["Content-Disposition"] = (
        f'attachment; filename="purchase-order-{today().isoformat()}.csv"'
    )
    made.headers["Cache-Control"] = "no-store"
    return made


@blueprint.get("/<ticket>")
@public
def show(ticket: str) -> ResponseReturnValue:
    """The order as a page to print or to save as PDF."""
    order = _order_of(ticket)
    return render_template("purchase_orders/show.html", order=order, today=today())


def _order_of(ticket: str) -> PurchaseOrder:
    """The order a link gives the right to; 403 for any other link."""
    try:
        shop_id, epoch, vendor, sent_at, spoken = _signer().loads(ticket, max_age=LINK_SECONDS)
    except (BadSignature, ValueError):
        abort(403)
    with read_transaction(shop_id) as conn:
        asking: Shop | None = shops.by_id(conn, shop_id)
        lines = pages.purchase_lines(conn, shop_id, vendor=vendor)
    if asking is None or asking.install_epoch != epoch or asking.state is ShopState.UNINSTALLED:
        abort(403)
    g.shop, g.locale = asking, spoken
    found = [order for order in draft_orders(lines) if _iso(order.sent_at) == sent_at]
    return found[0] if found else PurchaseOrder(vendor, None, [])


def _iso(moment: datetime | None) -> str | None:
    return moment and moment.isoformat()


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(reversed(settings().api_secrets)), salt="purchase-order")


def _inert(text: str) -> str:
    """Merchant text that a spreadsheet would take for a formula, made plain text."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _written(amount: Decimal | None, how: Callable[[Decimal, int], Decimal], currency: str) -> str:
    return "" if amount is None else str(how(amount, exponent(currency)))
