"""A price test: proposed with its cost, agreed to, prices set block by block, read, and given back exactly."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from psycopg2.extras import execute_values

from shopify_app import cli
from shopify_app.advice import price as price_advice
from shopify_app.advice import price_test_step
from shopify_app.analytics.price_tests import experiments
from shopify_app.analytics.price_tests.experiments import plan_from
from shopify_app.db import (
    exposure,
    measuring_settings,
    price_changes,
    price_tests,
    suggestions,
    tested_prices,
)
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import MeasuringSettings
from shopify_app.domain.price_test import LeftReason, PriceTestState, StopReason
from shopify_app.domain.suggestion import SuggestionKind
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.price_tests import carry_on as carry_on_tests
from shopify_app.usecases.price_tests import decide as deciding
from shopify_app.usecases.shops import install
from shopify_app.usecases.suggestions import suggest
from shopify_app.usecases.suggestions.read_inputs import read_inputs
from tests.factories import make_suggestion, make_variant, rows
from tests.simulated import install as install_into
from tests.simulated import simulated_world
from tests.web.page_rows import set_settings

PRODUCTS = 44
WEEKS_SOLD = 40
ANSWER = -3.0


def today(shop):
    return datetime.now(UTC).astimezone(shop.zone).date()


def newest(shop):
    with transaction(shop.shop_id) as conn:
        found = price_tests.newest(conn, shop.shop_id)
    return found[0] if found else None


def prices_of(shop, test):
    with transaction(shop.shop_id) as conn:
        return tested_prices.of_test(conn, shop.shop_id, test.id)


def sells(shop, variant_ids, first, days, rate_of, rng):
    """Orders a day at a rate that a variant and a day have."""
    sold = []
    for variant_id in variant_ids:
        for number in range(days):
            orders = int(rng.poisson(rate_of(variant_id, number)))
            if orders:
                day = first + timedelta(days=number)
                sold.append(
                    (shop.shop_id, variant_id, day, orders, 0, orders, 1, 24 * orders, 24 * orders)
                )
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        execute_values(
            cur,
            "INSERT INTO daily_sales (shop_id, variant_id, sold_on, ordered_units, returned_units, orders,"
            " largest_line_units, revenue, list_revenue) VALUES %s",
            sold,
        )


def at_one_price(shop, variant_ids, first, weeks):
    """A receipt a week that shows what each variant cost."""
    for week in range(weeks):
        day = first + timedelta(weeks=week)
        rows(
            shop,
            "INSERT INTO orders (shop_id, id, currency, processed_at, processed_on, updated_at)"
            " VALUES (%(s)s, %(id)s, 'GBP', %(day)s, %(day)s, now()) RETURNING 1",
            s=shop.shop_id,
            id=week + 1,
            day=day,
        )
        rows(
            shop,
            "INSERT INTO order_lines (shop_id, order_id, id, variant_id, quantity, current_quantity, unit_price)"
            " SELECT %(s)s, %(id)s, n, n, 1, 1, 24 FROM unnest(%(variants)s::bigint[]) AS n RETURNING 1",
            s=shop.shop_id,
            id=week + 1,
            variants=variant_ids,
        )


@pytest.fixture
def stall(acme, monkeypatch):
    """(shop, variants): forty-four products at one price for forty weeks."""
    monkeypatch.setattr(suggest.market_prices, "read_market_prices", lambda shop_id: None)
    variants = [make_variant(acme, title=f"Apron {n}", sku=f"A{n}") for n in range(PRODUCTS)]
    first = today(acme) - timedelta(days=7 * WEEKS_SOLD)
    sells(acme, variants, first, 7 * WEEKS_SOLD, lambda *_: 1.2, np.random.default_rng(1))
    at_one_price(acme, variants, first, WEEKS_SOLD)
    set_measuring(acme, exposure_limit=Decimal("0.95"))
    return acme, variants


def set_measuring(shop, **changed):
    chosen = {
        "holdback_share": Decimal(0),
        "loss_cap": Decimal(500),
        "exposure_limit": Decimal("0.3"),
    }
    with transaction(shop.shop_id) as conn:
        measuring_settings.save(conn, shop.shop_id, MeasuringSettings(**(chosen | changed)))


@pytest.fixture
def proposed(stall):
    """(shop, the test proposed by a run)."""
    shop, _ = stall
    suggest.refresh_suggestions(shop.shop_id)
    return shop, newest(shop)


@pytest.fixture
def begun(proposed):
    """(shop, a test whose first block begins today): nothing is written yet."""
    shop, test = proposed
    deciding.start(shop.shop_id, test.id, started_by="42")
    starts_on(shop, test, today(shop))
    return shop, newest(shop)


def starts_on(shop, test, day):
    rows(
        shop,
        "UPDATE price_tests SET first_on = %(day)s, decided_at = %(day)s, due_at = now() WHERE id = %(id)s RETURNING 1",
        day=day,
        id=test.id,
    )


def waits_to_be_written(shop, variant_id):
    """A price of another decision, accepted and not yet sent."""
    number = make_suggestion(shop, variant_id, state="accepted")
    with transaction(shop.shop_id) as conn:
        price_changes.add(
            conn,
            shop.shop_id,
            suggestion_id=number,
            undo_of=None,
            product_id=1,
            variant_id=variant_id,
            old=(Decimal(24), None),
            new=(Decimal(26), None),
            currency="GBP",
            click_key=f"k{variant_id}",
            approved_by="42",
        )


def store_takes(shop, state="applied", code=None, on=None, **which):
    """The outbox wrote, or could not write, what waits: without a Shopify."""
    rows(
        shop,
        "UPDATE price_changes SET state = %(state)s, finished_at = coalesce(%(on)s::date, now()), sent_at = now(), error_code = %(code)s"
        " WHERE state = 'approved' AND (%(variant)s::bigint IS NULL OR variant_id = %(variant)s) RETURNING 1",
        state=state,
        code=code,
        on=on,
        variant=which.get("variant_id"),
    )


def asked_for(shop):
    """Variant -> the price that waits to be written."""
    return dict(
        rows(shop, "SELECT variant_id, new_price FROM price_changes WHERE state = 'approved'")
    )


def carry_on(shop, test, day=None):
    return carry_on_tests.carry_on(shop.shop_id, test.id, today=day)


# ---------------------------------------------------------------- proposed


def test_where_prices_never_moved_a_test_is_proposed_with_its_weeks_and_its_most_cost(proposed):
    shop, test = proposed
    plan = plan_from(test.plan)

    assert test.state is PriceTestState.PROPOSED
    assert 10 <= len(plan.series) <= PRODUCTS // 2 == len(plan.comparison_ids)
    assert test.weeks <= 16
    assert Decimal(0) < test.maximum_cost <= Decimal(500)
    assert plan.precision <= 0.7
    for series in plan.series:
        assert series.old_price == 24.0
        assert series.low_price < 24.0 < series.high_price
        assert series.high_price / series.low_price - 1 <= 0.1 + 1e-9  # the merchant's step
    assert rows(shop, "SELECT count(*) FROM price_changes") == [(0,)]


def test_a_proposal_stands_for_a_week_then_a_newer_one_takes_its_place(proposed):
    shop, test = proposed
    suggest.refresh_suggestions(shop.shop_id)
    assert newest(shop).id == test.id

    rows(shop, "UPDATE price_tests SET proposed_at = now() - interval '8 days' RETURNING 1")
    suggest.refresh_suggestions(shop.shop_id)
    assert newest(shop).id != test.id


def test_a_product_that_is_reduced_priced_by_size_fixed_for_a_market_or_spoken_of_is_not_tested(
    stall,
):
    shop, variants = stall
    product = dict(rows(shop, "SELECT id, product_id FROM variants"))
    reduced, by_size, fixed, free = variants[:4]
    rows(
        shop, "UPDATE variants SET compare_at_price = 30 WHERE id = %(id)s RETURNING 1", id=reduced
    )
    make_variant(shop, product_id=product[by_size], price="26.00")
    make_variant(shop, product_id=product[free], price="24.00")
    rows(
        shop,
        "INSERT INTO fixed_prices (shop_id, variant_id, price_list_id, name, currency, price)"
        " VALUES (%(s)s, %(id)s, 1, 'France', 'EUR', 30) RETURNING 1",
        s=shop.shop_id,
        id=fixed,
    )

    suggest.refresh_suggestions(shop.shop_id)
    plan = plan_from(newest(shop).plan)

    known = {*plan.comparison_ids, *(series.series_id for series in plan.series)}
    assert known == {str(product[one]) for one in variants if one not in (reduced, by_size, fixed)}


def test_a_test_holds_no_more_of_the_sales_than_may_be_under_change(stall):
    shop, _ = stall
    set_measuring(shop, exposure_limit=Decimal("0.48"))

    suggest.refresh_suggestions(shop.shop_id)
    plan = plan_from(newest(shop).plan)

    assert len(plan.series) <= 0.5 * PRODUCTS - 1


def test_what_is_proposed_can_be_agreed_to_though_sales_and_what_may_be_lost_moved_meanwhile(stall):
    """The most that fits is proposed; then the tested sell a twentieth more, and others' sales are fewer."""
    shop, _ = stall
    set_measuring(shop, exposure_limit=Decimal("0.48"))
    suggest.refresh_suggestions(shop.shop_id)
    test = newest(shop)
    products = [int(series.series_id) for series in plan_from(test.plan).series]
    rows(
        shop,
        "UPDATE daily_sales d SET revenue = revenue * CASE WHEN v.product_id = ANY (%(ids)s) THEN 1.05 ELSE 0.97 END"
        " FROM variants v WHERE v.id = d.variant_id RETURNING 1",
        ids=products,
    )
    set_measuring(shop, exposure_limit=Decimal("0.48"), loss_cap=test.maximum_cost / Decimal("0.9"))

    deciding.start(shop.shop_id, test.id, started_by="42")

    assert newest(shop).state is PriceTestState.RUNNING


