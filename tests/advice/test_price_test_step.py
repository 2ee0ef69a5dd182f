"""What a price test has to do on a day, from hand-made snapshots: twelve products, eight weeks, blocks of two."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from shopify_app.advice import price_test_step
from shopify_app.advice.price_test_step import PriceTestSnapshot, SoldInTest, next_step
from shopify_app.domain.frames import DAILY_SALES, STOCK_DAYS
from shopify_app.domain.price_test import (
    LeftReason,
    PriceTest,
    PriceTestPlan,
    PriceTestState,
    PriceUnderTest,
    StopReason,
)
from shopify_app.domain.shop import ShopSettings
from shopify_app.domain.suggestion import PriceChangeState

BEGUN = date(2026, 11, 2)
REGULAR, LOW, HIGH = Decimal(24), Decimal("23.00"), Decimal("25.00")
PRODUCTS = range(1, 13)
"""Odd ones begin with the high price. The variant of product n is 100 + n; 21 to 32 are compared with."""

WEEKS, BLOCK_WEEKS = 8, 2


def series(number):
    return {
        "series_id": str(number),
        "old_price": 24.0,
        "low_price": 23.0,
        "high_price": 25.0,
        "unit_cost": 10.0,
        "units_per_week": 10.0,
        "dispersion": 0.0,
        "starts_high": [number % 2 == 1] * 2,
        "units_each": 1.0,
    }


PLAN = {
    "maximum_cost": 500.0,
    "expected_cost": 20.0,
    "weeks": WEEKS,
    "block_weeks": BLOCK_WEEKS,
    "precision": 0.7,
    "prior_mean": -2.0,
    "prior_sd": 1.0,
    "product_sd": 0.5,
    "wanted_precision": 0.01,
    "series": [series(number) for number in PRODUCTS],
    "comparison_ids": [str(number + 20) for number in PRODUCTS],
    "abstained_because": None,
    "seed": 0,
}


def a_test(**changed):
    made = PriceTest(
        id=1,
        run_id=1,
        state=PriceTestState.RUNNING,
        plan=PriceTestPlan.of_json(PLAN),
        weeks=WEEKS,
        block_weeks=BLOCK_WEEKS,
        maximum_cost=Decimal(500),
        expected_cost=Decimal(20),
        currency="GBP",
        proposed_at=datetime(2026, 11, 1, tzinfo=UTC),
        decided_at=datetime(2026, 11, 1, tzinfo=UTC),
        decided_by="42",
        first_on=BEGUN,
        weeks_read=0,
        reading=None,
        stop_because=None,
        stopped_at=None,
        ended_at=None,
    )
    return replace(made, **changed)


def price(product, variant=None, **changed):
    """A price under test, nothing of it written yet."""
    made = PriceUnderTest(
        product_id=product,
        variant_id=variant or 100 + product,
        product_title=f"Apron {product}",
        variant_title="One size",
        regular_price=REGULAR,
        regular_compare_at_price=None,
        left_because=None,
        returned_at=None,
        is_gone=False,
        was_edited=False,
        written_price=REGULAR,
        change_state=None,
        change_block=None,
        change_error_code=None,
        change_sent_at=None,
    )
    return replace(made, **changed)


def of_block(product, block=0):
    """The price of a block, by the plan above."""
    return HIGH if (product % 2 == 1) == (block % 2 == 0) else LOW


def written(product, block=0, variant=None, **changed):
    """A price under test that the store has, of a block."""
    return price(
        product,
        variant,
        **{
            "written_price": of_block(product, block),
            "change_state": PriceChangeState.APPLIED,
            "change_block": block,
            "change_sent_at": datetime(2026, 11, 2, 8, tzinfo=UTC),
        }
        | changed,
    )


def a_shop():
    return ShopSettings(
        language="en",
        timezone=None,
        lead_time_days=14,
        review_period_days=7,
        cycle_service_level=None,
        holding_cost_per_year=Decimal("0.2"),
        margin_floor=Decimal("0.1"),
        max_price_step=Decimal("0.1"),
        price_ending="none",
        prices_frozen_first=None,
        prices_frozen_last=None,
    )


def seen(prices, *, day=0, test=None, sold=None, settings=None):
    """A snapshot of a day of the test, counted from its first."""
    today = BEGUN + timedelta(days=day)
    return PriceTestSnapshot(today, test or a_test(), prices, settings or a_shop(), sold)


def with_one(changed, block=0):
    """Every price written of a block, but for one product's."""
    others = [written(number, block) for number in PRODUCTS if number != changed.product_id]
    return [changed, *others]


