"""Filters that move on a step at a time: the same as following the whole history, and kept to the bit."""

import numpy as np
import pytest

from shopify_app.analytics.demand import filters, state_rows

WEEKS = 40
SPAN = 4


def some_history(n=60, weeks=WEEKS, seed=1):
    rng = np.random.default_rng(seed)
    units = rng.poisson(rng.lognormal(0, 1, n)[:, None], (n, weeks)).astype(float)
    exposure = rng.uniform(0.5, 1.5, (n, weeks))
    exposure[rng.random((n, weeks)) < 0.15] = 0.0
    exposure[: n // 3, : weeks // 2] = 0.0  # launched half way
    units[exposure == 0] = 0.0
    units[n // 2 :, weeks // 2 :] = 0.0  # these die
    return units, exposure, rng.uniform(0.3, 3.0, (n, 2))


def stepped(units, exposure, prior, dtype=np.float32):
    state = filters.start(prior, SPAN, dtype)
    for week in range(units.shape[1]):
        state = filters.advance(state, units[:, week], exposure[:, week])
    return state


@pytest.mark.parametrize("known", [0, 1, 2, SPAN, 17, WEEKS])
def test_a_week_at_a_time_is_the_same_as_the_whole_history_at_once(known):
    units, exposure, prior = some_history()
    whole, _ = filters.follow(units, exposure, prior, np.array([known]), SPAN)

    found = filters.rates(stepped(units[:, :known], exposure[:, :known], prior, np.float64))

    np.testing.assert_allclose(found.filtered, whole.filtered[0], rtol=1e-9)
    np.testing.assert_allclose(found.smoothed, whole.smoothed[0], rtol=1e-9)
    np.testing.assert_allclose(found.alive, whole.alive[0], rtol=1e-9)


def test_small_floats_tell_the_same_rates():
    units, exposure, prior = some_history()
    whole, _ = filters.follow(units, exposure, prior, np.array([WEEKS]), SPAN)

    found = filters.rates(stepped(units, exposure, prior))

    np.testing.assert_allclose(found.filtered, whole.filtered[0], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.smoothed, whole.smoothed[0], rtol=1e-3)


def test_a_state_that_was_kept_goes_on_to_the_bit_like_one_that_was_not():
    units, exposure, prior = some_history()
    state = stepped(units[:, :-5], exposure[:, :-5], prior)

    again = filters.from_rows(filters.to_rows(state), SPAN)
    for week in range(WEEKS - 5, WEEKS):
        state = filters.advance(state, units[:, week], exposure[:, week])
        again = filters.advance(again, units[:, week], exposure[:, week])

    assert again.known == state.known == WEEKS
    for one, other in zip(state.arrays(), again.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_series_state_is_a_few_hundred_bytes_and_does_not_grow():
    units, exposure, prior = some_history()
    rows = filters.to_rows(stepped(units, exposure, prior))

    assert {len(row) for row in rows} == {len(filters.to_rows(filters.start(prior, SPAN))[0])}
    assert len(rows[0]) < 500


def test_each_series_goes_its_own_way_whoever_stands_beside_it():
    units, exposure, prior = some_history()
    chosen = np.array([3, 41, 7])

    together = stepped(units, exposure, prior).of(chosen)
    alone = stepped(units[chosen], exposure[chosen], prior[chosen])

    for one, other in zip(together.arrays(), alone.arrays(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_many_series_are_moved_on_in_parts_that_change_nothing(monkeypatch):
    units, exposure, prior = some_history()
    whole = stepped(units, exposure, prior)

    monkeypatch.setattr(filters, "AT_ONCE", 7)
    for one, other in zip(whole.arrays(), stepped(units, exposure, prior).arrays(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_week_out_of_stock_moves_nothing_but_time():
    units, exposure, prior = some_history()
    state = stepped(units, exposure, prior)

    after = filters.advance(state, np.zeros(60), np.zeros(60))

    for name in ("a", "b", "gone", "score", "level", "seen_time"):
        np.testing.assert_array_equal(getattr(after, name), getattr(state, name))


def test_what_sold_well_and_fell_silent_is_soon_taken_for_gone():
    state = filters.start(np.array([[1.0, 1.0]]), SPAN)
    for _ in range(20):
        state = filters.advance(state, np.array([10.0]), np.ones(1))
    for _ in range(12):
        state = filters.advance(state, np.zeros(1), np.ones(1))

    assert filters.rates(state).alive[0] < 0.1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda row: row[:-1], "bytes"),
        (lambda row: row + b"\0", "bytes"),
        (lambda row: b"\7" + row[1:], "version"),
        (lambda row: row[:2] + b"\1\0" + row[4:], "moments"),
    ],
)
def test_a_row_of_another_version_length_or_moment_is_refused(spoil, words):
    rows = filters.to_rows(stepped(*some_history()))

    with pytest.raises(ValueError, match=words):
        filters.from_rows([*rows[:-1], spoil(rows[-1])], SPAN)


def test_no_series_and_a_moment_without_a_place_are_told_apart():
    none = filters.from_rows([], SPAN)
    assert len(none) == 0
    assert filters.to_rows(none) == []
    with pytest.raises(ValueError, match="moment"):
        state_rows.pack(1, 70_000, [np.zeros((1, 1))])
