"""`shopifyqlQuery` over `FROM sales`: a report of the shop's own, by SQL that shares nothing with the ledger's.

As much of the language as a report of sales by day needs; another table or column is a parse error, as Shopify says it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from simulator.graphql.nodes import Context, Node
from simulator.minor_units import from_units
from simulator.state import Simulator
from simulator.world.ledger import knows_days

MONEY: Final = {
    "gross_sales": "product AND NOT back THEN total - tax + discount",
    "discounts": "product AND NOT back THEN -discount",
    "sales_reversals": "(product AND back) OR adjustment THEN total - tax",
    "net_sales": "product OR adjustment THEN total - tax",
    "shipping_charges": "line = 'shipping' THEN total - tax",
    "duties": "line = 'duty' THEN total - tax",
    "additional_fees": "line = 'additional_fee' THEN total - tax",
    "return_fees": "line = 'fee' THEN total - tax",
    "taxes": "counted THEN tax",
    "total_sales": "counted THEN total",
    "tips": "line = 'tip' THEN total",
    "discount_reversals": "product AND back THEN -discount",
    "gross_sales_reversals": "product AND back THEN total - tax + discount",
    "tax_reversals": "counted AND back THEN tax",
    "shipping_reversals": "line = 'shipping' AND back THEN total - tax",
}
"""Metric -> what of a sale it adds up."""

NUMBERS: Final = {
    "quantity_ordered": "sum(CASE WHEN ordered THEN quantity ELSE 0 END)",
    "reversed_quantity": "sum(CASE WHEN product AND back THEN quantity ELSE 0 END)",
    "net_items_sold": "sum(CASE WHEN product THEN coalesce(quantity, 0) ELSE 0 END)",
    "orders": "count(DISTINCT CASE WHEN ordered THEN order_id END)",
}
DIMENSIONS: Final = {
    "day": ("day", "DAY_TIMESTAMP"),
    "order_id": ("order_id", "IDENTITY"),
    "order_name": ("order_name", "STRING"),
    "product_id": ("product_id", "IDENTITY"),
    "product_variant_id": ("variant_id", "IDENTITY"),
    "line_type": ("line", "STRING"),
    "order_or_sales_reversal": ("CASE WHEN back THEN 'sales_reversal' ELSE 'order' END", "STRING"),
    "is_sale_adjustment": ("adjustment", "BOOLEAN"),
}
ROWS: Final = """
SELECT local_day(e.happened_at, :zone) AS day, e.order_id, orders.name AS order_name, e.product_id, e.variant_id, e.quantity,
  e.total, e.tax, e.discount_before_tax AS discount, orders.currency,
  CASE e.line_type WHEN 'ADJUSTMENT' THEN 'sale_adjustment' ELSE lower(e.line_type) END AS line,
  e.line_type = 'PRODUCT' AS product, e.line_type = 'ADJUSTMENT' AS adjustment, e.action = 'RETURN' AS back,
  e.line_type NOT IN ('GIFT_CARD', 'TIP') AS counted,
  e.line_type = 'PRODUCT' AND e.action = 'ORDER' AND e.reason IN ('ORDER', 'REFUND') AS ordered
FROM orders, every_sale AS e
WHERE orders.shop = :shop AND e.shop = orders.shop AND e.order_id = orders.id AND NOT orders.test AND orders.deleted_at IS NULL
"""
CLAUSES: Final = "FROM|SHOW|WHERE|GROUP BY|TIMESERIES|WITH TOTALS|SINCE|UNTIL|ORDER BY|LIMIT|HAVING|DURING|COMPARE TO|VISUALIZE"


class QlError(ValueError):
    """A text that cannot be read; the message is for `parseErrors`."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a text asks for."""

    metrics: list[str]
    dimensions: list[str]
    filters: list[tuple[str, str]]
    since: date
    until: date
    is_filled: bool
    has_totals: bool
    order: tuple[str, bool] | None
    limit: int


def query(sim: Simulator, c: Context, granted: str, arguments: dict[str, Any]) -> Node:
    """The answer to a text: a table, or what is wrong with it."""
    row = c.conn.execute("SELECT timezone FROM shops WHERE domain = ?", (c.shop,)).fetchone()
    zone = str(row["timezone"])
    today = sim.store.now(c.shop).astimezone(ZoneInfo(zone)).date()
    try:
        report = read(str(arguments["query"]), today)
        table, errors = _table(c, report, zone), []
    except QlError as error:
        table, errors = None, [str(error)]
    return {
        "__typename": "ShopifyqlQueryResponse",
        "parseErrors": errors,
        "parseWarnings": [],
        "tableData": table,
    }


def read(text: str, today: date) -> Report:
    """A text as a report.

    Raises
    ------
    QlError
    """
    parts = re.split(rf"\b({CLAUSES})\b", " ".join(text.split()), flags=re.IGNORECASE)
    names = [name.upper() for name in parts[1::2]]
    clauses = dict(zip(names, (part.strip() for part in parts[2::2]), strict=True))
    if parts[0].strip() or clauses.get("FROM", "").lower() != "sales" or not clauses.get("SHOW"):
        raise QlError("Syntax Error: expected FROM sales SHOW")
    if unknown := clauses.keys() & {"HAVING", "DURING", "COMPARE TO", "VISUALIZE"}:
        raise QlError(f"Syntax Error: {min(unknown)} is not served")
    grouped = [*_words(clauses.get("GROUP BY")), *_words(clauses.get("TIMESERIES"))]
    order = clauses.get("ORDER BY", "").split()
    report = Report(
        _words(clauses["SHOW"]),
        grouped,
        _filters(clauses.get("WHERE", "")),
        _day(clauses.get("SINCE", "-30d"), today),
        _day(clauses.get("UNTIL", "today"), today),
        "TIMESERIES" in clauses,
        "WITH TOTALS" in clauses,
        (order[0], order[-1].upper() == "DESC") if order else None,
        int(clauses.get("LIMIT", "1000")),
    )
    asked = [*grouped, *(name for name, _ in report.filters), *([order[0]] if order else [])]
    for name in report.metrics:
        _known(name, {*MONEY, *NUMBERS})
    for name in asked:
        _known(name, {*DIMENSIONS, *MONEY, *NUMBERS})
    return report


