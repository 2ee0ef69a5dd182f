"""The packed real orders (see data/ATTRIBUTION.md)."""

import io
import lzma
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

PACK = Path(__file__).resolve().parents[1] / "data" / "online_retail_2.npz.xz"
START = np.datetime64("2009-12-01T00:00", "m")


@dataclass(frozen=True, slots=True)
class Lines:
    """Order lines in the order of their times; arrays of one length, and the stock codes they point to."""

    invoice: np.ndarray
    minute: np.ndarray
    """Local minutes since 2009-12-01."""
    stock: np.ndarray
    quantity: np.ndarray
    price_pence: np.ndarray
    customer: np.ndarray
    is_product: np.ndarray
    is_cancel: np.ndarray
    stock_codes: list[str]
    titles: list[str]


@cache
def lines() -> Lines:
    """All lines of the pack."""
    with np.load(io.BytesIO(lzma.decompress(PACK.read_bytes()))) as arrays:
        columns = {name: arrays[name] for name in arrays.files}
    return Lines(
        **{name: columns[name] for name in columns if name not in ("stock_codes", "titles")},
        stock_codes=[str(code) for code in columns["stock_codes"]],
        titles=[str(title) for title in columns["titles"]],
    )