def test_prices_that_are_under_change_already_leave_less_room_for_a_test(stall):
    shop, variants = stall
    set_measuring(shop, exposure_limit=Decimal("0.6"))
    for variant_id in variants[:4]:
        waits_to_be_written(shop, variant_id)
    suggest.refresh_suggestions(shop.shop_id)
    test = newest(shop)

    assert len(plan_from(test.plan).series) <= PRODUCTS * (0.6 * 0.9) - 4
    deciding.start(shop.shop_id, test.id, started_by="42")


def test_no_test_is_proposed_where_nothing_may_be_lost_or_prices_are_frozen(stall):
    shop, _ = stall
    for change in ({"loss_cap": Decimal("0.01")},):
        set_measuring(shop, exposure_limit=Decimal("0.95"), **change)
        suggest.refresh_suggestions(shop.shop_id)
        assert newest(shop) is None
    set_measuring(shop, exposure_limit=Decimal("0.95"))
    set_settings(shop, prices_frozen_first=today(shop), prices_frozen_last=today(shop))
    suggest.refresh_suggestions(shop.shop_id)
    assert newest(shop) is None


def test_a_test_that_was_declined_is_not_proposed_again_for_ninety_days(proposed):
    shop, test = proposed
    assert deciding.decline(shop.shop_id, test.id, declined_by="42")
    assert not deciding.decline(shop.shop_id, test.id, declined_by="42")

    suggest.refresh_suggestions(shop.shop_id)
    assert newest(shop).id == test.id

    rows(shop, "UPDATE price_tests SET decided_at = now() - interval '91 days' RETURNING 1")
    suggest.refresh_suggestions(shop.shop_id)
    assert newest(shop).id != test.id