def asked_for(step):
    return {**step.to_block, **step.to_regular}


# ---------------------------------------------------------------- block by block


def test_before_its_first_day_nothing_is_asked_for_and_it_is_looked_at_then():
    step = next_step(seen([price(number) for number in PRODUCTS], day=-3))

    assert asked_for(step) == {}
    assert (step.next_on, step.has_ended, step.stop_because) == (BEGUN, False, None)


@pytest.mark.parametrize(("day", "block"), [(0, 0), (13, 0), (14, 1), (28, 2), (55, 3)])
def test_each_day_has_the_prices_of_its_block(day, block):
    step = next_step(seen([price(number) for number in PRODUCTS], day=day))

    assert step.to_block == {100 + number: of_block(number, block) for number in PRODUCTS}
    assert (step.block, step.to_regular, step.next_on) == (block, {}, None)


def test_prices_that_stand_as_planned_are_left_until_the_next_day():
    step = next_step(seen([written(number) for number in PRODUCTS], day=3))

    assert asked_for(step) == {}
    assert step.next_on == BEGUN + timedelta(days=4)


@pytest.mark.parametrize("state", [PriceChangeState.APPROVED, PriceChangeState.SENDING])
def test_a_write_under_way_is_waited_for_and_not_asked_for_again(state):
    flying = price(1, change_state=state, change_block=0)

    step = next_step(seen(with_one(flying)))

    assert asked_for(step) == {}
    assert step.next_on is None
    assert not step.has_ended


# ---------------------------------------------------------------- who leaves


@pytest.mark.parametrize(
    ("what", "because"),
    [
        ({"was_edited": True}, LeftReason.EDITED),
        ({"is_gone": True}, LeftReason.GONE),
        ({"change_error_code": "variant_gone"}, LeftReason.GONE),
        ({"change_state": PriceChangeState.CONFLICT}, LeftReason.CONFLICT),
        ({"change_state": PriceChangeState.UNKNOWN}, LeftReason.UNKNOWN),
        ({"change_state": PriceChangeState.FAILED, "change_block": None}, LeftReason.FAILED),
    ],
)
def test_a_price_that_the_test_does_not_control_any_more_leaves_and_is_asked_for_in_no_block(
    what, because
):
    step = next_step(seen(with_one(written(1, **what)), day=14))

    assert step.leaving == {because: [101]}
    assert 101 not in asked_for(step)
    assert step.to_block.keys() == {100 + number for number in PRODUCTS if number != 1}


def test_an_edit_of_the_merchants_stays_when_all_else_is_given_back():
    stopped = a_test(state=PriceTestState.RETURNING, stop_because=StopReason.MERCHANT)

    step = next_step(seen(with_one(written(1, was_edited=True)), day=3, test=stopped))

    assert step.leaving == {LeftReason.EDITED: [101]}
    assert step.to_regular == {100 + number: REGULAR for number in PRODUCTS if number != 1}
    assert 101 not in step.returned


def test_an_edit_under_a_write_in_flight_is_judged_when_the_write_has_come_back():
    """The outbox compares before it writes: it is a conflict then, or was written before the edit."""
    flying = written(1, was_edited=True, change_state=PriceChangeState.SENDING)

    assert next_step(seen(with_one(flying))).leaving == {}


def test_a_way_back_that_an_uninstall_ended_is_asked_for_again():
    ended = written(
        1,
        change_state=PriceChangeState.FAILED,
        change_block=None,
        change_error_code="uninstalled",
    )
    stopped = a_test(state=PriceTestState.RETURNING, stop_because=StopReason.UNINSTALLED)

    step = next_step(seen(with_one(ended), test=stopped))

    assert step.leaving == {}
    assert step.to_regular[101] == REGULAR


