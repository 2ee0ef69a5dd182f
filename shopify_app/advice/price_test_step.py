"""What a price test under way has to do on a day, worked out from one reading of it; nothing is read or written.

    every variant:   the merchant edited it, it is gone, its write went wrong      -> it leaves the test
    running test:    its weeks over, prices frozen, too few products left          -> it stops
    a week is over:  what its weeks showed; precise, or too dear, or finished      -> it stops
    prices:          of the day's block; of a product that shows nothing any more, and of a test that has
                     stopped, the regular ones                                     -> into the outbox
    all prices back, or left with the merchant                                     -> it has ended

In:  `PriceTestSnapshot` (`usecases.price_tests.carry_on` reads it). Out: `PriceTestStep` (which saves it, whole or not at all).
No price is compared with the store here: the outbox writes only over the price that the test wrote last, so that an
edit of the merchant's is never overwritten, on the way back neither.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.advice.on_offer import days_on_offer
from shopify_app.advice.shop_weeks import by_week, priced_orders
from shopify_app.analytics.price_tests.experiments import (
    LEAST_PRODUCTS,
    SwitchbackPlan,
    SwitchbackReading,
    evaluate_switchback,
    plan_from,
)
from shopify_app.domain.price_test import (
    LeftReason,
    PriceTest,
    PriceTestState,
    PriceUnderTest,
    StopReason,
)
from shopify_app.domain.shop import ShopSettings
from shopify_app.domain.suggestion import PriceChangeState

IN_FLIGHT: Final = frozenset({PriceChangeState.APPROVED, PriceChangeState.SENDING})
LEFT_BY: Final = {
    PriceChangeState.CONFLICT: LeftReason.CONFLICT,
    PriceChangeState.UNKNOWN: LeftReason.UNKNOWN,
}
UNINSTALLED: Final = "uninstalled"
"""Error code of a write that an uninstall ended: after a reinstall it is tried again."""

AppliedPrice = tuple[int, int, date, Decimal]
"""Product, variant, day in the shop's zone, price: a write of the test that is in the store."""


@dataclass(frozen=True, slots=True)
class SoldInTest:
    """What was sold and in stock in the weeks of a test that are over.

    Attributes
    ----------
    weeks : how many are over, counted from the test's first day
    sales, stock : `domain.frames.DAILY_SALES` and `STOCK_DAYS` of those weeks
    product_of : product of each variant on sale
    applied : every price that the test set, the oldest first
    negotiated : `domain.frames.NEGOTIATED_ORDERS` among the sales; None: none
    """

    weeks: int
    sales: pd.DataFrame
    stock: pd.DataFrame
    product_of: "pd.Series[Any]"
    applied: Sequence[AppliedPrice]
    negotiated: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class PriceTestSnapshot:
    """A test as one transaction saw it.

    Attributes
    ----------
    today : the day in the shop's zone
    prices : every variant of the test, with its newest write
    sold : None if no week is over that has not been read
    """

    today: date
    test: PriceTest
    prices: Sequence[PriceUnderTest]
    settings: ShopSettings
    sold: SoldInTest | None


@dataclass(frozen=True, slots=True)
class PriceTestStep:
    """What is to be done of a test.

    Attributes
    ----------
    leaving : variants whose price the test no longer controls, by why
    reading, weeks_read : what the weeks that are over showed, to be kept
    stop_because : why it stops now, None if it goes on (or has stopped before)
    withdrawn : variants whose block's price is taken back from the outbox, not yet sent
    block : that `to_block` is of
    to_block, to_regular : variant -> price to be asked for
    returned : variants that cost again what they did before
    has_ended : all prices are back or have left
    next_on : the day to look again; None: in a moment, since writes are under way (or never, once it has ended)
    """

    leaving: Mapping[LeftReason, Sequence[int]]
    reading: SwitchbackReading | None
    weeks_read: int
    stop_because: StopReason | None
    withdrawn: Sequence[int] = ()
    block: int | None = None
    to_block: Mapping[int, Decimal] = field(default_factory=dict)
    to_regular: Mapping[int, Decimal] = field(default_factory=dict)
    returned: Sequence[int] = ()
    has_ended: bool = False
    next_on: date | None = None


def next_step(seen: PriceTestSnapshot) -> PriceTestStep:
    """What a test under way has to do on the snapshot's day.

    A step that is done asks for nothing more on the same day: what it wanted is in flight, written or left.
    """
    leaving = _leaving(seen.prices)
    because = {variant: why for why, variants in leaving.items() for variant in variants}
    prices = [
        replace(one, left_because=because.get(one.variant_id, one.left_because))
        for one in seen.prices
    ]
    reading = _reading(seen, prices)
    weeks_read = seen.sold.weeks if seen.sold else seen.test.weeks_read
    stop_because = _stop_because(seen, prices, reading)
    step = PriceTestStep(leaving, reading, weeks_read, stop_because)
    if seen.test.state is PriceTestState.RETURNING or stop_because is not None:
        return _giving_back(step, prices)
    return _alternating_on(step, seen.test, prices, seen.today)


