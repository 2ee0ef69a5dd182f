"""Home: today's decisions, what was decided, how far the data can be trusted."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import ledgers, pages, price_history, proofs, sales_reports, suggestions
from shopify_app.db.connection import Connection
from shopify_app.db.pages import DataHealth, DecisionCounts, LatestRun, OpenCounts
from shopify_app.db.sales_reports import SalesReport
from shopify_app.domain.shop import ShopState
from shopify_app.usecases.history import proof
from shopify_app.usecases.history.proof import Proved
from shopify_app.web.advice_words import AdviceView, answer_with_advice, read_advice
from shopify_app.web.books_words import TroubleView, count_words, report_words, trouble_views
from shopify_app.web.cards.kinds import KINDS
from shopify_app.web.cards.views import CardView, card_view
from shopify_app.web.json_twin import Told, as_json, attributes, picked
from shopify_app.web.reading import chosen, reading, shop, today, zone
from shopify_app.web.results.views import Total, total_view
from shopify_app.web.wording import NOT_SURE, listed

SHOWN_FIRST = 5
"""Decisions a merchant sees before unfolding the rest."""

SHOWN_AT_MOST = 15
"""Decisions on Home; the smaller ones wait on their own pages."""

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True, slots=True)
class Beyond:
    """Decisions of one kind that have a page of their own."""

    href: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Coming:
    """The days on which no price changes."""

    prices_frozen_first: date | None
    prices_frozen_last: date | None


@dataclass(frozen=True, slots=True)
class HomePage:
    """Today's decisions, and what they rest on."""

    today: Told[date]
    suggestions: Told[list[CardView]]
    """Those that wait, the most worth deciding first."""
    decided: Told[list[CardView]]
    counts: Annotated[OpenCounts, attributes("open", "urgent")]
    run: Told[LatestRun | None]
    data_health: Told[DataHealth]
    troubles: Told[list[TroubleView]]
    """What is wrong with the books, the worst first."""
    counted: Told[str]
    """When everything was last counted, in words."""
    sales_report: Told[SalesReport | None]
    """Our net sales beside Shopify's own figure."""
    proof: Proved | None
    coming: Told[Coming]
    advice: Told[AdviceView]
    results: DecisionCounts
    total: Total
    """What accepted decisions have brought, as last worked out."""
    everything: dict[str, Any] | None
    needs_open: bool

    @property
    def report_words(self) -> str:
        """The same in words."""
        return report_words(self.sales_report)

    @property
    def first(self) -> list[CardView]:
        """The decisions that are seen at once."""
        return self.suggestions[:SHOWN_FIRST]

    @property
    def folded(self) -> list[CardView]:
        """The decisions to unfold."""
        return self.suggestions[SHOWN_FIRST:SHOWN_AT_MOST]

    @property
    def beyond(self) -> list[Beyond]:
        """How many of each kind are not on Home."""
        kinds = Counter(view.card.kind for view in self.suggestions[SHOWN_AT_MOST:])
        return [
            Beyond(shown.page.href, str(shown.page.label), kinds[kind])
            for kind, shown in KINDS.items()
            if kinds[kind]
        ]


@as_json.register
def _(report: SalesReport) -> dict[str, Any]:
    return {
        **picked(report, "first_on", "last_on", "currency", "our_net", "their_net", "days_apart"),
        "gap": as_json(report.gap),
        "compared_at": as_json(report.compared_at),
    }


@as_json.register
def _(run: LatestRun) -> dict[str, Any]:
    return picked(run, "as_of", "counts")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Today's decisions, the most worth deciding first."""
    with reading() as conn:
        page = _read(conn)
    return answer_with_advice("home/index.html", page)


def _read(conn: Connection) -> HomePage:
    shop_id = shop().shop_id
    midnight = datetime.combine(today(), time.min, zone())
    advice = read_advice(conn)
    waiting = suggestions.cards(conn, shop_id)
    decided = suggestions.decided_cards(conn, shop_id, since=midnight)
    fixed = price_history.fixed_prices(conn, shop_id, [c.variant_id for c in (*waiting, *decided)])
    return HomePage(
        today=today(),
        suggestions=[card_view(card, today(), fixed) for card in waiting],
        decided=[card_view(card, today(), fixed) for card in decided],
        counts=pages.open_counts(conn, shop_id),
        run=advice.state.run,
        data_health=pages.data_health(conn, shop_id),
        troubles=trouble_views(advice.state.books),
        counted=count_words(advice.state.books.full_count),
        sales_report=sales_reports.newest(conn, shop_id),
        proof=proof.newest_of(proofs.newest(conn, shop_id)),
        coming=Coming(chosen().prices_frozen_first, chosen().prices_frozen_last),
        advice=advice,
        results=pages.decision_counts(conn, shop_id, midnight - timedelta(days=90)),
        total=total_view(ledgers.of_shop(conn, shop_id), shop().currency),
        everything=everything(advice),
        needs_open=shop().state is ShopState.NEEDS_OPEN,
    )


def everything(advice: AdviceView) -> dict[str, Any] | None:
    """The quiet line: variants looked at, those without a suggestion; prices and stocks we could not judge, and why.

    The last may be of variants with or without a suggestion: it is no part of either number.
    """
    run = advice.state.run
    if run is None or advice.is_passing or not run.counts.looked_at:
        return None
    not_sure = run.counts.not_sure
    reasons = sorted(not_sure, key=lambda reason: not_sure[reason], reverse=True)
    return {
        "looked_at": run.counts.looked_at,
        "need_nothing": run.counts.need_nothing,
        "not_sure": sum(not_sure.values()),
        "reasons": listed(reasons[:3], NOT_SURE),
    }