def _known(name: str, names: set[str]) -> None:
    if name not in names:
        raise QlError(f"Column Not Found: Column '{name}' not found")


def _words(text: str | None) -> list[str]:
    return [word.strip().lower() for word in (text or "").split(",") if word.strip()]


def _filters(text: str) -> list[tuple[str, str]]:
    """`column = value AND …`."""
    found = []
    for part in re.split(r"\bAND\b", text, flags=re.IGNORECASE) if text else ():
        match = re.fullmatch(r"\s*(\w+)\s*=\s*'?([^']*?)'?\s*", part)
        if match is None:
            raise QlError(f"Syntax Error: {part.strip()}")
        found.append((match[1].lower(), match[2]))
    return found


def _day(text: str, today: date) -> date:
    """A day: today, yesterday, -30d, startOfDay(-30d), endOfDay(-1d), 2026-11-01."""
    inner = re.sub(r"(?i)^(?:startOfDay|endOfDay)\((.*)\)$", r"\1", text.strip()).lower()
    if inner in ("today", "yesterday", "0d"):
        return today - timedelta(days=inner == "yesterday")
    if match := re.fullmatch(r"-(\d+)d", inner):
        return today - timedelta(days=int(match[1]))
    try:
        return date.fromisoformat(inner)
    except ValueError:
        raise QlError(f"Syntax Error: {text} is no day") from None


def _table(c: Context, report: Report, zone: str) -> Node:
    """Columns and rows of a report."""
    columns = [_column(name, DIMENSIONS[name][1]) for name in report.dimensions]
    columns += [_column(name, "MONEY" if name in MONEY else "INTEGER") for name in report.metrics]
    rows = _rows(c, report, report.dimensions, zone)
    if report.is_filled and report.dimensions == ["day"]:
        rows = _filled(rows, report, c.currency)
    if report.order is not None:
        rows.sort(key=_sorting(report.order[0]), reverse=report.order[1])
    if report.has_totals:
        (whole,) = _rows(c, report, [], zone) or [{}]
        totals = {f"{name}__totals": whole.get(name) for name in report.metrics}
        columns += [
            _column(f"{name}__totals", "MONEY" if name in MONEY else "INTEGER", "GENERATED")
            for name in report.metrics
        ]
        rows = [row | totals for row in rows]
    return {
        "__typename": "ShopifyqlTableData",
        "columns": columns,
        "rows": rows[: report.limit],
    }


def _column(name: str, data_type: str, origin: str = "REQUESTED") -> Node:
    return {
        "__typename": "ShopifyqlTableDataColumn",
        "name": name,
        "dataType": data_type,
        "subType": None,
        "displayName": name.removesuffix("__totals").replace("_", " ").capitalize(),
        "columnOrigin": origin,
    }


def _sorting(name: str) -> Callable[[dict[str, Any]], Any]:
    if name in MONEY:
        return lambda row: float(row[name])
    return lambda row: (row[name] is None, row[name])


def _rows(c: Context, report: Report, dimensions: list[str], zone: str) -> list[dict[str, Any]]:
    """The sums of a report's metrics by some dimensions; money as text, as Shopify writes it."""
    wanted = [f"{DIMENSIONS[name][0]} AS {name}" for name in dimensions]
    for name in report.metrics:
        sql = NUMBERS.get(name) or f"sum(CASE WHEN {MONEY[name]} ELSE 0 END)"
        wanted.append(f"coalesce({sql}, 0) AS {name}")
    where = "".join(
        f" AND {DIMENSIONS[name][0]} = :filter{number}"
        for number, (name, _) in enumerate(report.filters)
        if name in DIMENSIONS
    )
    numbers = ", ".join(str(number + 1) for number in range(len(dimensions)))
    grouping = f" GROUP BY {numbers} ORDER BY {numbers}" if dimensions else ""
    params: dict[str, Any] = {
        f"filter{number}": int(value) if value.isdigit() else value
        for number, (_, value) in enumerate(report.filters)
    }
    params |= {"shop": c.shop, "zone": zone}
    params |= {"since": report.since.isoformat(), "until": report.until.isoformat()}
    found = knows_days(c.conn).execute(
        f"SELECT {', '.join(wanted)} FROM ({ROWS}) WHERE day BETWEEN :since AND :until{where}{grouping}",
        params,
    )
    return [
        {
            name: str(from_units(value, c.currency)) if name in MONEY else value
            for name, value in dict(row).items()
        }
        for row in found
    ]


def _filled(rows: list[dict[str, Any]], report: Report, currency: str) -> list[dict[str, Any]]:
    """Every day of the time, those without sales with nothing."""
    known = {row["day"]: row for row in rows}
    empty = {name: str(from_units(0, currency)) if name in MONEY else 0 for name in report.metrics}
    days = [
        (report.since + timedelta(days=number)).isoformat()
        for number in range((report.until - report.since).days + 1)
    ]
    return [known.get(day, {"day": day, **empty}) for day in days]
