"""Shops of five types for ranges: what they sell a week, with shocks that all products of a week share.

Every function takes a numpy Generator; units are (n, T), oldest week first.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

PRODUCTS: Final = 250
SHOCK: Final = 0.10
"""Deviation of what a week does to all products of a shop, in logarithms."""


def _counts(rng: np.random.Generator, mean: np.ndarray, k: float) -> np.ndarray:
    own = k * rng.lognormal(0, 0.4, (len(mean), 1))
    week = rng.lognormal(0, SHOCK, (1, mean.shape[1]))
    return rng.poisson(mean * week * rng.gamma(1 / own, own, mean.shape)).astype(float)


def steady(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """Products that sell some units every week."""
    rate = rng.lognormal(1.5, 0.8, (PRODUCTS, 1))
    return _counts(rng, np.tile(rate, (1, weeks)), 0.2)


def slow(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """Products that sell a few times a year, a third of them ending on some day."""
    rate = rng.lognormal(-1.8, 0.7, (PRODUCTS, 1))
    end = np.where(rng.random(PRODUCTS) < 1 / 3, rng.uniform(0.3, 1.0, PRODUCTS) * weeks, weeks)
    lives = np.arange(weeks)[None, :] < end[:, None]
    return _counts(rng, rate * lives, 0.3)


def seasonal(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """Products with a summer and a winter."""
    rate = rng.lognormal(0.7, 1.0, (PRODUCTS, 1))
    course = 1 + 0.6 * np.sin(2 * np.pi * (np.arange(weeks) + 13) / 52)
    return _counts(rng, rate * course, 0.25)


def drifting(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """Fashion: levels wander, and new products come all the time."""
    start = rng.lognormal(0.7, 1.0, (PRODUCTS, 1))
    path = np.exp(rng.normal(0, 0.12, (PRODUCTS, weeks)).cumsum(axis=1))
    born = np.where(rng.random(PRODUCTS) < 0.5, rng.uniform(0, 0.8, PRODUCTS) * weeks, 0)
    lives = np.arange(weeks)[None, :] >= born[:, None]
    return _counts(rng, np.minimum(start * path, 200) * lives, 0.2)


def lumpy(rng: np.random.Generator, weeks: int) -> np.ndarray:
    """Orders of several units now and then: a shop that also sells to other shops."""
    rate = rng.lognormal(-0.7, 0.9, (PRODUCTS, 1))
    orders = rng.poisson(np.tile(rate, (1, weeks)) * rng.lognormal(0, SHOCK, (1, weeks)))
    size = rng.lognormal(1.2, 0.5, (PRODUCTS, 1))
    bought = rng.negative_binomial(1.5 * np.maximum(orders, 1e-9), 1.5 / (1.5 + size))
    return np.where(orders > 0, orders + bought, 0).astype(float)


TYPES: Final[dict[str, Callable[[np.random.Generator, int], np.ndarray]]] = {
    "steady": steady,
    "slow": slow,
    "seasonal": seasonal,
    "drifting": drifting,
    "lumpy": lumpy,
}


def shifted(rng: np.random.Generator, units: np.ndarray, week: int) -> np.ndarray:
    """The same shop, whose weeks swing far more from one on: shocks of all and of each product."""
    after = units.shape[1] - week
    all_alike = rng.lognormal(-0.08, 0.4, (1, after))
    each = rng.gamma(1.25, 1 / 1.25, (len(units), after))
    found = units.copy()
    found[:, week:] = rng.poisson(units[:, week:] * all_alike * each)
    return found
