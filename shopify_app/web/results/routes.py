"""Results: what decisions brought, losers included; what is measured, held back, stopped; how often ranges held."""

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
from shopify_app.domain.price_test import PriceTestState
from shopify_app.errors import NotFoundError
from shopify_app.usecases.outcomes.measuring import lift_brake
from shopify_app.web.advice_words import answer_with_advice, read_advice
from shopify_app.web.cards.refusals import refused_lines
from shopify_app.web.price_tests.views import price_test_json
from shopify_app.web.price_tests.words import price_test_view
from shopify_app.web.reading import reading, shop, today, wants_json
from shopify_app.web.results.range_words import ranges_view
from shopify_app.web.results.replay_words import replay_view
from shopify_app.web.results.views import (
    brake_json,
    brake_view,
    counts,
    line_json,
    result_line,
    total_view,
    waiting_views,
)

blueprint = Blueprint("results", __name__, url_prefix="/results")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The ledger, as last worked out by the nightly judge, and the price tests."""
    shop_id = shop().shop_id
    with reading() as conn:
        ledger = ledgers.of_shop(conn, shop_id)
        lines = registrations.ledger_lines(conn, shop_id)
        brakes = ledgers.brakes_on(conn, shop_id)
        chosen = measuring_settings.of_shop(conn, shop_id)
        held = calibrations.of_shop(conn, shop_id)
        next_due_on = issued_ranges.next_due_on(conn, shop_id)
        replayed = replay_view(replays.newest(conn, shop_id))
        tests = price_tests.newest(conn, shop_id)
        advice = read_advice(conn)
    shown_tests = [price_test_view(test, today()) for test in tests if test.is_under_way or test.state is PriceTestState.ENDED]  # fmt: skip
    total = total_view(ledger, shop().currency)
    ranges = ranges_view(held, next_due_on)
    shown = [result_line(line) for line in lines]
    done = [view for view in shown if not view.line.is_held_back]
    held_back = [view for view in shown if view.line.is_held_back]
    body = {
        "total": total.figures,
        "total_words": total.title,
        "as_of": ledger.as_of and ledger.as_of.isoformat(),
        "currency": shop().currency,
        "decisions": [line_json(view) for view in done],
        "held_back": [line_json(view) for view in held_back],
        "holdback_share": str(chosen.holdback_share),
        "stopped": [brake_json(brake) for brake in brakes],
        "rulings": ledger.rulings.as_json(),
        "ranges": ranges.figures,
        "ranges_words": ranges.title,
        "next_ranges_due_on": next_due_on and next_due_on.isoformat(),
        "replay": replayed and replayed.figures,
        "replay_words": replayed and replayed.verdict,
        "price_tests": [price_test_json(view) for view in shown_tests],
    }
    return answer_with_advice(
        "results/index.html", body, advice,
        refused=refused_lines(), total=total, ledger=ledger, counts=counts(lines), done=done, held_back=held_back, measuring=chosen,
        ranges=ranges, replayed=replayed, price_tests=shown_tests, brakes=[brake_view(brake) for brake in brakes] + waiting_views(ledger),
    )  # fmt: skip


@blueprint.post("/brakes/<kind>/release")
def create_release(kind: str) -> ResponseReturnValue:
    """Let a stopped kind go on: the merchant's word counts."""
    if not lift_brake(shop().shop_id, kind, lifted_by=g.user_id):
        raise NotFoundError(f"brake {kind}")
    return index() if wants_json() else redirect(url_for(".index"), 303)
