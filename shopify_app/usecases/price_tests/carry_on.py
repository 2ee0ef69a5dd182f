"""A price test under way: its prices block by block, what it shows week by week, its prices given back.

    due --claim--> running:   whose price is not the test's any more leaves
                              a week is over: read what came; precise, too dear or finished: stop
                              a block begins: its prices into the outbox (`price_outbox` writes them)
                   returning: the regular prices into the outbox; all back or left: ended
        --> due again in a moment while a write is under way, else with the shop's next day

The store is asked for nothing here, and no price is compared: the outbox writes only over the price that the test
wrote last, so that an edit of the merchant's is never overwritten, on the way back neither.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
import structlog

from shopify_app.advice.shop_weeks import by_week
from shopify_app.analytics.price_tests.experiments import (
    SwitchbackPlan,
    evaluate_switchback,
    plan_from,
)
from shopify_app.db import frames, price_tests, shop_settings, shops
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.domain.price_test import (
    LeftReason,
    PriceTest,
    PriceTestState,
    PriceUnderTest,
    StopReason,
)
from shopify_app.domain.shop import Shop
from shopify_app.domain.suggestion import PriceChangeState
from shopify_app.errors import NotFoundError
from shopify_app.usecases.price_tests.decide import LEAST_PRODUCTS, begins
from shopify_app.usecases.rounds import each

LEASE_SECONDS: Final = 300
SOON: Final = timedelta(seconds=30)
"""While a write is under way."""

IN_FLIGHT: Final = frozenset({PriceChangeState.APPROVED, PriceChangeState.SENDING})
LEFT_BY: Final = {
    PriceChangeState.CONFLICT: LeftReason.CONFLICT,
    PriceChangeState.UNKNOWN: LeftReason.UNKNOWN,
}
UNINSTALLED: Final = "uninstalled"
"""The error code of a write that an uninstall ended: after a reinstall it is tried again."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be written of a test now: variant -> price, of a block (None: the regular prices), and what still flies."""

    block: dict[int, Decimal]
    back: dict[int, Decimal]
    there: list[int]
    """Variants that are to cost what they did before, and do."""
    waits: bool


def carry_on_due() -> int:
    """Carry every test on that has something to do now; how many."""
    with sweep_transaction() as conn:
        due = price_tests.due_shops(conn)
    return each(due, _carry_on_claimed, of="price_tests")


def _carry_on_claimed(shop_id: int) -> bool:
    with transaction(shop_id) as conn:
        claimed = price_tests.claim(conn, shop_id, lease_seconds=LEASE_SECONDS)
    if claimed is None:
        return False
    test_id, until = claimed
    next_at = carry_on(shop_id, test_id)
    if next_at is not None:
        with transaction(shop_id) as conn:
            price_tests.finish(conn, shop_id, test_id, claimed_until=until, due_at=next_at)
    return True


def carry_on(shop_id: int, test_id: int, *, today: date | None = None) -> datetime | None:
    """Do what a test has to do on a day of its shop (today); when to look again, None once it has ended.

    Raises
    ------
    NotFoundError
        If this shop has no such test.
    """
    shop, test = _known(shop_id, test_id)
    day = today or datetime.now(UTC).astimezone(shop.zone).date()
    _let_leave(shop_id, test_id)
    if test.state is PriceTestState.RUNNING:
        _stop_if_over(shop, test, day)
    _read(shop, test, day)
    return _set_prices(shop, test_id, day)


def _known(shop_id: int, test_id: int) -> tuple[Shop, PriceTest]:
    with transaction(shop_id) as conn:
        shop, found = shops.by_id(conn, shop_id), price_tests.newest(conn, shop_id, test_id=test_id)
    if shop is None or not found:
        raise NotFoundError(f"price test {test_id}")
    return shop, found[0]


def _let_leave(shop_id: int, test_id: int) -> None:
    """Note whose price is not the test's to set any more."""
    with transaction(shop_id) as conn:
        leaving: dict[LeftReason, list[int]] = defaultdict(list)
        for one in price_tests.prices(conn, shop_id, test_id):
            if one.is_in_test and (because := _left_because(one)) is not None:
                leaving[because].append(one.variant_id)
        for because, variants in leaving.items():
            price_tests.leave(conn, shop_id, test_id, variants, because)


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