def test_a_refused_price_takes_its_product_back_whole_and_what_is_back_already_is_noted():
    refused = price(1, 201, change_state=PriceChangeState.FAILED, change_block=0)

    step = next_step(seen([refused, *(written(number) for number in PRODUCTS)]))

    assert step.leaving == {}
    assert step.to_regular == {101: REGULAR}  # its sibling, that was written
    assert step.returned == [201]  # refused: it never left its regular price
    assert step.to_block == {}


# ---------------------------------------------------------------- whether it stops


def frozen(first, last):
    return replace(
        a_shop(),
        prices_frozen_first=BEGUN + timedelta(days=first),
        prices_frozen_last=BEGUN + timedelta(days=last),
    )


@pytest.mark.parametrize(
    ("first", "last", "stops"),
    [(12, 12, True), (55, 60, True), (56, 60, False), (0, 2, False), (0, 3, True)],
)
def test_a_frozen_day_between_today_and_its_last_stops_it(first, last, stops):
    settings = frozen(first, last)

    step = next_step(seen([written(number) for number in PRODUCTS], day=3, settings=settings))

    assert step.stop_because is (StopReason.FROZEN if stops else None)
    assert step.to_regular == ({100 + number: REGULAR for number in PRODUCTS} if stops else {})


@pytest.mark.parametrize(("left", "stops"), [(2, False), (3, True)])
def test_with_fewer_than_ten_products_left_it_stops(left, stops):
    prices = [
        written(number, left_because=LeftReason.EDITED if number <= left else None)
        for number in PRODUCTS
    ]

    step = next_step(seen(prices))

    assert step.stop_because is (StopReason.TOO_FEW_LEFT if stops else None)
    assert step.to_regular.keys() == ({100 + number for number in range(4, 13)} if stops else set())


def test_those_who_leave_in_a_step_count_as_left_in_it():
    prices = [written(number, was_edited=number <= 3) for number in PRODUCTS]

    assert next_step(seen(prices)).stop_because is StopReason.TOO_FEW_LEFT


@pytest.mark.parametrize(("day", "stops"), [(55, False), (56, True), (90, True)])
def test_it_stops_after_the_last_day_of_its_last_week(day, stops):
    step = next_step(seen([written(number, 3) for number in PRODUCTS], day=day))

    assert step.stop_because is (StopReason.FINISHED if stops else None)
    assert len(step.to_regular) == (12 if stops else 0)


# ---------------------------------------------------------------- what its weeks showed


