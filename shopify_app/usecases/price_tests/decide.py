r"""A merchant decides on a price test: start, decline, stop.

    proposed (by a run of suggestions) --start--> running --stop--> returning --> ended
            \--decline--> declined

Starting only keeps what every price was and says when the first block begins; `carry_on` sets the prices block by
block, reads what came, and gives the prices back. What is agreed to is held against the shop as it is now: its limits,
its frozen days, what may be lost, and whether the prices are still those that the test was planned with.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from shopify_app import clock
from shopify_app.db import (
    due_work,
    exposure,
    measuring_settings,
    price_tests,
    shop_settings,
    shops,
    tested_prices,
)
from shopify_app.db.connection import Connection, transaction
from shopify_app.db.tested_prices import PriceNow
from shopify_app.domain.price_test import PriceTest, PriceTestState, StopReason, TestedSeries
from shopify_app.domain.shop import Shop, ShopSettings
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.outcomes.risk import at_risk, loss_cap, share_of_sales

LEAST_PRODUCTS: Final = 10
"""Under test; fewer leave what weeks have in common to chance."""

LEAST_UNCHANGED: Final = 0.8
"""Share of the products proposed with that must still be as they were: the rest is left out."""

BEGINS_AT: Final = time(0, 5)
"""Of the shop's day: a block begins just after midnight."""


def start(shop_id: int, test_id: int, *, started_by: str) -> None:
    """Agree to a proposed test; its first block begins with the shop's next day.

    Raises
    ------
    NotFoundError
        If this shop has no such proposal (any more).
    InvalidInputError
        If another test is under way (`field`: price_test_under_way), frozen days lie within it (prices_frozen), it may
        lose more than is left to lose (loss_cap), it holds too much of the sales (exposure), or too many of its
        prices have changed since (changed: a new test is then worked out).
    """
    has_changed = False
    with transaction(shop_id) as conn:
        shop, test = shops.by_id(conn, shop_id), price_tests.locked(conn, shop_id, test_id)
        if shop is None or test is None or test.state is not PriceTestState.PROPOSED:
            raise NotFoundError(f"proposed price test {test_id}")
        first_on = clock.today(shop) + timedelta(days=1)
        if price_tests.under_way(conn, shop_id) is not None:
            raise InvalidInputError("another test is under way", field="price_test_under_way")
        _refuse_frozen(shop_settings.of_shop(conn, shop_id), first_on, test.weeks)
        now = _prices_now(conn, shop_id, test)
        kept = [one for one in test.plan.series if _is_as_planned(now[one.series_id], one)]
        if len(kept) >= max(LEAST_PRODUCTS, LEAST_UNCHANGED * len(test.plan.series)):
            mine = {each.variant_id for one in kept for each in now[one.series_id]}
            _refuse_beyond_limits(conn, shop, test, mine)
            _begin(conn, shop, test, kept, first_on, started_by)
        else:
            has_changed = True
            price_tests.withdraw(conn, shop_id, test_id)
        due_work.ask(conn, shop_id, "suggestions")
    if has_changed:
        raise InvalidInputError("its prices have changed since", field="changed")


def decline(shop_id: int, test_id: int, *, declined_by: str) -> bool:
    """Say no to a proposed test; False if it was decided before.

    Raises
    ------
    NotFoundError
        If this shop has no such test.
    """
    with transaction(shop_id) as conn:
        _known(conn, shop_id, test_id)
        return price_tests.decline(conn, shop_id, test_id, by=declined_by)


def stop(shop_id: int, test_id: int, *, asked_by: str) -> bool:
    """Let a running test give its prices back now; False if it is not running (any more).

    Raises
    ------
    NotFoundError
        If this shop has no such test.
    """
    with transaction(shop_id) as conn:
        _known(conn, shop_id, test_id)
        return price_tests.stop(conn, shop_id, StopReason.MERCHANT, by=asked_by, test_id=test_id)


def begins(shop: Shop, day: date) -> datetime:
    """The moment at which a block that begins on a day of the shop's is due."""
    return datetime.combine(day, BEGINS_AT, shop.zone)


def _known(conn: Connection, shop_id: int, test_id: int) -> None:
    if not price_tests.newest(conn, shop_id, test_id=test_id):
        raise NotFoundError(f"price test {test_id}")


def _refuse_frozen(chosen: ShopSettings, first_on: date, weeks: int) -> None:
    """Also where the day on which the prices go back is a frozen one."""
    if chosen.freezes_prices(first_on, first_on + timedelta(weeks=weeks)):
        raise InvalidInputError("frozen days lie within the test", field="prices_frozen")


def _prices_now(conn: Connection, shop_id: int, test: PriceTest) -> dict[str, list[PriceNow]]:
    """By product, as the plan names it: what its variants cost now."""
    found: dict[str, list[PriceNow]] = defaultdict(list)
    products = [one.product_id for one in test.plan.series]
    for one in tested_prices.prices_now(conn, shop_id, products):
        found[str(one.product_id)].append(one)
    return found


def _is_as_planned(now: Sequence[PriceNow], planned: TestedSeries) -> bool:
    """Whether a product has one price, the planned one, and it is nobody else's to set."""
    old = Decimal(str(planned.old_price))
    return bool(now) and all(
        one.price == old and one.compare_at_price is None and not one.is_under_change for one in now
    )


def _refuse_beyond_limits(conn: Connection, shop: Shop, test: PriceTest, mine: set[int]) -> None:
    today = clock.today(shop)
    risk = at_risk(conn, shop.shop_id, Decimal(0)) + test.maximum_cost
    if risk > loss_cap(conn, shop.shop_id, today):
        raise InvalidInputError("it may lose more than is left to lose", field="loss_cap")
    under = mine | set(exposure.variants_under_change(conn, shop.shop_id))
    share = share_of_sales(conn, shop.shop_id, under, today)
    if share > measuring_settings.of_shop(conn, shop.shop_id).exposure_limit:
        raise InvalidInputError("too much of the sales is under change", field="exposure")


def _begin(
    conn: Connection,
    shop: Shop,
    test: PriceTest,
    kept: Sequence[TestedSeries],
    first_on: date,
    by: str,
) -> None:
    price_tests.start(
        conn,
        shop.shop_id,
        test.id,
        plan=test.plan.with_changes(series=tuple(kept)),
        first_on=first_on,
        by=by,
        due_at=begins(shop, first_on),
    )
    tested_prices.add(conn, shop.shop_id, test.id, [one.product_id for one in kept])