# ---------------------------------------------------------------- agreed to


def test_starting_writes_nothing_before_the_next_day_and_only_once(proposed):
    shop, test = proposed

    deciding.start(shop.shop_id, test.id, started_by="42")

    found = newest(shop)
    assert (found.state, found.decided_by) == (PriceTestState.RUNNING, "42")
    assert found.first_on == today(shop) + timedelta(days=1)
    assert rows(shop, "SELECT count(*) FROM price_changes") == [(0,)]
    assert carry_on_tests.carry_on_due() == 0
    with pytest.raises(NotFoundError):
        deciding.start(shop.shop_id, test.id, started_by="42")


def test_another_shop_can_neither_start_decline_stop_nor_carry_on_a_test(proposed, rival):
    _, test = proposed
    for act in (
        lambda: deciding.start(rival.shop_id, test.id, started_by="1"),
        lambda: deciding.decline(rival.shop_id, test.id, declined_by="1"),
        lambda: deciding.stop(rival.shop_id, test.id, asked_by="1"),
        lambda: carry_on_tests.carry_on(rival.shop_id, test.id),
    ):
        with pytest.raises(NotFoundError):
            act()


def refusal(shop, test):
    with pytest.raises(InvalidInputError) as caught:
        deciding.start(shop.shop_id, test.id, started_by="42")
    return caught.value.field