def sold(weeks, *, high=10, low=10, applied=None):
    """Every product sells so many a week at its high and at its low price; those compared with, ten."""
    rows, mine = [], {*PRODUCTS, *(number + 20 for number in PRODUCTS)}
    for number in mine:
        for week in range(weeks):
            stands = of_block(number, week // BLOCK_WEEKS)
            orders = 10 if number > 20 else (high if stands == HIGH else low)
            day = pd.Timestamp(BEGUN + timedelta(weeks=week))
            rows.append((100 + number, day, orders, 0, orders, 1, 24.0 * orders, 24.0 * orders))
    blocks = range(-(-weeks // BLOCK_WEEKS))
    begins = [BEGUN + timedelta(weeks=BLOCK_WEEKS * block) for block in blocks]
    in_time = [
        (number, 100 + number, begins[block], of_block(number, block))
        for block in blocks
        for number in PRODUCTS
    ]
    return SoldInTest(
        weeks,
        pd.DataFrame(rows, columns=list(DAILY_SALES)).astype(DAILY_SALES),
        pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in STOCK_DAYS.items()}),
        pd.Series({100 + number: number for number in mine}),
        in_time if applied is None else applied,
    )


def planned(**changed):
    return a_test(plan=PriceTestPlan.of_json(PLAN | changed))


def reading_after(weeks, *, test=None, **how):
    prices = [written(number, (weeks - 1) // BLOCK_WEEKS) for number in PRODUCTS]
    return next_step(seen(prices, day=7 * weeks, test=test, sold=sold(weeks, **how)))


def test_where_no_week_is_over_since_the_last_time_nothing_is_read():
    step = next_step(seen([written(number) for number in PRODUCTS], day=3))

    assert (step.reading, step.weeks_read) == (None, 0)


def test_what_sells_less_where_it_is_dear_reads_as_steeper_than_what_sells_alike():
    alike, fewer = reading_after(4), reading_after(4, high=8, low=12)

    assert fewer.reading.elasticity < alike.reading.elasticity - 0.5
    assert (fewer.weeks_read, fewer.reading.weeks_seen, fewer.stop_because) == (4, 4, None)


@pytest.mark.parametrize(("wanted", "stops"), [(0.01, False), (5.0, True)])
def test_it_stops_once_enough_is_known_and_gives_its_prices_back_in_the_same_step(wanted, stops):
    step = reading_after(4, test=planned(wanted_precision=wanted))

    assert step.stop_because is (StopReason.PRECISE if stops else None)
    assert step.to_regular.keys() == ({100 + number for number in PRODUCTS} if stops else set())
    assert (step.to_block == {}) is stops


@pytest.mark.parametrize(("most", "stops"), [(500.0, False), (0.01, True)])
def test_it_stops_before_it_costs_more_than_was_agreed_to(most, stops):
    step = reading_after(4, test=planned(maximum_cost=most))

    assert step.stop_because is (StopReason.COST if stops else None)
    assert (step.reading.cost_after_next_block_high > most) is stops


def test_the_last_week_is_read_in_the_step_that_stops_it():
    step = reading_after(WEEKS, test=planned(wanted_precision=5.0))

    assert (step.stop_because, step.weeks_read) == (StopReason.FINISHED, WEEKS)
    assert step.reading.weeks_seen == WEEKS


def test_a_product_that_has_left_is_no_part_of_what_is_read():
    prices = with_one(written(1, 1, was_edited=True), 1)

    step = next_step(seen(prices, day=28, sold=sold(4)))

    assert {one.series_id for one in step.reading.series} == {str(n) for n in PRODUCTS if n != 1}


def test_weeks_that_began_at_another_price_show_nothing():
    late = [
        (number, 100 + number, BEGUN + timedelta(days=9 + 14 * block), of_block(number, block))
        for block in range(2)
        for number in PRODUCTS
    ]

    step = reading_after(4, high=8, low=12, applied=late)

    assert step.reading.series == ()
    assert step.reading.elasticity == PLAN["prior_mean"]


def test_sales_after_a_stop_show_nothing():
    zone = ZoneInfo("Europe/London")
    stopped = a_test(stopped_at=datetime(2026, 11, 11, 12, tzinfo=UTC))  # the tenth day
    today = BEGUN + timedelta(weeks=5)

    assert price_test_step.weeks_to_read(stopped, zone, today) == 1
    assert price_test_step.weeks_to_read(replace(stopped, weeks_read=1), zone, today) is None
    assert price_test_step.weeks_to_read(a_test(), zone, today) == 5
    assert price_test_step.weeks_to_read(a_test(first_on=None), zone, today) is None


# ---------------------------------------------------------------- given back


STOPPED = a_test(state=PriceTestState.RETURNING, stop_because=StopReason.MERCHANT)


def test_a_block_that_waits_is_withdrawn_and_one_that_has_left_is_waited_for():
    waiting = price(1, change_state=PriceChangeState.APPROVED, change_block=0)
    tried = price(
        2,
        change_state=PriceChangeState.APPROVED,
        change_block=0,
        change_sent_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
    )
    others = [price(number) for number in PRODUCTS if number > 2]

    step = next_step(seen([waiting, tried, *others], test=STOPPED))

    assert step.withdrawn == [101]
    assert step.returned == [101, *(100 + number for number in PRODUCTS if number > 2)]
    assert asked_for(step) == {}
    assert (step.has_ended, step.next_on) == (False, None)


def test_a_price_on_its_way_back_is_not_withdrawn():
    back = written(
        1, change_state=PriceChangeState.APPROVED, change_block=None, change_sent_at=None
    )

    step = next_step(seen([back], test=STOPPED))

    assert (step.withdrawn, step.has_ended) == ([], False)


def test_it_has_ended_once_every_price_is_back_or_left():
    back = [written(number, written_price=REGULAR, change_block=None) for number in range(2, 13)]
    gone = written(1, is_gone=True)

    step = next_step(seen([gone, *back], test=STOPPED))

    assert step.has_ended
    assert step.returned == [100 + number for number in range(2, 13)]
    assert (asked_for(step), step.stop_because) == ({}, None)
    assert not next_step(seen([written(1), *back], test=STOPPED)).has_ended
