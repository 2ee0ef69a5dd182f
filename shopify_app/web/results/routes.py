"""Results: what decisions brought, losers included; what is measured, held back, stopped; how often ranges held."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from flask import Blueprint, g, redirect, url_for
from flask.typing import ResponseReturnValue

from shopify_app.db import (
    calibrations,
    issued_ranges,
    ledgers,
    measuring_settings,
    price_tests,
    registrations,
    replays,
)
from shopify_app.db.connection import Connection
from shopify_app.domain.outcome import Rulings
from shopify_app.domain.price_test import PriceTestState
from shopify_app.errors import NotFoundError
from shopify_app.usecases.outcomes.measuring import lift_brake
from shopify_app.web.advice_words import AdviceView, answer_with_advice, read_advice
from shopify_app.web.cards.refusals import refused_lines
from shopify_app.web.json_twin import Told, attribute
from shopify_app.web.price_tests.words import PriceTestView, price_test_view
from shopify_app.web.reading import reading, shop, today, wants_json
from shopify_app.web.results.range_words import RangesView, ranges_view
from shopify_app.web.results.replay_words import ReplayView, replay_view
from shopify_app.web.results.views import (
    BrakeView,
    ResultLine,
    Total,
    brake_view,
    counts,
    result_line,
    total_view,
    waiting_views,
)

blueprint = Blueprint("results", __name__, url_prefix="/results")


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """The ledger, as last worked out by the nightly judge, and the price tests."""

    total: Annotated[Total, attribute("figures"), attribute("title", "total_words")]
    as_of: Told[date | None]
    currency: Told[str]
    decisions: Told[list[ResultLine]]
    held_back: Told[list[ResultLine]]
    holdback_share: Told[Decimal]
    stopped: Told[list[BrakeView]]
    rulings: Told[Rulings]
    ranges: Annotated[RangesView, attribute("figures"), attribute("title", "ranges_words")]
    next_ranges_due_on: Told[date | None]
    replay: Annotated[ReplayView | None, attribute("figures"), attribute("verdict", "replay_words")]
    price_tests: Told[list[PriceTestView]]
    advice: Told[AdviceView]
    worked_out_at: datetime | None
    waiting: list[BrakeView]
    counts: list[tuple[str, str]]
    refused: list[tuple[int, str]]

    @property
    def brakes(self) -> list[BrakeView]:
        """Kinds that are stopped, and those that wait."""
        return self.stopped + self.waiting


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The ledger, as last worked out by the nightly judge, and the price tests."""
    with reading() as conn:
        page = _read(conn)
    return answer_with_advice("results/index.html", page)


def _read(conn: Connection) -> ResultsPage:
    shop_id, currency = shop().shop_id, shop().currency
    ledger = ledgers.of_shop(conn, shop_id)
    lines = registrations.ledger_lines(conn, shop_id)
    shown = [result_line(line) for line in lines]
    next_due_on = issued_ranges.next_due_on(conn, shop_id)
    return ResultsPage(
        total=total_view(ledger, currency),
        as_of=ledger.as_of,
        currency=currency,
        decisions=[view for view in shown if not view.line.is_held_back],
        held_back=[view for view in shown if view.line.is_held_back],
        holdback_share=measuring_settings.of_shop(conn, shop_id).holdback_share,
        stopped=[brake_view(brake) for brake in ledgers.brakes_on(conn, shop_id)],
        rulings=ledger.rulings,
        ranges=ranges_view(calibrations.of_shop(conn, shop_id), next_due_on),
        next_ranges_due_on=next_due_on,
        replay=replay_view(replays.newest(conn, shop_id)),
        price_tests=[
            price_test_view(test, today())
            for test in price_tests.newest(conn, shop_id)
            if test.is_under_way or test.state is PriceTestState.ENDED
        ],
        advice=read_advice(conn),
        worked_out_at=ledger.worked_out_at,
        waiting=waiting_views(ledger),
        counts=counts(lines),
        refused=refused_lines(),
    )


@blueprint.post("/brakes/<kind>/release")
def create_release(kind: str) -> ResponseReturnValue:
    """Let a stopped kind go on: the merchant's word counts."""
    if not lift_brake(shop().shop_id, kind, lifted_by=g.user_id):
        raise NotFoundError(f"brake {kind}")
    return index() if wants_json() else redirect(url_for(".index"), 303)
