"""Shops of which the truth is known: simulated, or real weeks in another order with changes put in.

Every function takes a numpy Generator; units are (n, T), oldest week first.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bench.lib.data import retail_orders
from shopify_app.analytics.panel import as_panel

FACTORS: Final = (1 / 3, 1 / 2, 1 / 1.5, 1.5, 2.0, 3.0)
CHANGED: Final = 0.1
"""Share of products that truly changed, by one of `FACTORS`."""

DISPERSION: Final = 0.3
"""Median squared variation of a weekly rate: what Online Retail II orders show (0.31) above 2 a week."""

MONDAY: Final = np.datetime64("2024-01-01", "s")


@dataclass(frozen=True, slots=True)
class Truth:
    """A shop and what is true of it: factor of the last weeks and rate before, each (n,)."""

    units: np.ndarray
    factor: np.ndarray
    rate: np.ndarray


def history(units: np.ndarray, **columns: np.ndarray) -> pd.DataFrame:
    """A long history of whole weeks; further columns are (n, T)."""
    n, length = units.shape
    weeks = MONDAY + np.arange(length) * np.timedelta64(7, "D")
    frame = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), length),
            "period": np.tile(weeks, n),
            "units": units.ravel().astype(float),
        }
    )
    return frame.assign(**{name: values.ravel() for name, values in columns.items()})


def noisy(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Counts around means (n, T), each product with its own dispersion, lognormal around the median."""
    k = DISPERSION * rng.lognormal(0, 0.6, (len(mean), 1))
    return rng.poisson(mean * rng.gamma(1 / k, k, mean.shape)).astype(float)


def simulated(rng: np.random.Generator, *, weeks: int, n: int = 3000, length: int = 78) -> Truth:
    """A shop with a median of one sale a week, a tenth of it changed in the last `weeks`."""
    rate, factor = rng.lognormal(0, 1.2, n), _factors(rng, n)
    mean = np.tile(rate[:, None], (1, length))
    mean[:, -weeks:] *= factor[:, None]
    return Truth(noisy(rng, mean), factor, rate)


def retail_weeks(folder: Path) -> np.ndarray:
    """Orders a week of the products sold throughout, weeks in which the shop was (half) closed left out."""
    units = as_panel(retail_orders(folder).history, period="W").units
    total = units.sum(axis=0)
    units = units[:, total > 0.4 * np.median(total)]
    quarters = np.array_split(np.arange(units.shape[1]), 4)
    throughout = np.all([units[:, part].sum(axis=1) > 0 for part in quarters], axis=0)
    return units[throughout]


def permuted(rng: np.random.Generator, real: np.ndarray, *, weeks: int, together: bool) -> Truth:
    """Real weeks in a random order (each product's own, or one for all), a tenth changed at the end."""
    order = rng.permutation(real.shape[1])
    units = real[:, order].copy() if together else rng.permuted(real, axis=1)
    rate, factor = units.mean(axis=1), _factors(rng, len(units))
    for row in np.flatnonzero(factor != 1):
        recent = units[row, -weeks:].astype(int)
        up = factor[row] > 1
        units[row, -weeks:] = (
            recent + rng.poisson(recent * (factor[row] - 1))
            if up
            else rng.binomial(recent, factor[row])
        )
    return Truth(units, factor, rate)


def _factors(rng: np.random.Generator, n: int) -> np.ndarray:
    factor = np.ones(n)
    changed = rng.permutation(n)[: round(CHANGED * n)]
    factor[changed] = rng.choice(FACTORS, len(changed))
    return factor


@dataclass(frozen=True, slots=True)
class Caused:
    """A shop with causes put in: its history and the cause of each product ('' for none)."""

    frame: pd.DataFrame
    cause: np.ndarray


def with_causes(rng: np.random.Generator, *, n: int = 1500, length: int = 78) -> Caused:
    """Promotions (half marked, half only cheaper), stock that came back, single large weeks, among the rest."""
    rate = rng.lognormal(np.log(4), 0.6, n)
    mean = np.tile(rate[:, None], (1, length))
    price, in_stock, marked = np.full(mean.shape, 20.0), np.ones(mean.shape), np.zeros(mean.shape)
    kind = rng.choice(
        ["", "promotion", "stock-out rebound", "one-off", "demand"],
        n,
        p=[0.8, 0.05, 0.05, 0.05, 0.05],
    )
    for row in np.flatnonzero(kind != ""):
        lift, span = rng.uniform(2, 4), int(rng.integers(2, 7))
        if kind[row] == "one-off":
            mean[row, -int(rng.integers(1, 5))] *= rng.uniform(6, 15)
            continue
        mean[row, -span:] *= lift
        if kind[row] == "promotion" and rng.random() < 0.5:
            marked[row, -span:] = 1.0
        elif kind[row] == "promotion":
            price[row, -span:] *= rng.uniform(0.7, 0.9)
        elif kind[row] == "stock-out rebound":
            out = slice(-span - int(rng.integers(2, 7)), -span)
            in_stock[row, out] = rng.choice([0.0, 0.2])
            mean[row, out] *= in_stock[row, out]
    frame = history(noisy(rng, mean), price=price, in_stock=in_stock, on_promotion=marked)
    return Caused(frame, kind)


@dataclass(frozen=True, slots=True)
class Fads:
    """A shop in which changes come all the time; `level` (n, T + ahead) is the true rate over normal."""

    units: np.ndarray
    level: np.ndarray


def fads_and_lasting(
    rng: np.random.Generator, *, n: int = 2000, length: int = 104, ahead: int = 12
) -> Fads:
    """Rises that fade (a plateau of 2-5 weeks, then halving every 1-3) and changes for good, half and half."""
    total = length + ahead
    rate, level = rng.lognormal(np.log(2), 1.0, n), np.ones((n, total))
    week = np.arange(total)
    for row in np.flatnonzero(rng.random(n) < 0.6):
        start, size = int(rng.integers(26, length)), rng.uniform(np.log(1.7), np.log(3.5))
        if rng.random() < 0.5:
            faded = np.maximum(week - start - rng.integers(2, 6), 0) / rng.uniform(1, 3)
            shape = np.where(week >= start, 0.5**faded, 0.0)
            level[row] = 1 + (np.exp(size) - 1) * shape
        else:
            level[row, start:] = np.exp(size * rng.choice([-1, 1]))
    return Fads(noisy(rng, rate[:, None] * level), level)
