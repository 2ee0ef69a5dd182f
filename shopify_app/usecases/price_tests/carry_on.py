"""A price test under way, carried on: read in one transaction, worked out in none, saved in one.

    due --claim--> load (`PriceTestSnapshot`) --> `advice.price_test_step.next_step` --> save, whole or not at all
        --> due again in a moment while a write is under way, else with the shop's next day

A step is saved only if the test and its prices are still as they were read: a stop, an edit of the merchant's or a
write that came between wins, and the step is worked out anew. The store is asked for nothing here: the outbox
(`price_outbox`) writes what a step asks for.
"""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Final

import structlog

from shopify_app import clock
from shopify_app.advice.price_test_step import (
    PriceTestSnapshot,
    PriceTestStep,
    SoldInTest,
    next_step,
    weeks_to_read,
)
from shopify_app.db import frames, price_tests, shop_settings, shops, tested_prices
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.domain.price_test import PriceTest, PriceTestReading
from shopify_app.domain.shop import Shop
from shopify_app.errors import NotFoundError
from shopify_app.usecases.price_tests.decide import begins
from shopify_app.usecases.rounds import each

TRIES: Final = 3
"""Steps worked out in a row, each overtaken by a change, before it is tried again in a moment."""

log = structlog.get_logger()


class _ChangedMeanwhileError(Exception):
    """The test is not as it was read: nothing of the step is saved."""


def carry_on_due() -> int:
    """Carry every test on that has something to do now; how many."""
    with sweep_transaction() as conn:
        due = price_tests.due_shops(conn)
    return each(due, _carry_on_claimed, of="price_tests")


def _carry_on_claimed(shop_id: int) -> bool:
    with transaction(shop_id) as conn:
        claimed = price_tests.claim(conn, shop_id, lease_seconds=price_tests.LEASE_SECONDS)
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
    tries_left = TRIES
    while True:
        shop, seen = load(shop_id, test_id, today)
        if not seen.test.is_under_way:
            return None
        step = next_step(seen)
        if save(shop, seen, step):
            return _look_again_at(shop, step)
        tries_left -= 1
        if not tries_left:
            return clock.now(shop) + price_tests.SOON


def load(shop_id: int, test_id: int, today: date | None) -> tuple[Shop, PriceTestSnapshot]:
    """A shop and its test as one transaction sees them; sales only if a week is over that has not been read."""
    with transaction(shop_id) as conn:
        shop, found = shops.by_id(conn, shop_id), price_tests.newest(conn, shop_id, test_id=test_id)
        if shop is None or not found:
            raise NotFoundError(f"price test {test_id}")
        day = today or clock.today(shop)
        return shop, PriceTestSnapshot(
            day,
            found[0],
            tested_prices.of_test(conn, shop_id, test_id),
            shop_settings.of_shop(conn, shop_id),
            _sold(conn, shop, found[0], weeks_to_read(found[0], shop.zone, day)),
        )


def _sold(conn: Connection, shop: Shop, test: PriceTest, weeks: int | None) -> SoldInTest | None:
    if weeks is None or test.first_on is None:
        return None
    first, last = test.first_on, test.first_on + timedelta(weeks=weeks, days=-1)
    return SoldInTest(
        weeks,
        frames.daily_sales_between(conn, shop.shop_id, first, last),
        frames.stock_days_between(conn, shop.shop_id, first, last, shop.timezone),
        frames.variants_on_sale(conn, shop.shop_id).set_index("variant_id")["product_id"],
        tested_prices.applied(conn, shop.shop_id, test.id, shop.timezone),
        frames.negotiated_orders_between(conn, shop.shop_id, first, last),
    )


def save(shop: Shop, seen: PriceTestSnapshot, step: PriceTestStep) -> bool:
    """Save a step; False, and nothing is saved, if the test or a price of it has changed since it was read."""
    try:
        with transaction(shop.shop_id) as conn:
            _refuse_changed(conn, shop.shop_id, seen)
            _note(conn, shop.shop_id, seen.test.id, step)
            _set_prices(conn, shop.shop_id, seen.test.id, step)
    except _ChangedMeanwhileError:
        return False
    if step.stop_because is not None:
        log.info(
            "price_test_stops",
            because=step.stop_because.value,
            shop_id=shop.shop_id,
            test_id=seen.test.id,
        )
    if step.has_ended:
        log.info("price_test_ended", shop_id=shop.shop_id, test_id=seen.test.id)
    return True


def _refuse_changed(conn: Connection, shop_id: int, seen: PriceTestSnapshot) -> None:
    """Hold the test until the transaction ends, if it and its prices are as they were read."""
    if price_tests.locked(conn, shop_id, seen.test.id) != seen.test:
        raise _ChangedMeanwhileError
    if tested_prices.of_test(conn, shop_id, seen.test.id) != seen.prices:
        raise _ChangedMeanwhileError


def _note(conn: Connection, shop_id: int, test_id: int, step: PriceTestStep) -> None:
    """Who leaves, what the weeks showed, and whether the test stops."""
    for because, variants in step.leaving.items():
        tested_prices.leave(conn, shop_id, test_id, variants, because)
    if step.reading is not None:
        reading = PriceTestReading.of_json(asdict(step.reading))
        price_tests.keep_reading(conn, shop_id, test_id, reading, weeks_read=step.weeks_read)
    if step.stop_because is not None:
        price_tests.stop(conn, shop_id, step.stop_because, by="keel", test_id=test_id)


def _set_prices(conn: Connection, shop_id: int, test_id: int, step: PriceTestStep) -> None:
    """Take back what has not left, ask for the prices of the day, end a test that has all of its own again."""
    if step.withdrawn:
        withdrawn = tested_prices.withdraw_waiting(conn, shop_id, test_id)
        if withdrawn != len(step.withdrawn):  # the outbox took one since
            raise _ChangedMeanwhileError
    tested_prices.mark_returned(conn, shop_id, test_id, step.returned)
    for wanted, block in ((step.to_block, step.block), (step.to_regular, None)):
        if wanted:
            tested_prices.queue_writes(conn, shop_id, test_id, wanted, block=block, by="keel")
    if step.has_ended:
        price_tests.end(conn, shop_id, test_id)


def _look_again_at(shop: Shop, step: PriceTestStep) -> datetime | None:
    if step.has_ended:
        return None
    return (
        clock.now(shop) + price_tests.SOON if step.next_on is None else begins(shop, step.next_on)
    )
