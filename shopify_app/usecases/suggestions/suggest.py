"""Rows become open suggestions: read, work out, keep.

    refresh request --claim--> read inputs --> bring demand up to the day --> work out (no transaction)
        --> states and run kept, open ones replaced --> some held back by lot, with consent
        --> the run's ranges kept, those that are due held against what came

A run that fails, whatever it fails of, is kept with its request and tried again after a wait that doubles; the last
good run's suggestions stay, and other shops' runs go on. A kind that the brake has stopped is not suggested. The inputs are kept with the run, so that
every number on a card can be worked out again (`explain`). One worker a shop: the request's lease.
"""

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

import structlog

from shopify_app.advice import demand as demand_advice
from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice import work_out
from shopify_app.advice.work_out import MODEL_VERSION, Advice
from shopify_app.db import (
    demand_states,
    ledgers,
    price_tests,
    refresh_requests,
    shops,
    suggestion_runs,
    suggestions,
)
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.domain.outcome import move_kind
from shopify_app.domain.shop import Shop
from shopify_app.domain.suggestion import NewSuggestion, way_back_of
from shopify_app.errors import NotFoundError
from shopify_app.usecases.decisions import order_receipts
from shopify_app.usecases.history import market_prices
from shopify_app.usecases.outcomes import hold_back as holding_back
from shopify_app.usecases.suggestions import ranges as range_upkeep
from shopify_app.usecases.suggestions.read_inputs import read_inputs

LEASE_SECONDS: Final = 900
SEED: Final = 0

ROUND_SECONDS: Final = 600
"""No further shop is begun after that long in one round: the next one takes the rest, well within a task's time."""

log = structlog.get_logger()


def refresh_due_suggestions() -> int:
    """Work out the suggestions of every shop whose refresh is due; of how many shops that went well."""
    with sweep_transaction() as conn:
        due = refresh_requests.due_shops(conn)
    begun = time.monotonic()
    return sum(_refresh_claimed(shop) for shop in due if time.monotonic() - begun < ROUND_SECONDS)


def _refresh_claimed(shop_id: int) -> bool:
    with transaction(shop_id) as conn:
        asked_at = refresh_requests.claim(conn, shop_id, lease_seconds=LEASE_SECONDS)
    if asked_at is None:
        return False
    try:
        refresh_suggestions(shop_id)
    except Exception as error:  # noqa: BLE001 -- kept, shown and tried again; other shops' runs go on
        _keep_failure(shop_id, error)
        return False
    with transaction(shop_id) as conn:
        refresh_requests.finish(conn, shop_id, asked_at)
    return True


def _keep_failure(shop_id: int, error: Exception) -> None:
    with transaction(shop_id) as conn:
        failed = refresh_requests.fail(conn, shop_id, error_type=type(error).__name__)
    log.error(
        "suggestions_failed",
        shop_id=shop_id,
        error_type=type(error).__name__,
        attempts=failed and failed.attempts,
        exc_info=error,
    )


def refresh_suggestions(shop_id: int, *, as_of: date | None = None, seed: int = SEED) -> int:
    """Work out one shop's suggestions as of a day (today in the shop's zone); the run's id."""
    market_prices.read_market_prices(shop_id)
    with transaction(shop_id) as conn:
        shop = _shop(shops.by_id(conn, shop_id), shop_id)
        order_receipts.notice_arrivals(conn, shop)
        inputs = read_inputs(conn, shop, as_of or datetime.now(UTC).astimezone(shop.zone).date())
        fit = demand_states.newest_fit(conn, shop_id)
        goes_on = fit and demand_advice.goes_on(fit, inputs, MODEL_VERSION)
        states = demand_states.states_of(conn, shop_id, fit.closed_on) if fit and goes_on else []
    standing = demand_advice.brought_up(inputs, fit, states, seed=seed, version=MODEL_VERSION)
    if standing:
        inputs = replace(inputs, demand=standing[0])
    found = work_out.work_out(inputs, seed=seed)
    snapshot, sha256 = advice_inputs.to_bytes(inputs)
    with transaction(shop_id) as conn:
        if standing:
            demand_states.keep(conn, shop_id, *standing[1:])
        kept = _without_braked(conn, shop_id, found)
        run_id = suggestion_runs.record(
            conn,
            shop_id,
            as_of=inputs.as_of,
            seed=seed,
            model_version=MODEL_VERSION,
            inputs=snapshot,
            sha256=sha256,
            counts=found.counts | {"braked": len(found.suggestions) - len(kept)},
            order_budget=found.order_budget,
            moves=found.moves,
        )
        price_tests.propose(conn, shop_id, run_id, found.price_test, currency=shop.currency)
        for one in kept:
            one.evidence.update(run_id=run_id, inputs_sha256=sha256, model_version=MODEL_VERSION)
        opened = suggestions.replace_open(conn, shop_id, run_id, kept)
    holding_back.hold_back(shop_id, run_id=run_id, today=inputs.as_of)
    range_upkeep.keep_up(shop, inputs)
    with transaction(shop_id) as conn:
        refresh_requests.forget_failures(conn, shop_id)
    log.info(
        "suggestions_refreshed",
        shop_id=shop_id,
        run_id=run_id,
        found=len(found.suggestions),
        opened=opened,
        not_sure=found.counts["not_sure"],
    )
    return run_id


def _without_braked(conn: Connection, shop_id: int, found: Advice) -> list[NewSuggestion]:
    """What may be suggested: kinds that lost money in this shop stay away.

    A kind that has only begun to lose, or whose open decisions come near the cap, waits. A way back is no bet.
    """
    stopped = {brake.kind for brake in ledgers.brakes_on(conn, shop_id)}
    stopped |= set(ledgers.of_shop(conn, shop_id).waiting)
    return [
        one
        for one in found.suggestions
        if move_kind(one.kind.value, one.proposal) not in stopped
        or way_back_of(one.proposal) is not None
    ]


def _shop(shop: Shop | None, shop_id: int) -> Shop:
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    return shop
