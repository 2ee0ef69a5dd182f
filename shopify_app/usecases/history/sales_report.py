"""Net sales of the last thirty days, ours beside Shopify's own report: the one proof that does not rest on our definitions.

Once a day, where the merchant granted `read_reports`. Days are the shop's; both sides are in its currency.
"""

from datetime import date, timedelta
from decimal import Decimal

import structlog

from shopify_app import clock
from shopify_app.db import backfills, reconciliations, sales_reports, shops
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.db.sales_reports import SalesReport
from shopify_app.domain.shop import Shop
from shopify_app.errors import AppError
from shopify_app.shopify import reports_api, scopes
from shopify_app.usecases.history import facts
from shopify_app.usecases.history.books import REPORTS_SCOPE
from shopify_app.usecases.inbox.spoiling_errors import SPOILING, told
from shopify_app.usecases.rounds import each
from shopify_app.usecases.shops import access

KIND = "sales_report"
DAYS = 30

log = structlog.get_logger()


def compare_sales_reports() -> int:
    """Ask Shopify for its own figures of every shop that lets us; of how many shops they differ from ours."""
    with sweep_transaction() as conn:
        installed = shops.every(conn, states=["installed"])
    return each(installed, compare_shop, of="sales_reports")


def compare_shop(shop: Shop) -> int:
    """One shop; 1 if a day differs. What fails is kept with its other comparisons."""
    with transaction(shop.shop_id) as conn:
        if not scopes.may(shop.granted_scopes, REPORTS_SCOPE):
            sales_reports.forget(conn, shop.shop_id)
            return 0
        if any(step.state != "done" for step in backfills.progress(conn, shop.shop_id)):
            return 0
    report, failure = None, None
    try:
        report = _compared(shop)
    except (AppError, *SPOILING) as error:
        failure = told(error)
        log.warning("sales_report_failed", shop_id=shop.shop_id, error_type=type(error).__name__)
    with transaction(shop.shop_id) as conn:
        if report is not None:
            sales_reports.keep(conn, shop.shop_id, report)
        reconciliations.record_reconciliation(
            conn,
            shop.shop_id,
            KIND,
            checked_rows=DAYS if report else 0,
            healed_rows=0,
            error=failure,
        )
    return int(report is not None and report.days_apart > 0)


def _compared(shop: Shop) -> SalesReport:
    today = clock.today(shop)
    first, last = today - timedelta(days=DAYS), today - timedelta(days=1)
    theirs = access.with_api(shop.shop_id, reports_api.net_sales)
    theirs = {day: net for day, net in theirs.items() if first <= day <= last}
    ours = _our_net(shop, first, last)
    days = ours.keys() | theirs.keys()
    apart = [day for day in days if ours.get(day, Decimal(0)) != theirs.get(day, Decimal(0))]
    return SalesReport(
        first,
        last,
        shop.currency,
        sum(ours.values(), Decimal(0)),
        sum(theirs.values(), Decimal(0)),
        len(apart),
        clock.machine_now(),
    )


def _our_net(shop: Shop, first: date, last: date) -> dict[date, Decimal]:
    """Our net sales by day, in the shop's currency: what stands in another is in no report of this one."""
    told_days = facts.facts(shop.shop_id, since=first, until=last)["days"]
    return {
        date.fromisoformat(row["day"]): Decimal(row["net"])
        for row in told_days
        if row.get("currency", shop.currency) == shop.currency
    }
