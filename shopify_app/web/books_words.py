"""What is wrong with a shop's books, in words: on Home's Data health, over held suggestions, and in the JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask_babel import gettext, ngettext

from shopify_app.db.reconciliations import Comparison
from shopify_app.db.sales_reports import SalesReport
from shopify_app.usecases.history.books import Books, Trouble, What
from shopify_app.web import formats
from shopify_app.web.json_twin import as_json
from shopify_app.web.reading import today, zone
from shopify_app.web.wording import STEPS, later, words_for

READ: Final = {
    "orders": later("Orders cannot be read: Keel's access to them was taken away"),
    "products": later("Products and prices cannot be read: Keel's access to them was taken away"),
    "inventory": later("Stock and costs cannot be read: Keel's access to them was taken away"),
    "locations": later("Locations cannot be read: Keel's access to them was taken away"),
}
COMPARED: Final = {
    "orders": later("Orders"),
    "products": later("Products and prices"),
    "inventory": later("Stock"),
    "shop": later("Your store's currency and time zone"),
    "full_count": later("The weekly full count"),
    "sales_report": later("Shopify's own sales report"),
}


@dataclass(frozen=True, slots=True)
class TroubleView:
    """A trouble in words: what, since when, and what follows from it."""

    trouble: Trouble
    title: str
    detail: str


@as_json.register
def _(view: TroubleView) -> dict[str, Any]:
    trouble = view.trouble
    return {
        "what": trouble.what.value,
        "of": trouble.of,
        "since": as_json(trouble.since),
        "holds_suggestions": trouble.holds,
        "words": f"{view.title} {view.detail}",
    }


def trouble_views(books: Books) -> list[TroubleView]:
    """Every trouble in words, the worst first."""
    return [trouble_view(one) for one in books.troubles]


def trouble_view(trouble: Trouble) -> TroubleView:
    """One in words."""
    title, detail = WORDS[trouble.what](trouble)
    since = trouble.since and gettext("Since %(time)s.", time=_moment(trouble.since))
    return TroubleView(trouble, f"{title}.", " ".join(part for part in (since, detail) if part))


def count_words(count: Comparison | None) -> str:
    """When everything was last counted, and what came of it; '' before the first count."""
    if count is None or count.compared_at is None:
        return ""
    at = _moment(count.compared_at)
    if not count.healed_rows and not count.buried_rows:
        return gettext("Everything was counted %(time)s; nothing differed.", time=at)
    return gettext(
        "Everything was counted %(time)s; %(healed)s records were mended, %(buried)s were gone from Shopify.",
        time=at,
        healed=formats.count(count.healed_rows),
        buried=formats.count(count.buried_rows),
    )


def report_words(report: SalesReport | None) -> str:
    """Our net sales beside Shopify's own figure, and the gap in money; '' where it was never compared."""
    if report is None:
        return ""
    days = (report.last_on - report.first_on).days + 1
    told = {
        "days": formats.count(days),
        "ours": formats.money(report.our_net, report.currency),
        "theirs": formats.money(report.their_net, report.currency),
    }
    if not report.days_apart:
        return gettext(
            "Net sales of the last %(days)s days: %(ours)s, exactly what Shopify's own report says.",
            **told,
        )
    return gettext(
        "Net sales of the last %(days)s days: %(ours)s here, %(theirs)s in Shopify's own report: %(gap)s apart, on %(apart)s of the days.",
        gap=formats.money(abs(report.gap), report.currency),
        apart=formats.count(report.days_apart),
        **told,
    )


def _scope(trouble: Trouble) -> tuple[str, str]:
    return (
        words_for(READ, trouble.of),
        gettext("Nothing new reaches us. Give the access back in Shopify's settings for apps."),
    )


def _history(trouble: Trouble) -> tuple[str, str]:
    return (
        gettext("%(step)s could not be read", step=words_for(STEPS, trouble.of)),
        gettext("The history is incomplete. We try again by ourselves."),
    )


def _denied(_: Trouble) -> tuple[str, str]:
    return (
        gettext("Shopify refuses us your orders"),
        gettext("What was sold since then is not counted."),
    )


def _left(trouble: Trouble) -> tuple[str, str]:
    return (
        ngettext(
            "The full count found %(num)s difference that it could not mend",
            "The full count found %(num)s differences that it could not mend",
            trouble.rows,
        ),
        gettext("Our records may not be your store's."),
    )


def _unproved(trouble: Trouble) -> tuple[str, str]:
    if trouble.of == "days":
        title = ngettext(
            "%(num)s day of the last 30 does not add up",
            "%(num)s days of the last 30 do not add up",
            trouble.rows,
        )
    else:
        title = ngettext(
            "%(num)s order is not worth here what Shopify says",
            "%(num)s orders are not worth here what Shopify says",
            trouble.rows,
        )
    return title, gettext("We prove the books every night.")


def _failing(trouble: Trouble) -> tuple[str, str]:
    return (
        gettext("%(kind)s: comparing with Shopify fails", kind=words_for(COMPARED, trouble.of)),
        gettext("Webhooks still arrive; what they miss is not mended meanwhile."),
    )


def _old(trouble: Trouble) -> tuple[str, str]:
    return (
        gettext(
            "%(kind)s: not compared with Shopify for too long",
            kind=words_for(COMPARED, trouble.of),
        ),
        gettext("Webhooks still arrive; what they miss is not mended meanwhile."),
    )


WORDS: Final[dict[What, Callable[[Trouble], tuple[str, str]]]] = {
    What.SCOPE: _scope,
    What.HISTORY: _history,
    What.DENIED: _denied,
    What.LEFT: _left,
    What.UNPROVED: _unproved,
    What.FAILING: _failing,
    What.OLD: _old,
}


def _moment(when: datetime) -> str:
    return formats.moment(when.astimezone(zone()), today())
