"""The frames' contract is written down as it is held."""

import numpy as np
import pytest

from shopify_app.domain import frames

FRAMES = {name: value for name, value in vars(frames).items() if name.isupper()}


def test_there_are_frames():
    assert {"VARIANTS", "DAILY_SALES", "STOCK_DAYS", "WEEKLY_PRICES"} <= set(FRAMES)


@pytest.mark.parametrize("name", list(FRAMES))
def test_each_column_has_a_dtype_that_there_is(name):
    for column, kind in FRAMES[name].items():
        assert column.isidentifier() and column == column.lower()
        assert kind == "str" or np.dtype(kind)


@pytest.mark.parametrize("name", ["VARIANTS", "DAILY_SALES", "STOCK_DAYS"])
def test_what_a_column_means_is_said(name):
    for column in FRAMES[name]:
        assert column in frames.__doc__ or column in ("returned_units", "orders", "day"), column
