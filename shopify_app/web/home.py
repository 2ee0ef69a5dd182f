"""Home: today's decisions, what was decided, how far the data can be trusted."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from shopify_app.db import ledgers, pages, price_history, suggestions
from shopify_app.db.connection import Connection
from shopify_app.db.pages import DataHealth, DecisionCounts, LatestRun, OpenCounts
from shopify_app.domain.shop import ShopSettings, ShopState
from shopify_app.web.advice_words import AdviceView, answer_with_advice, read_advice
from shopify_app.web.cards.kinds import KINDS
from shopify_app.web.cards.views import CardView, card_json, card_view
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
class Home:
    """Everything of the page."""

    waiting: list[CardView]
    decided: list[CardView]
    counts: OpenCounts
    results: DecisionCounts
    health: DataHealth
    run: LatestRun | None
    total: Total
    """What accepted decisions have brought, as last worked out."""
    advice: AdviceView
    needs_open: bool

    @property
    def beyond(self) -> list["Beyond"]:
        """How many of each kind are not on Home."""
        kinds = Counter(view.card.kind for view in self.waiting[SHOWN_AT_MOST:])
        return [
            Beyond(shown.page.href, str(shown.page.label), kinds[kind])
            for kind, shown in KINDS.items()
            if kinds[kind]
        ]


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Today's decisions, the most worth deciding first."""
    with reading() as conn:
        home = _read_home(conn)
        settings = chosen()
    return answer_with_advice(
        "home/index.html",
        _as_json(home, settings),
        home.advice,
        home=home,
        shown_at_most=SHOWN_AT_MOST,
        everything=everything(home.advice),
    )


def _read_home(conn: Connection) -> Home:
    shop_id = shop().shop_id
    midnight = datetime.combine(today(), time.min, zone())
    advice = read_advice(conn)
    waiting = suggestions.cards(conn, shop_id)
    decided = suggestions.decided_cards(conn, shop_id, since=midnight)
    fixed = price_history.fixed_prices(conn, shop_id, [c.variant_id for c in (*waiting, *decided)])
    return Home(
        waiting=[card_view(card, today(), fixed) for card in waiting],
        decided=[card_view(card, today(), fixed) for card in decided],
        counts=pages.open_counts(conn, shop_id),
        results=pages.decision_counts(conn, shop_id, midnight - timedelta(days=90)),
        health=pages.data_health(conn, shop_id),
        run=advice.state.run,
        total=total_view(ledgers.of_shop(conn, shop_id), shop().currency),
        advice=advice,
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


def _as_json(home: Home, settings: ShopSettings) -> dict[str, Any]:
    first, last = settings.prices_frozen_first, settings.prices_frozen_last
    health = home.health
    return {
        "today": today().isoformat(),
        "suggestions": [card_json(view) for view in home.waiting],
        "decided": [card_json(view) for view in home.decided],
        "open": home.counts.open,
        "urgent": home.counts.urgent,
        "run": home.run
        and {"as_of": home.run.as_of.isoformat(), "counts": home.run.counts.as_json()},
        "data_health": {
            "orders_until": health.orders_until and health.orders_until.isoformat(),
            "variants_followed": health.variants_followed,
            "variants_without_cost": health.variants_without_cost,
            "reconciled_at": health.reconciled_at and health.reconciled_at.isoformat(),
            "healed_rows": health.healed_rows,
        },
        "coming": {
            "prices_frozen_first": first and first.isoformat(),
            "prices_frozen_last": last and last.isoformat(),
        },
    }
