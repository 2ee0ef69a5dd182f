"""One row of bytes a series: a version, a moment, then the state in float32.

In:  arrays whose last axis is the series. Out: a row of bytes a series, and back to the bit.
Layout (little-endian): version u8, one spare byte, moment u16, then the arrays one after another, f32.
"""

import math
from typing import Final

import numpy as np

HEAD: Final = [("version", "u1"), ("spare", "u1"), ("moment", "<u2")]
"""Fields before the floats."""

LATEST_MOMENT: Final = 65_535
"""Largest moment that the layout holds."""

AT_ONCE: Final = 300
"""Series packed together, few enough for the processor's cache; no power of two, for columns that far apart
would evict one another."""


def pack(version: int, moment: int, arrays: list[np.ndarray]) -> list[bytes]:
    """Rows of bytes, one a series.

    Parameters
    ----------
    moment : int, 0..65,535
        Number of periods behind all of the states.
    arrays : arrays (..., n)

    Raises
    ------
    ValueError
        If the moment has no place in the layout.
    """
    if not 0 <= moment <= LATEST_MOMENT:
        raise ValueError(f"moment must be within 0..{LATEST_MOMENT}, got {moment}")
    n = arrays[0].shape[-1]
    tables = [array.reshape(math.prod(array.shape[:-1]), n) for array in arrays]
    layout = _layout(sum(len(table) for table in tables))
    rows = np.zeros(min(n, AT_ONCE), layout)
    rows["version"], rows["moment"] = version, moment
    packed: list[bytes] = []
    for begin in range(0, n, AT_ONCE):
        some = rows[: n - begin]
        values = [table[:, begin : begin + AT_ONCE] for table in tables]
        # Series become rows: a transposition, small enough to stay in cache.
        some["values"] = np.concatenate(values).T
        packed += some.view(f"V{layout.itemsize}").tolist()
    return packed


def unpack(
    version: int, rows: list[bytes], shapes: list[tuple[int, ...]]
) -> tuple[int, list[np.ndarray]]:
    """(moment, arrays (*shape, n)) of rows.

    Raises
    ------
    ValueError
        If a row is of another version, length or moment than it should be.
    """
    sizes = [math.prod(shape) for shape in shapes]
    layout = _layout(sum(sizes))
    if wrong := {len(row) for row in rows} - {layout.itemsize}:
        raise ValueError(f"a state has {sorted(wrong)} bytes, not {layout.itemsize}")
    values = np.empty((sum(sizes), len(rows)), np.float32)
    moments: set[int] = set()
    for begin in range(0, len(rows), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        found = np.frombuffer(b"".join(rows[part]), layout)
        if (found["version"] != version).any():
            raise ValueError(f"a state is not of version {version}")
        moments.update(found["moment"].tolist())
        values[:, part] = found["values"].T
    if len(moments) > 1:
        raise ValueError("states of different moments cannot stand side by side")
    edges = np.cumsum([0, *sizes])
    parts = zip(edges[:-1], edges[1:], shapes, strict=True)
    arrays = [values[low:high].reshape(*shape, len(rows)) for low, high, shape in parts]
    return moments.pop() if moments else 0, arrays


def _layout(floats: int) -> np.dtype:
    """The layout of a row with so many floats."""
    return np.dtype([*HEAD, ("values", "<f4", (floats,))])