def _stop_if_over(shop: Shop, test: PriceTest, day: date) -> None:
    """Stop where the weeks are over, prices will be frozen, or too few products are left."""
    with transaction(shop.shop_id) as conn:
        because = _over_because(conn, shop, test, day)
        if because is not None:
            _stop(conn, shop.shop_id, test.id, because)


def _over_because(conn: Connection, shop: Shop, test: PriceTest, day: date) -> StopReason | None:
    if test.weeks_over(day) >= test.weeks:
        return StopReason.FINISHED
    if test.last_on and shop_settings.of_shop(conn, shop.shop_id).freezes_prices(day, test.last_on):
        return StopReason.FROZEN
    rows = price_tests.prices(conn, shop.shop_id, test.id)
    few = len(_still_alternating(rows)) < LEAST_PRODUCTS
    return StopReason.TOO_FEW_LEFT if few else None


def _stop(conn: Connection, shop_id: int, test_id: int, because: StopReason) -> None:
    if price_tests.stop(conn, shop_id, because, by="keel", test_id=test_id):
        log.info("price_test_stops", shop_id=shop_id, test_id=test_id, because=because.value)


def _still_alternating(rows: Iterable[PriceUnderTest]) -> set[int]:
    """Products of which every variant is as the test wants it, so that they tell something."""
    known: dict[int, bool] = defaultdict(lambda: True)
    for one in rows:
        known[one.product_id] &= one.is_in_test and not _goes_back(one)
    return {product for product, tells in known.items() if tells}


def _goes_back(one: PriceUnderTest) -> bool:
    """Whether a variant is on its way back to its regular price, or has to be: its block's price was refused."""
    is_asked_for = one.change_state is not None and one.change_block is None
    return is_asked_for or one.change_state is PriceChangeState.FAILED


def _read(shop: Shop, test: PriceTest, day: date) -> None:
    """Read the weeks that are over, if one is since the last time, and stop if that says so.

    What came after a stop was sold at the regular prices, or at both.
    """
    if test.stopped_at is not None:
        day = min(day, test.stopped_at.astimezone(shop.zone).date())
    weeks = test.weeks_over(day)
    if weeks <= test.weeks_read or test.first_on is None:
        return
    with transaction(shop.shop_id) as conn:
        rows = price_tests.prices(conn, shop.shop_id, test.id)
        plan = _plan_of(test, _still_alternating(rows))
        if not plan.series:
            return
        observed = _observed(conn, shop, plan, test.first_on, weeks)
        applied = price_tests.applied_prices(conn, shop.shop_id, test.id, shop.timezone)
    observed = _without_other_prices(observed, other_prices(plan, applied, test.first_on, weeks))
    reading = evaluate_switchback(plan, observed)
    with transaction(shop.shop_id) as conn:
        price_tests.keep_reading(conn, shop.shop_id, test.id, asdict(reading), weeks_read=weeks)
        if reading.stop_because is not None:
            _stop(conn, shop.shop_id, test.id, StopReason(reading.stop_because))


def _plan_of(test: PriceTest, kept: set[int]) -> SwitchbackPlan:
    plan = plan_from(test.plan)
    return replace(
        plan, series=tuple(series for series in plan.series if int(series.series_id) in kept)
    )


def _observed(
    conn: Connection, shop: Shop, plan: SwitchbackPlan, first_on: date, weeks: int
) -> pd.DataFrame:
    """Orders and shelves of tested and comparison products by week of the test."""
    end = first_on + timedelta(weeks=weeks)
    last = end - timedelta(days=1)
    sales = frames.daily_sales_between(conn, shop.shop_id, first_on, last)
    stock = frames.stock_days_between(conn, shop.shop_id, first_on, last, shop.timezone)
    variants = frames.variants_on_sale(conn, shop.shop_id).set_index("variant_id")["product_id"]
    weekly = by_week(sales, stock, end)
    product = weekly["variant_id"].map(variants)
    mine = {*plan.comparison_ids, *(series.series_id for series in plan.series)}
    is_mine = product.notna() & product.fillna(0).astype("int64").astype(str).isin(mine)
    found = weekly[is_mine].assign(
        series_id=product[is_mine].astype("int64").astype(str),
        week=weeks - 1 - weekly.loc[is_mine, "weeks_ago"],
    )
    summed = found.groupby(["series_id", "week"]).agg(units=("orders", "sum"), in_stock=("in_stock", "mean"))  # fmt: skip
    return _with_every_week(summed.reset_index(), weeks)