def weeks_to_read(test: PriceTest, zone: tzinfo, today: date) -> int | None:
    """Weeks of a test that are over, None if they were read before.

    What came after a stop was sold at the regular prices, or at both: it shows nothing.
    """
    if test.stopped_at is not None:
        today = min(today, test.stopped_at.astimezone(zone).date())
    weeks = test.weeks_over(today)
    return weeks if weeks > test.weeks_read and test.first_on is not None else None


# ---------------------------------------------------------------- who leaves, and whether it stops


def _leaving(prices: Iterable[PriceUnderTest]) -> dict[LeftReason, list[int]]:
    """Variants in the test whose price it no longer controls, by why."""
    found: dict[LeftReason, list[int]] = defaultdict(list)
    for one in prices:
        if one.is_in_test and (because := _left_because(one)) is not None:
            found[because].append(one.variant_id)
    return dict(found)


def _left_because(one: PriceUnderTest) -> LeftReason | None:
    if one.is_gone or one.change_error_code == "variant_gone":
        return LeftReason.GONE
    if one.was_edited and one.change_state not in IN_FLIGHT:
        return LeftReason.EDITED
    if one.change_state is PriceChangeState.FAILED:
        # A block's price that Shopify refuses is no reason to leave the one before standing: it goes back.
        is_way_back = one.change_block is None and one.change_error_code != UNINSTALLED
        return LeftReason.FAILED if is_way_back else None
    return None if one.change_state is None else LEFT_BY.get(one.change_state)


def _stop_because(
    seen: PriceTestSnapshot, prices: Sequence[PriceUnderTest], reading: SwitchbackReading | None
) -> StopReason | None:
    """Why a running test stops today; what its weeks showed counts last."""
    test, last_on = seen.test, seen.test.last_on
    if test.state is not PriceTestState.RUNNING:
        return None
    if test.weeks_over(seen.today) >= test.weeks:
        return StopReason.FINISHED
    if last_on and seen.settings.freezes_prices(seen.today, last_on):
        return StopReason.FROZEN
    if len(_alternating(prices)) < LEAST_PRODUCTS:
        return StopReason.TOO_FEW_LEFT
    says = reading and reading.stop_because
    return StopReason(says) if says else None


def _alternating(prices: Iterable[PriceUnderTest]) -> set[int]:
    """Products of which the test controls every variant, so that they show something."""
    found: dict[int, bool] = defaultdict(lambda: True)
    for one in prices:
        found[one.product_id] &= one.is_in_test and not _goes_back(one)
    return {product for product, alternates in found.items() if alternates}


def _goes_back(one: PriceUnderTest) -> bool:
    """Whether a variant is on its way back to its regular price, or has to be: its block's price was refused."""
    is_asked_for = one.change_state is not None and one.change_block is None
    return is_asked_for or one.change_state is PriceChangeState.FAILED


# ---------------------------------------------------------------- what its weeks showed


def _reading(seen: PriceTestSnapshot, prices: Sequence[PriceUnderTest]) -> SwitchbackReading | None:
    """What the weeks that are over showed of the products that still alternate; None if there is nothing to read."""
    first_on, sold = seen.test.first_on, seen.sold
    if sold is None or first_on is None:
        return None
    whole, alternating = plan_from(seen.test.plan.as_json()), _alternating(prices)
    kept = tuple(one for one in whole.series if int(one.series_id) in alternating)
    if not kept:
        return None
    plan = replace(whole, series=kept)
    others = other_prices(plan, sold.applied, first_on, sold.weeks)
    return evaluate_switchback(plan, _without(_observed(plan, sold, first_on), others))


def _observed(plan: SwitchbackPlan, sold: SoldInTest, first_on: date) -> pd.DataFrame:
    """Orders and share in stock of tested and comparison products by week of the test."""
    until = first_on + timedelta(weeks=sold.weeks)
    weekly = by_week(sold.sales, days_on_offer(sold.stock, sold.sales), until)
    weekly["orders"] = priced_orders(weekly, sold.negotiated, until)
    product = weekly["variant_id"].map(sold.product_of)
    mine = {*plan.comparison_ids, *(series.series_id for series in plan.series)}
    is_mine = product.notna() & product.fillna(0).astype("int64").astype(str).isin(mine)
    found = weekly[is_mine].assign(
        series_id=product[is_mine].astype("int64").astype(str),
        week=sold.weeks - 1 - weekly.loc[is_mine, "weeks_ago"],
    )
    by_product = found.groupby(["series_id", "week"])
    summed = by_product.agg(units=("orders", "sum"), in_stock=("in_stock", "mean"))
    return _with_last_week(summed.reset_index(), sold.weeks)


