"""Rows become open suggestions: read, work out, keep.

    asked for, claimed (`rounds`) --> read inputs --> bring demand up to the day --> work out (no transaction)
        --> states and run kept, open ones replaced --> some held back by lot, with consent
        --> the run's ranges kept, those that are due held against what came

A run that fails, whatever it fails of, is tried again after a wait that doubles; the last good run's suggestions
stay, and other shops' runs go on. A kind that the brake has stopped is not suggested. The inputs are kept with the run, so that
every number on a card can be worked out again (`explain`). One worker a shop: the lease of its due work.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.advice import before_tax, work_out
from shopify_app.advice import demand as demand_advice
from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice.inputs import Inputs
from shopify_app.advice.work_out import MODEL_VERSION, Advice
from shopify_app.db import (
    demand_states,
    due_work,
    ledgers,
    price_tests,
    shops,
    suggestion_runs,
    suggestions,
    tax_rates,
)
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.demand_state import DemandFit, DemandState
from shopify_app.domain.evidence import way_back_of
from shopify_app.domain.shop import Shop
from shopify_app.domain.suggestion import NewSuggestion
from shopify_app.errors import NotFoundError
from shopify_app.usecases.decisions import order_receipts
from shopify_app.usecases.history import market_prices
from shopify_app.usecases.outcomes import hold_back as holding_back
from shopify_app.usecases.suggestions import ranges as range_upkeep
from shopify_app.usecases.suggestions.read_inputs import read_inputs
from shopify_app.usecases.suggestions.state import books_of

SEED: Final = 0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A shop as one transaction saw it: the models' inputs, and the demand kept by the run before."""

    shop: Shop
    inputs: Inputs
    fit: DemandFit | None
    states: list[DemandState]


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run worked out: the inputs with demand brought up to the day and their bytes, the demand to be kept, the advice."""

    seed: int
    inputs: Inputs
    demand: tuple[DemandFit, list[DemandState]] | None
    found: Advice
    inputs_bytes: bytes
    inputs_sha256: str


def refresh_suggestions(shop_id: int, *, as_of: date | None = None, seed: int = SEED) -> int | None:
    """Work out one shop's suggestions as of a day (today in the shop's zone); the run's id, None while they are held."""
    with transaction(shop_id) as conn:
        held_by = books_of(conn, shop_id).held_by
    if held_by is not None:
        log.warning("suggestions_held", shop_id=shop_id, what=held_by.what.value, of=held_by.of)
        return None
    seen = _read(shop_id, as_of)
    run = _worked_out(seen, seed)
    return _saved(seen.shop, run)


def _read(shop_id: int, as_of: date | None) -> _Seen:
    """A shop as its models see it, once what only Shopify tells has been asked for."""
    market_prices.read_market_prices(shop_id)
    with transaction(shop_id) as conn:
        shop = _shop(shops.by_id(conn, shop_id), shop_id)
        order_receipts.notice_arrivals(conn, shop)
        inputs = read_inputs(conn, shop, as_of or clock.today(shop))
        fit = demand_states.newest_fit(conn, shop_id)
        goes_on = fit and demand_advice.goes_on(fit, inputs, MODEL_VERSION)
        states = demand_states.states_of(conn, shop_id, fit.closed_on) if fit and goes_on else []
    return _Seen(shop, inputs, fit, states)


def _worked_out(seen: _Seen, seed: int) -> _Run:
    """What the models say of what was read; no transaction is open."""
    standing = demand_advice.brought_up(
        seen.inputs, seen.fit, seen.states, seed=seed, version=MODEL_VERSION
    )
    inputs = replace(seen.inputs, demand=standing[0]) if standing else seen.inputs
    found = work_out.work_out(inputs, seed=seed)
    return _Run(seed, inputs, standing and standing[1:], found, *advice_inputs.to_bytes(inputs))


def _saved(shop: Shop, run: _Run) -> int:
    """The run's id, once it is kept, some of what it opened is held back, and ranges are brought up."""
    with transaction(shop.shop_id) as conn:
        if run.demand:
            demand_states.keep(conn, shop.shop_id, *run.demand)
        tax_rates.keep(conn, shop.shop_id, before_tax.found_rates(run.inputs.variants))
        kept = _without_braked(conn, shop.shop_id, run.found)
        run_id = _recorded(conn, shop, run, braked=len(run.found.suggestions) - len(kept))
        marks = {
            "run_id": run_id,
            "inputs_sha256": run.inputs_sha256,
            "model_version": MODEL_VERSION,
        }
        marked = [replace(one, evidence=one.evidence.with_changes(**marks)) for one in kept]
        opened = suggestions.replace_open(conn, shop.shop_id, run_id, marked)
    holding_back.hold_back(shop.shop_id, run_id=run_id, today=run.inputs.as_of)
    range_upkeep.keep_up(shop, run.inputs)
    with transaction(shop.shop_id) as conn:
        due_work.forget_failures(conn, shop.shop_id, "suggestions")
    log.info(
        "suggestions_refreshed",
        shop_id=shop.shop_id,
        run_id=run_id,
        found=len(run.found.suggestions),
        opened=opened,
        not_sure=run.found.counts.not_sure,
    )
    return run_id


def _recorded(conn: Connection, shop: Shop, run: _Run, *, braked: int) -> int:
    """The id of the run, kept with what it saw, and the price test that it proposes."""
    run_id = suggestion_runs.record(
        conn,
        shop.shop_id,
        as_of=run.inputs.as_of,
        seed=run.seed,
        model_version=MODEL_VERSION,
        inputs=run.inputs_bytes,
        sha256=run.inputs_sha256,
        counts=run.found.counts.with_changes(braked=braked),
        order_budget=run.found.order_budget,
        moves=run.found.moves,
    )
    price_tests.propose(conn, shop.shop_id, run_id, run.found.price_test, currency=shop.currency)
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
        if one.proposal.move not in stopped or way_back_of(one.proposal) is not None
    ]


def _shop(shop: Shop | None, shop_id: int) -> Shop:
    if shop is None:
        raise NotFoundError(f"shop {shop_id}")
    return shop