def test_what_no_limit_allows_any_more_is_refused_and_stays_proposed(proposed):
    shop, test = proposed
    set_measuring(shop, exposure_limit=Decimal("0.95"), loss_cap=Decimal("0.5"))
    assert refusal(shop, test) == "loss_cap"
    set_measuring(shop, exposure_limit=Decimal("0.05"))
    assert refusal(shop, test) == "exposure"
    set_measuring(shop, exposure_limit=Decimal("0.95"))
    on = today(shop) + timedelta(days=10)
    set_settings(shop, prices_frozen_first=on, prices_frozen_last=on)
    assert refusal(shop, test) == "prices_frozen"

    assert newest(shop).state is PriceTestState.PROPOSED


def test_a_few_products_that_changed_since_are_left_out_and_many_end_the_proposal(proposed):
    shop, test = proposed
    planned = [series.product_id for series in test.plan.series]
    reprice = "UPDATE variants SET price = 25 WHERE product_id = ANY (%(ids)s) RETURNING 1"
    rows(shop, reprice, ids=planned[:2])
    deciding.start(shop.shop_id, test.id, started_by="42")
    assert [one.product_id for one in newest(shop).plan.series] == planned[2:]

    rows(shop, "DELETE FROM price_tests RETURNING 1")
    suggest.refresh_suggestions(shop.shop_id)
    again = newest(shop)
    rows(shop, reprice, ids=[series.product_id for series in again.plan.series][:8])
    assert refusal(shop, again) == "changed"
    assert newest(shop) is None


# ---------------------------------------------------------------- under way


def test_each_block_has_its_prices_and_nothing_else_moves_them(begun):
    shop, test = begun
    plan = plan_from(test.plan)
    product = dict(rows(shop, "SELECT id, product_id FROM variants"))

    for block in range(plan.blocks):
        carry_on(shop, test, test.first_on + timedelta(weeks=block * plan.block_weeks))
        store_takes(shop)
        stands = {one.product_id: one.written_price for one in prices_of(shop, test)}
        assert stands == {
            int(one.series_id): Decimal(str(one.price_in(block))) for one in plan.series
        }
    tested = {one.variant_id for one in prices_of(shop, test)}
    assert {product[one] for one in tested} == {int(one.series_id) for one in plan.series}
    with transaction(shop.shop_id) as conn:
        resting = suggestions.resting_variants(
            conn, shop.shop_id, SuggestionKind.PRICE, today(shop)
        )
        assert tested <= resting
        assert tested <= set(exposure.variants_under_change(conn, shop.shop_id))
    one = make_suggestion(shop, min(tested))
    with pytest.raises(InvalidInputError) as caught:
        decide.accept_suggestion(shop.shop_id, one, accepted_by="42")
    assert caught.value.field == "under_test"


def test_carrying_on_twice_in_a_block_asks_for_nothing_twice(begun):
    shop, test = begun
    carry_on(shop, test)
    first = asked_for(shop)
    carry_on(shop, test)
    assert asked_for(shop) == first != {}
    store_takes(shop)
    assert carry_on(shop, test) > datetime.now(UTC) + timedelta(minutes=1)
    assert asked_for(shop) == {}


def test_a_price_that_the_merchant_changes_leaves_the_test_and_stays(begun):
    shop, test = begun
    carry_on(shop, test)
    store_takes(shop)
    one = prices_of(shop, test)[0]
    rows(
        shop,
        "INSERT INTO price_history (shop_id, variant_id, price, seen_at, source) VALUES (%(s)s, %(id)s, 21, now(), 'merchant')"
        " RETURNING 1",
        s=shop.shop_id,
        id=one.variant_id,
    )

    carry_on(shop, test, test.first_on + timedelta(weeks=test.block_weeks))
    assert one.variant_id not in asked_for(shop)
    store_takes(shop)
    deciding.stop(shop.shop_id, test.id, asked_by="42")
    carry_on(shop, test)
    assert one.variant_id not in asked_for(shop)

    left = {row.variant_id: row.left_because for row in prices_of(shop, test) if row.left_because}
    assert left == {one.variant_id: LeftReason.EDITED}