def other_prices(
    plan: SwitchbackPlan,
    applied: Sequence[tuple[int, int, date, Decimal]],
    first_on: date,
    weeks: int,
) -> set[tuple[str, int]]:
    """(product, week) of the weeks that did not have the plan's price from their first day to their last.

    A store that could not be written to for days keeps the block before.
    """
    written: dict[str, dict[int, list[tuple[date, Decimal]]]] = defaultdict(lambda: defaultdict(list))  # fmt: skip
    for product, variant, day, price in applied:
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


def _without_other_prices(
    observed: pd.DataFrame, others: Collection[tuple[str, int]]
) -> pd.DataFrame:
    """Weeks at another price say nothing: nothing was on offer as the plan has it."""
    if not others:
        return observed
    left_out = pd.DataFrame(sorted(others), columns=["series_id", "week"]).assign(
        units=0.0, in_stock=0.0
    )
    known = pd.MultiIndex.from_frame(observed[["series_id", "week"]])
    kept = observed[~known.isin(pd.MultiIndex.from_frame(left_out[["series_id", "week"]]))]
    return pd.concat([kept, left_out], ignore_index=True)


def _with_every_week(observed: pd.DataFrame, weeks: int) -> pd.DataFrame:
    """A week counts even if nothing sold in it: it is over."""
    if not weeks or (observed["week"] == weeks - 1).any():
        return observed
    nobody = pd.DataFrame(
        {"series_id": [""], "week": np.array([weeks - 1]), "units": [0.0], "in_stock": [1.0]}
    )
    return pd.concat([observed, nobody], ignore_index=True)


def _set_prices(shop: Shop, test_id: int, day: date) -> datetime | None:
    """Ask for the prices of the day that are not there yet; when to look again."""
    with transaction(shop.shop_id) as conn:
        test = price_tests.locked(conn, shop.shop_id, test_id)
        if test is None or not test.is_under_way:
            return None
        is_returning = test.state is PriceTestState.RETURNING
        if is_returning:
            price_tests.withdraw_waiting(conn, shop.shop_id, test_id)
        block = None if is_returning else test.block_on(day)
        if block is None and not is_returning:
            return begins(shop, test.first_on or day)
        rows = price_tests.prices(conn, shop.shop_id, test_id)
        wanted = _wanted(test, rows, block)
        _ask_for(conn, shop.shop_id, test_id, wanted, block)
        is_done = not (wanted.block or wanted.back or wanted.waits)
        if is_returning and is_done and price_tests.end(conn, shop.shop_id, test_id):
            log.info("price_test_ended", shop_id=shop.shop_id, test_id=test_id)
            return None
    return begins(shop, day + timedelta(days=1)) if is_done else datetime.now(UTC) + SOON


def _wanted(test: PriceTest, rows: Sequence[PriceUnderTest], block: int | None) -> _Wanted:
    """What each price under test should be, and is not; products that tell nothing any more go back."""
    planned = _prices_in(test.plan, block) if block is not None else {}
    alternating = _still_alternating(rows) if block is not None else set[int]()
    found = _Wanted(
        {}, {}, [], any(one.is_in_test and one.change_state in IN_FLIGHT for one in rows)
    )
    for one in rows:
        if not one.is_in_test or one.change_state in IN_FLIGHT:
            continue
        is_back = one.product_id not in alternating
        price = one.regular_price if is_back else planned[one.product_id]
        if price != one.written_price:
            (found.back if is_back else found.block)[one.variant_id] = price
        elif is_back:
            found.there.append(one.variant_id)
    return found


def _prices_in(plan: dict[str, Any], block: int) -> dict[int, Decimal]:
    series = plan_from(plan).series
    return {int(one.series_id): Decimal(str(one.price_in(block))) for one in series}


def _ask_for(
    conn: Connection, shop_id: int, test_id: int, wanted: _Wanted, block: int | None
) -> None:
    price_tests.mark_returned(conn, shop_id, test_id, wanted.there)
    if wanted.block:
        price_tests.queue_writes(conn, shop_id, test_id, wanted.block, block=block, by="keel")
    if wanted.back:
        price_tests.queue_writes(conn, shop_id, test_id, wanted.back, block=None, by="keel")
