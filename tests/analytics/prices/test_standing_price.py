"""The price that stands, where several are charged at once."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.prices.standing_price import standing_prices


def lines(weeks: list[dict[float, int]], variant: int = 7) -> pd.DataFrame:
    """Weeks of lines a price, oldest first."""
    return pd.DataFrame(
        [
            (variant, len(weeks) - 1 - at, price, count)
            for at, sold in enumerate(weeks)
            for price, count in sold.items()
        ],
        columns=["variant_id", "weeks_ago", "price", "lines"],
    )


def prices(weeks: list[dict[float, int]]) -> list[float]:
    return standing_prices(lines(weeks))["price"].tolist()[::-1]


def test_a_price_that_changes_changes_in_its_week():
    assert prices([{5.0: 9}] * 5 + [{5.0: 2, 6.0: 7}] + [{6.0: 9}] * 5) == [5.0] * 5 + [6.0] * 6


def test_a_promotion_of_a_week_is_a_change_and_back():
    assert prices([{5.0: 9}] * 4 + [{4.0: 20}] + [{5.0: 9}] * 4) == [5.0] * 4 + [4.0] + [5.0] * 4


def test_a_web_shops_price_is_not_a_change_in_a_week_without_the_usual_one():
    beside = [{0.55: 30, 1.28: 4}] * 6

    assert set(prices([*beside, {1.28: 3}, {1.28: 2}, *beside])) == {0.55}


def test_the_other_list_stands_when_the_usual_price_has_gone_for_good():
    found = prices([{0.55: 30, 1.28: 4}] * 6 + [{1.28: 6}] * 12)

    assert found[:6] == [0.55] * 6
    assert found[-3:] == [1.28] * 3


def test_a_dearer_price_of_one_week_was_none_and_a_dearer_price_that_stays_is_one():
    assert set(prices([{5.0: 9}] * 5 + [{5.5: 1}] + [{5.0: 9}] * 5)) == {5.0}
    assert prices([{5.0: 9}] * 5 + [{5.5: 9}] * 5) == [5.0] * 5 + [5.5] * 5


def test_two_lists_that_take_turns_are_no_changes_but_promotions_that_come_back_are():
    turns, promotions = [{2.0: 1}, {4.0: 1}] * 6, [{5.0: 3}, {5.0: 3}, {4.0: 9}] * 5

    assert len(set(prices(turns))) == 1
    assert set(prices(promotions)) == {5.0, 4.0}


def test_wholesale_lines_at_their_own_price_do_not_move_it():
    weeks = [{5.0: 9, 4.0: 1}] * 8
    assert set(prices(weeks)) == {5.0}


def test_variants_are_apart_and_lines_are_those_of_the_week():
    both = pd.concat([lines([{5.0: 2, 4.0: 1}] * 3, 1), lines([{8.0: 1}] * 2, 2)])

    found = standing_prices(both)

    assert found["variant_id"].tolist() == [1, 1, 1, 2, 2]
    assert found["lines"].tolist() == [3, 3, 3, 1, 1]
    assert found["price"].tolist() == [5.0, 5.0, 5.0, 8.0, 8.0]


def test_nothing_sold_is_nothing_and_a_frame_without_lines_is_refused():
    nothing = lines([{1.0: 1}]).iloc[:0]
    assert standing_prices(nothing).empty
    with pytest.raises(ValueError, match="lines lack"):
        standing_prices(nothing.drop(columns="lines"))


def test_the_rows_order_does_not_matter():
    rng = np.random.default_rng(3)
    frame = lines([{float(p): int(rng.integers(1, 5)) for p in rng.choice([2, 3, 5], 2, replace=False)} for _ in range(30)])  # fmt: skip

    mixed = frame.sample(frac=1, random_state=1)

    pd.testing.assert_frame_equal(standing_prices(frame), standing_prices(mixed))