def test_a_product_of_which_a_price_is_refused_goes_back_whole(begun):
    shop, test = begun
    product_id = prices_of(shop, test)[0].product_id
    sibling = make_variant(shop, product_id=product_id, price="24.00")
    rows(shop, "DELETE FROM tested_prices RETURNING 1")
    with transaction(shop.shop_id) as conn:
        planned = [series.product_id for series in test.plan.series]
        tested_prices.add(conn, shop.shop_id, test.id, planned)
    carry_on(shop, test)
    store_takes(shop, "failed", "INVALID", variant_id=sibling)
    store_takes(shop)
    mine = {one.variant_id for one in prices_of(shop, test) if one.product_id == product_id}

    carry_on(shop, test)

    assert asked_for(shop) == dict.fromkeys(mine - {sibling}, Decimal(24))
    store_takes(shop)
    carry_on(shop, test, test.first_on + timedelta(weeks=test.block_weeks))
    assert not mine & asked_for(shop).keys()
    back = {one.variant_id for one in prices_of(shop, test) if one.returned_at}
    assert back == mine


@pytest.mark.parametrize(
    ("state", "reason"), [("conflict", LeftReason.CONFLICT), ("unknown", LeftReason.UNKNOWN)]
)
def test_a_price_that_is_not_what_we_knew_leaves_and_is_never_written_again(begun, state, reason):
    shop, test = begun
    carry_on(shop, test)
    one = prices_of(shop, test)[0]
    store_takes(shop, state, variant_id=one.variant_id)
    store_takes(shop)
    deciding.stop(shop.shop_id, test.id, asked_by="42")
    carry_on(shop, test)

    assert one.variant_id not in asked_for(shop)
    assert prices_of(shop, test)[0].left_because is reason


def test_a_test_with_too_few_products_left_stops(begun):
    shop, test = begun
    carry_on(shop, test)
    for one in prices_of(shop, test)[:-9]:
        store_takes(shop, "conflict", variant_id=one.variant_id)
    store_takes(shop)

    carry_on(shop, test)

    assert newest(shop).stop_because is StopReason.TOO_FEW_LEFT


def test_frozen_days_set_during_a_test_stop_it(begun):
    shop, test = begun
    on = today(shop) + timedelta(days=12)
    set_settings(shop, prices_frozen_first=on, prices_frozen_last=on)

    carry_on(shop, test)

    assert newest(shop).stop_because is StopReason.FROZEN


# ---------------------------------------------------------------- overtaken


def overtaken(monkeypatch, change, times=1):
    """While a step is worked out, something changes: so many times."""
    left = iter(range(times))

    def worked_out(seen):
        step = price_test_step.next_step(seen)
        if next(left, None) is not None:
            change()
        return step

    monkeypatch.setattr(carry_on_tests, "next_step", worked_out)


def test_a_stop_while_a_step_is_worked_out_wins(begun, monkeypatch):
    shop, test = begun
    overtaken(monkeypatch, lambda: deciding.stop(shop.shop_id, test.id, asked_by="42"))

    assert carry_on(shop, test) is None

    assert rows(shop, "SELECT count(*) FROM price_changes") == [
        (0,)
    ]  # no block's price, for a moment
    assert newest(shop).stop_because is StopReason.MERCHANT


def test_an_edit_while_a_step_is_worked_out_wins(begun, monkeypatch):
    shop, test = begun
    one = prices_of(shop, test)[0]
    overtaken(
        monkeypatch,
        lambda: rows(
            shop,
            "INSERT INTO price_history (shop_id, variant_id, price, seen_at, source)"
            " VALUES (%(s)s, %(id)s, 21, now(), 'merchant') RETURNING 1",
            s=shop.shop_id,
            id=one.variant_id,
        ),
    )

    carry_on(shop, test)

    assert one.variant_id not in asked_for(shop)
    assert asked_for(shop) != {}
    assert prices_of(shop, test)[0].left_because is LeftReason.EDITED


def test_a_block_that_leaves_for_the_store_while_it_is_withdrawn_is_waited_for(begun, monkeypatch):
    """The outbox takes a price after the test was found to be as it was read, before it is withdrawn."""
    shop, test = begun
    carry_on(shop, test)
    deciding.stop(shop.shop_id, test.id, asked_by="42")
    withdraw, [first, *_] = tested_prices.withdraw_waiting, prices_of(shop, test)

    def too_late(conn, shop_id, test_id):
        with conn.cursor() as cur:
            cur.execute(
                "UPDATE price_changes SET sent_at = now() WHERE variant_id = %s", [first.variant_id]
            )
        return withdraw(conn, shop_id, test_id)

    monkeypatch.setattr(tested_prices, "withdraw_waiting", too_late)

    assert carry_on(shop, test) is not None

    assert newest(shop).state is PriceTestState.RETURNING
    assert len(asked_for(shop)) == len(prices_of(shop, test))  # nothing of the step was saved


