"""How a forecast of a total is scored: pinball loss, scaled per series, and how often it covers."""

from typing import Final

import numpy as np

LEVELS: Final = (0.5, 0.8, 0.9, 0.95, 0.99)


def naive_scale(units: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Mean absolute step from a period to the next, per series (n,); NaN where nothing ever moved."""
    both = (exposure[:, 1:] > 0) & (exposure[:, :-1] > 0)
    steps = np.abs(np.diff(units, axis=1)) * both
    count = both.sum(axis=1)
    scale = steps.sum(axis=1) / np.maximum(count, 1)
    return np.where((count >= 4) & (scale > 0), scale, np.nan)


def pinball(
    actual: np.ndarray, quantiles: np.ndarray, levels: tuple[float, ...] = LEVELS
) -> np.ndarray:
    """Pinball loss (n, k) of quantiles (n, k) of one total each (n,)."""
    gap = actual[:, None] - quantiles
    level = np.asarray(levels)[None, :]
    return np.where(gap >= 0, level * gap, (level - 1) * gap)


def slack(
    actual: np.ndarray, quantiles: np.ndarray, levels: tuple[float, ...] = LEVELS
) -> np.ndarray:
    """By how much P(D < q) <= level <= P(D <= q) fails, per level (k,); positive: too few are below."""
    below = (actual[:, None] < quantiles).mean(axis=0)
    within = (actual[:, None] <= quantiles).mean(axis=0)
    level = np.asarray(levels)
    return np.where(within < level, level - within, np.where(below > level, level - below, 0.0))
