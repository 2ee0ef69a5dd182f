"""Shopify's own reports, asked in its query language (scope `read_reports`)."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from shopify_app.errors import ShopifyProgramError
from shopify_app.shopify.client import AdminApi

REPORT: Final = """
query Report($text: String!) {
  shopifyqlQuery(query: $text) {
    parseErrors
    tableData { columns { name dataType } rows }
  }
}
"""

NET_SALES: Final = "FROM sales SHOW net_sales GROUP BY day SINCE -30d UNTIL -1d"
"""The last thirty whole days of the shop; a day without a sale may have no row."""


def net_sales(api: AdminApi) -> dict[date, Decimal]:
    """Net sales of each of the last thirty whole days that has some, in the shop's currency.

    Raises
    ------
    AccessDeniedError
    ShopifyProgramError
        If Shopify does not understand the query, or we do not understand the answer.
    """
    answer = api.query(REPORT, {"text": NET_SALES}, operation="Report")["shopifyqlQuery"]
    if answer["parseErrors"] or answer["tableData"] is None:
        raise ShopifyProgramError(f"the report was not understood: {answer['parseErrors']}")
    return dict(_row(one) for one in answer["tableData"]["rows"])


def _row(row: dict[str, Any]) -> tuple[date, Decimal]:
    try:
        return date.fromisoformat(str(row["day"])[:10]), Decimal(str(row["net_sales"] or 0))
    except (KeyError, ValueError, InvalidOperation) as error:
        raise ShopifyProgramError("a row of the report is not a day with an amount") from error