def test_a_step_that_is_overtaken_again_and_again_is_tried_again_in_a_moment(begun, monkeypatch):
    shop, test = begun
    titles = iter(range(9))
    overtaken(
        monkeypatch,
        lambda: rows(shop, "UPDATE variants SET title = %(t)s RETURNING 1", t=str(next(titles))),
        times=9,
    )

    assert carry_on(shop, test) < datetime.now(UTC) + timedelta(minutes=1)

    assert asked_for(shop) == {}


# ---------------------------------------------------------------- read


def lives(shop, test, weeks, seed=3):
    """What customers would have bought in so many weeks of the test: fewer where it was dear."""
    plan = plan_from(test.plan)
    product = dict(rows(shop, "SELECT id, product_id FROM variants"))
    series = {int(one.series_id): one for one in plan.series}

    def rate(variant_id, day):
        one = series.get(product[variant_id])
        price = 24.0 if one is None else one.price_in(day // 7 // plan.block_weeks)
        return 1.2 * (price / 24.0) ** ANSWER

    rows(shop, "DELETE FROM daily_sales WHERE sold_on >= %(day)s RETURNING 1", day=test.first_on)
    sells(shop, list(product), test.first_on, 7 * weeks, rate, np.random.default_rng(seed))


def test_what_the_weeks_showed_is_read_and_a_test_that_knows_enough_stops_by_itself(begun):
    shop, test = begun
    rows(
        shop,
        "UPDATE price_tests SET plan = plan || '{\"wanted_precision\": 1.0}' WHERE id = %(id)s RETURNING 1",
        id=test.id,
    )
    starts_on(shop, test, today(shop) - timedelta(weeks=8))
    test = newest(shop)
    for week in range(0, 8, test.block_weeks):
        block_begins(shop, test, week)
    lives(shop, test, 8)

    carry_on(shop, test)

    found = newest(shop)
    assert found.weeks_read == 8
    assert abs(found.reading.elasticity - ANSWER) < 2 * found.reading.sd < 1.6
    assert found.reading.cost_high < test.maximum_cost
    assert (found.state, found.stop_because) == (PriceTestState.RETURNING, StopReason.PRECISE)


def block_begins(shop, test, week, days_late=0):
    """The prices of a block are asked for and written, in time or some days late."""
    begin = test.first_on + timedelta(weeks=week)
    _, seen = carry_on_tests.load(shop.shop_id, test.id, begin)
    unread = replace(seen, sold=None)
    assert carry_on_tests.save(shop, unread, price_test_step.next_step(unread))
    store_takes(shop, on=begin + timedelta(days=days_late))


def test_weeks_that_did_not_have_their_price_from_the_first_day_on_tell_nothing(begun):
    shop, test = begun
    starts_on(shop, test, today(shop) - timedelta(weeks=8))
    test = newest(shop)
    for week in range(0, 8, test.block_weeks):
        block_begins(shop, test, week, days_late=9 if week == 2 else 0)
    with transaction(shop.shop_id) as conn:
        applied = tested_prices.applied(conn, shop.shop_id, test.id, shop.timezone)
    plan = plan_from(test.plan)

    found = price_test_step.other_prices(plan, applied, test.first_on, 8)

    assert {week for _, week in found} == {2, 3}  # nine days late: both weeks of the block
    assert {product for product, _ in found} == {series.series_id for series in plan.series}


def test_a_week_that_is_not_over_is_not_read_and_nothing_is_read_twice(begun):
    shop, test = begun
    starts_on(shop, test, today(shop) - timedelta(days=13))
    test = newest(shop)
    lives(shop, test, 2)
    carry_on(shop, test)
    assert newest(shop).weeks_read == 1
    first = newest(shop).reading
    carry_on(shop, test)
    assert newest(shop).reading == first


def test_what_sold_after_a_stop_is_no_part_of_what_the_test_showed(begun):
    shop, test = begun
    carry_on(shop, test)
    store_takes(shop)
    deciding.stop(shop.shop_id, test.id, asked_by="42")
    carry_on(shop, test, test.first_on + timedelta(weeks=3))

    assert newest(shop).weeks_read == 0


def test_at_the_end_of_its_weeks_a_test_stops_whatever_it_showed(begun):
    shop, test = begun
    carry_on(shop, test)
    store_takes(shop)
    carry_on(shop, test, test.last_on + timedelta(days=1))

    found = newest(shop)
    assert found.stop_because is StopReason.FINISHED
    assert found.weeks_read == test.weeks
    assert set(asked_for(shop).values()) == {Decimal(24)}


def test_prices_learn_that_a_lot_drew_them_and_nothing_from_a_week_with_two_of_them(begun):
    shop, test = begun
    tested = [one.variant_id for one in prices_of(shop, test)]
    for days_ago, act in ((24, None), (10, None), (3, "stop")):
        if act:
            deciding.stop(shop.shop_id, test.id, asked_by="42")
        day = today(shop) - timedelta(days=days_ago)
        carry_on(shop, test, test.first_on + timedelta(days=24 - days_ago))
        rows(
            shop,
            "UPDATE price_changes SET state = 'applied', sent_at = now(), finished_at = %(day)s"
            " WHERE state = 'approved' RETURNING 1",
            day=datetime(day.year, day.month, day.day, 12, tzinfo=shop.zone),
        )
    with transaction(shop.shop_id) as conn:
        inputs = read_inputs(conn, shop, today(shop))

    weeks = pd.DataFrame(1.0, index=[*tested, 1], columns=[4, 3, 2, 1, 0])
    drawn, mixed = price_advice._tested(inputs, weeks)

    assert mixed.tolist() == [[False, True, False, True, True]] * len(tested) + [[False] * 5]
    assert drawn.tolist() == [[False, False, True, False, False]] * len(tested) + [[False] * 5]


# ---------------------------------------------------------------- given back


def test_a_stop_gives_every_price_back_and_then_the_test_has_ended(begun, rival):
    shop, test = begun
    carry_on(shop, test)
    store_takes(shop)
    assert deciding.stop(shop.shop_id, test.id, asked_by="42")
    assert not deciding.stop(shop.shop_id, test.id, asked_by="42")

    carry_on(shop, test)
    assert set(asked_for(shop).values()) == {Decimal(24)}
    store_takes(shop)
    assert carry_on(shop, test) is None

    found = newest(shop)
    assert (found.state, found.stop_because) == (PriceTestState.ENDED, StopReason.MERCHANT)
    assert all(one.returned_at for one in prices_of(shop, test))
    assert carry_on_tests.carry_on_due() == 0
    suggest.refresh_suggestions(shop.shop_id)
    assert newest(shop).id == test.id  # no other for four weeks


def test_a_block_that_was_asked_for_and_not_written_is_withdrawn_by_a_stop(begun):
    shop, test = begun
    carry_on(shop, test)
    assert asked_for(shop)
    deciding.stop(shop.shop_id, test.id, asked_by="42")

    assert carry_on(shop, test) is None
    assert asked_for(shop) == {}
    assert newest(shop).state is PriceTestState.ENDED


def test_after_an_uninstall_nothing_is_written_and_a_reinstall_gives_the_prices_back(begun):
    shop, test = begun
    carry_on(shop, test)
    store_takes(shop)
    with transaction(shop.shop_id) as conn:
        install.uninstall_shop(conn, shop.shop_id, triggered_at=datetime.now(UTC))

    assert newest(shop).stop_because is StopReason.UNINSTALLED
    assert carry_on_tests.carry_on_due() == 0

    rows(
        shop,
        "UPDATE shops SET state = 'installed', uninstalled_at = NULL, install_epoch = install_epoch + 1 RETURNING 1",
    )
    assert carry_on_tests.carry_on_due() == 1
    assert set(asked_for(shop).values()) == {Decimal(24)}


def test_a_stop_while_a_worker_has_the_test_is_looked_at_at_once(begun):
    shop, _ = begun
    with transaction(shop.shop_id) as conn:
        number, until = price_tests.claim(conn, shop.shop_id, lease_seconds=300)
        assert price_tests.claim(conn, shop.shop_id, lease_seconds=300) is None
    deciding.stop(shop.shop_id, number, asked_by="42")
    later = datetime.now(UTC) + timedelta(days=1)
    with transaction(shop.shop_id) as conn:
        assert not price_tests.finish(conn, shop.shop_id, number, claimed_until=until, due_at=later)

    assert carry_on_tests.carry_on_due() == 1
    assert newest(shop).state is PriceTestState.ENDED


def test_what_a_test_may_cost_is_at_risk_while_it_is_under_way(begun):
    from shopify_app.usecases.outcomes.risk import at_risk

    shop, test = begun
    with transaction(shop.shop_id) as conn:
        assert at_risk(conn, shop.shop_id, Decimal(0)) == test.maximum_cost
    deciding.stop(shop.shop_id, test.id, asked_by="42")
    carry_on(shop, test)
    with transaction(shop.shop_id) as conn:
        assert at_risk(conn, shop.shop_id, Decimal(0)) == 0


# ---------------------------------------------------------------- an operator


def told(capsys, shop, *more):
    assert cli.main(["price-test", "--shop", shop.domain, "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_operator_sees_how_a_test_stands_that_its_plan_comes_out_again_and_can_stop_it(
    begun, capsys
):
    shop, test = begun
    carry_on(shop, test)
    store_takes(shop)

    found = told(capsys, shop)
    assert (found["id"], found["state"], found["plan_comes_out_again"]) == (
        test.id,
        "running",
        True,
    )

    rows(
        shop,
        "UPDATE price_tests SET plan = plan || '{\"precision\": 0.01}' WHERE id = %(id)s RETURNING 1",
        id=test.id,
    )
    found = told(capsys, shop, "--stop")
    assert (found["state"], found["stop_because"]) == ("returning", "merchant")
    assert list(found["differences"]) == ["precision"]


# ---------------------------------------------------------------- in a store


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_in_a_store_blocks_are_written_an_edit_stays_and_all_else_is_given_back_exactly(
    database, tmp_path, monkeypatch
):
    with simulated_world(tmp_path, monkeypatch, "noise") as world:
        shop = install_into(world)
        before = {int(one["id"]): one["price"] for one in world.look("variants", limit=5000)}
        test = newest(shop)
        assert test.state is PriceTestState.PROPOSED
        deciding.start(shop.shop_id, test.id, started_by="42")
        starts_on(shop, test, today(shop))
        world.work()

        tested = {one.variant_id: one for one in prices_of(shop, test)}
        stands = {int(one["id"]): one["price"] for one in world.look("variants", limit=5000)}
        plan = {int(one.series_id): one for one in plan_from(newest(shop).plan).series}
        assert {n: Decimal(stands[n]) for n in tested} == {
            n: Decimal(str(plan[one.product_id].price_in(0))) for n, one in tested.items()
        }
        assert {n: stands[n] for n in stands.keys() - tested} == {
            n: before[n] for n in before.keys() - tested
        }

        edited = min(tested)
        world.control(f"variants/{edited}/price", price="77.00")
        world.deliver()
        starts_on(shop, test, today(shop) - timedelta(weeks=test.block_weeks))
        rows(shop, "UPDATE price_tests SET decided_at = now() - interval '1 hour' RETURNING 1")
        world.work()
        assert newest(shop).state is PriceTestState.RUNNING

        deciding.stop(shop.shop_id, test.id, asked_by="42")
        for _ in range(4):
            world.deliver()
            rows(shop, "UPDATE price_tests SET due_at = now() WHERE due_at IS NOT NULL RETURNING 1")

        after = {int(one["id"]): one["price"] for one in world.look("variants", limit=5000)}
        assert after == before | {edited: "77.00"}
        found = newest(shop)
        assert (found.state, found.stop_because) == (PriceTestState.ENDED, StopReason.MERCHANT)
        left = {
            one.variant_id: one.left_because for one in prices_of(shop, test) if one.left_because
        }
        assert left == {edited: LeftReason.EDITED}


# ---------------------------------------------------------------- mutants


def test_a_way_back_that_forgets_edits_is_found(begun, monkeypatch):
    """The test above must fail where an edit is not looked for."""
    monkeypatch.setattr(price_test_step, "_left_because", lambda one: None)
    with pytest.raises(AssertionError):
        test_a_price_that_the_merchant_changes_leaves_the_test_and_stays(begun)


def test_the_least_test_is_the_same_when_it_is_planned_and_while_it_runs():
    """The web process reads no analytics, so the number stands twice."""
    assert deciding.LEAST_PRODUCTS == experiments.LEAST_PRODUCTS
