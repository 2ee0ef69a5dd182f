"""Rows become open suggestions: read, work out, keep.

    asked for, claimed (`rounds`) --> read inputs --> bring demand up to the day --> work out (no transaction)
        --> states and run kept, open ones replaced --> some held back by lot, with consent
        --> the run's ranges kept, those that are due held against what came

A run that fails, whatever it fails of, is tried again after a wait that doubles; the last good run's suggestions
stay, and other shops' runs go on. A kind that the brake has stopped is not suggested. The inputs are kept with the run, so that
every number on a card can be worked out again (`explain`). One worker a shop: the lease of its due work.
"""

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
    due_work,
    ledgers,
    price_tests,
    shops,
    suggestion_runs,
    suggestions,
)
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.outcome import move_kind
from shopify_app.domain.shop import Shop
from shopify_app.domain.suggestion import NewSuggestion, way_back_of
from shopify_app.errors import NotFoundError
from shopify_app.usecases.decisions import order_receipts
from shopify_app.usecases.history import market_prices
from shopify_app.usecases.outcomes import hold_back as holding_back
from shopify_app.usecases.suggestions import ranges as range_upkeep
from shopify_app.usecases.suggestions.read_inputs import read_inputs

SEED: Final = 0

log = structlog.get_logger()


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
        due_work.forget_failures(conn, shop_id, "suggestions")
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
