"""States as rows of bytes: the layout is kept, and many rows are as each alone."""

import numpy as np
import pytest

from shopify_app.analytics.demand import state_rows

SHAPES = [(2,), (), (3, 2)]


def some_arrays(n):
    rng = np.random.default_rng(n)
    return [rng.normal(size=(*shape, n)).astype(np.float32) for shape in SHAPES]


@pytest.mark.parametrize("n", [1, state_rows.AT_ONCE, state_rows.AT_ONCE + 1, 1_000])
def test_rows_are_read_back_to_the_bit_however_many_there_are(n):
    arrays = some_arrays(n)

    moment, again = state_rows.unpack(1, state_rows.pack(1, 77, arrays), SHAPES)

    assert moment == 77
    for one, other in zip(arrays, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_row_is_a_version_a_moment_and_small_floats_one_after_another():
    arrays = some_arrays(300)

    rows = state_rows.pack(3, 258, arrays)

    flat = np.concatenate([array.reshape(-1, 300) for array in arrays]).astype("<f4")
    assert rows[299] == bytes([3, 0, 2, 1]) + flat[:, 299].tobytes()


@pytest.mark.parametrize(("version", "moment", "words"), [(2, 5, "version 1"), (1, 6, "moments")])
def test_one_strange_row_far_among_the_others_is_refused(version, moment, words):
    rows = state_rows.pack(1, 5, some_arrays(600))
    rows[500] = state_rows.pack(version, moment, some_arrays(1))[0]

    with pytest.raises(ValueError, match=words):
        state_rows.unpack(1, rows, SHAPES)