def _with_last_week(observed: pd.DataFrame, weeks: int) -> pd.DataFrame:
    """What was observed, with a row in the last week even if nothing sold in it: it is over."""
    if (observed["week"] == weeks - 1).any():
        return observed
    nobody = pd.DataFrame(
        {"series_id": [""], "week": np.array([weeks - 1]), "units": [0.0], "in_stock": [1.0]}
    )
    return pd.concat([observed, nobody], ignore_index=True)


def other_prices(
    plan: SwitchbackPlan, applied: Iterable[AppliedPrice], first_on: date, weeks: int
) -> set[tuple[str, int]]:
    """(product, week) of the weeks that did not have the plan's price from their first day to their last.

    A store that could not be written to for days keeps the block before.
    """
    written: dict[str, dict[int, list[tuple[date, Decimal]]]] = {
        series.series_id: defaultdict(list) for series in plan.series
    }
    for product, variant, day, price in applied:
        if str(product) in written:
            written[str(product)][variant].append((day, price))
    return {
        (series.series_id, week)
        for series in plan.series
        for week in range(weeks)
        if not _has_its_price(
            written[series.series_id].values(),
            Decimal(str(series.price_in(week // plan.block_weeks))),
            first_on + timedelta(weeks=week),
        )
    }


def _has_its_price(
    variants: Collection[Sequence[tuple[date, Decimal]]], planned: Decimal, first: date
) -> bool:
    """Whether every variant of a product stood at a price for the week that begins on a day."""
    last = first + timedelta(days=6)
    for writes in variants:
        before = [price for day, price in writes if day <= first]
        changed = any(first < day <= last for day, _ in writes)
        if changed or not before or before[-1] != planned:
            return False
    return bool(variants)


def _without(observed: pd.DataFrame, others: Collection[tuple[str, int]]) -> pd.DataFrame:
    """What was observed, of weeks at another price nothing: nothing was on offer as the plan has it."""
    if not others:
        return observed
    left_out = pd.DataFrame(sorted(others), columns=["series_id", "week"]).assign(
        units=0.0, in_stock=0.0
    )
    known = pd.MultiIndex.from_frame(observed[["series_id", "week"]])
    kept = observed[~known.isin(pd.MultiIndex.from_frame(left_out[["series_id", "week"]]))]
    return pd.concat([kept, left_out], ignore_index=True)


# ---------------------------------------------------------------- which prices are to be asked for


def _giving_back(step: PriceTestStep, prices: Sequence[PriceUnderTest]) -> PriceTestStep:
    """The step with the regular price for every variant still in the test; it has ended once all have theirs."""
    withdrawn = [one.variant_id for one in prices if _can_be_withdrawn(one)]
    after = [
        replace(one, change_state=PriceChangeState.UNDONE) if _can_be_withdrawn(one) else one
        for one in prices
    ]
    step = replace(_asked_for(step, after, {}), withdrawn=withdrawn)
    return replace(step, has_ended=_is_settled(step, after))


def _can_be_withdrawn(one: PriceUnderTest) -> bool:
    """Whether a block's price waits in the outbox and has never left for the store."""
    is_waiting = one.change_state is PriceChangeState.APPROVED and one.change_sent_at is None
    return is_waiting and one.change_block is not None


def _alternating_on(
    step: PriceTestStep, test: PriceTest, prices: Sequence[PriceUnderTest], today: date
) -> PriceTestStep:
    """The step with the prices of the day's block; a product that shows nothing any more goes back whole."""
    block = test.block_on(today)
    if block is None:  # it has not begun
        return replace(step, next_on=test.first_on or today)
    alternating = _alternating(prices)
    planned = {
        int(one.series_id): Decimal(str(one.price_in(block)))
        for one in plan_from(test.plan.as_json()).series
        if int(one.series_id) in alternating
    }
    step = replace(_asked_for(step, prices, planned), block=block)
    is_done = _is_settled(step, prices)
    return replace(step, next_on=today + timedelta(days=1) if is_done else None)


def _asked_for(
    step: PriceTestStep, prices: Iterable[PriceUnderTest], planned: Mapping[int, Decimal]
) -> PriceTestStep:
    """The step with what each price should be and is not: as planned of its product, else the regular one."""
    to_block: dict[int, Decimal] = {}
    to_regular: dict[int, Decimal] = {}
    returned: list[int] = []
    for one in prices:
        if not one.is_in_test or one.change_state in IN_FLIGHT:
            continue
        price = planned.get(one.product_id)
        if price is None and one.regular_price != one.written_price:
            to_regular[one.variant_id] = one.regular_price
        elif price is None:
            returned.append(one.variant_id)
        elif price != one.written_price:
            to_block[one.variant_id] = price
    return replace(step, to_block=to_block, to_regular=to_regular, returned=returned)


def _is_settled(step: PriceTestStep, prices: Iterable[PriceUnderTest]) -> bool:
    """Whether no write is under way, nor asked for."""
    is_waiting = any(one.is_in_test and one.change_state in IN_FLIGHT for one in prices)
    return not (step.to_block or step.to_regular or is_waiting)
