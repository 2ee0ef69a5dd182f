"""What moves many products in the same week, and so is no product's own trend.

In:  units and exposure (n, T), oldest week first.
Out: a factor (n, T) by which each week's exposure counts: the whole shop's week, and the weeks shared
     by a kind of product (what sells for Christmas, in the sun, to the trade).
Method: the shop's factor is the sum of what was sold over the sum of what usually is, better sellers
weighted down. What is left is looked at for patterns common to many products: singular vectors of
the standardised residuals, as many as stand clear of chance. How strongly a product follows a pattern
is learned before the weeks judged, the pattern's strength in those weeks from all products: a
product's own change there can neither hide in its loading nor make the pattern.
Source: Leek & Storey (2008), "A general framework for multiple testing dependence", PNAS 105,
18718-18723; Bai & Ng (2002) for the number of patterns (here: clear of the noise's edge,
Marchenko & Pastur 1967).
Weak: under 40 weeks or 100 selling products only the shop's own factor is used; a new move of a whole
kind that has moved together before is put down to the kind.
"""

from typing import Final

import numpy as np

DISPERSION: Final = 0.4
"""Squared variation of a product's weekly rate beyond chance, taken for weighting only."""

LARGEST: Final = 8.0
CLOSED_BELOW: Final = 0.08
"""A week that sold less than this share of the usual was closed: it says nothing of demand."""

PATTERNS: Final = 3
CLEAR_OF_NOISE: Final = 1.3
"""A pattern counts if its singular value is this many times the largest that noise would give."""

LEAST_PRODUCTS: Final = 100
LEAST_WEEKS: Final = 40
LEAST_RATE: Final = 0.5
"""Units a week from which on a product helps to find patterns."""

STRONGEST: Final = 1.5
"""Log factor that patterns may give a product's week at most."""


def shared_factor(units: np.ndarray, exposure: np.ndarray, *, judged: int) -> np.ndarray:
    """Factor (n, T) of each product's week; 0 in weeks in which the shop was closed.

    Parameters
    ----------
    units, exposure : array (n, T)
    judged : int
        The last weeks, about which a verdict is wanted: loadings are not learned from them.
    """
    factor = shop_factor(units, exposure)
    exposed = exposure * factor[None, :]
    usual = _usual(units, exposed)
    sellers = (usual.mean(axis=1) > LEAST_RATE) & (exposure[:, :-judged].mean(axis=1) > 0.5)
    if sellers.sum() < LEAST_PRODUCTS or units.shape[1] - judged < LEAST_WEEKS:
        return np.broadcast_to(factor[None, :], units.shape)
    return factor[None, :] * _pattern_factor(units, usual, sellers, judged)


def shop_factor(units: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """What the shop sold in each week over what its products usually sell, (T,); 1 on average."""
    seen = exposure > 0
    rate = (units * seen).sum(axis=1) / np.maximum(exposure.sum(axis=1), 1e-9)
    weight = 1.0 / (1.0 + DISPERSION * rate)
    expected = (weight * rate) @ exposure
    sold = (weight[:, None] * units * seen).sum(axis=0)
    information = ((weight * rate) ** 2 * (1 / np.maximum(rate, 1e-9) + DISPERSION)) @ seen
    raw = np.where(expected > 0, sold / np.maximum(expected, 1e-12), 1.0)
    if (closed := raw < CLOSED_BELOW * np.median(raw)).any():
        raw = raw / max(float(np.mean(raw[~closed])), 1e-9)
    pattern = np.log(np.clip(raw, 1 / LARGEST, LARGEST))
    noise = information / np.maximum(expected, 1e-12) ** 2
    spread = float(np.var(pattern[~closed])) if (~closed).any() else 0.0
    # Few products make a noisy factor: it is moved toward 1 by its share of noise.
    signal = np.maximum(spread - noise, 0.0) / max(spread, 1e-12)
    return np.where(closed, 0.0, np.exp(signal * pattern))


def _usual(units: np.ndarray, exposed: np.ndarray) -> np.ndarray:
    """Expected units of each week at the product's mean rate, (n, T)."""
    seen = exposed > 0
    rate = (units * seen).sum(axis=1) / np.maximum(exposed.sum(axis=1), 1e-9)
    return rate[:, None] * exposed


def _pattern_factor(
    units: np.ndarray, usual: np.ndarray, sellers: np.ndarray, judged: int
) -> np.ndarray:
    spread = np.sqrt(usual + DISPERSION * usual**2)
    residual = np.where(usual > 0, (units - usual) / np.maximum(spread, 0.3), 0.0)
    patterns = _patterns(residual[sellers][:, :-judged])
    if not len(patterns):
        return np.ones_like(units)
    weight = usual / (1.0 + DISPERSION * usual)
    left = np.where(usual > 0, (units - usual) / np.maximum(usual, 1e-9), 0.0)
    log_factor = np.zeros_like(units)
    for pattern in patterns:
        part = _follow(left, weight, pattern, judged)
        left = left - part
        log_factor += part
    return np.exp(np.clip(log_factor, -STRONGEST, STRONGEST))


def _patterns(residual: np.ndarray) -> np.ndarray:
    """Patterns over the weeks before those judged that stand clear of chance, (k, T - judged)."""
    values, vectors = np.linalg.eigh(residual.T @ residual)
    edge = np.sqrt(residual.shape[0]) + np.sqrt(residual.shape[1])
    size = np.sqrt(np.maximum(values[::-1][:PATTERNS], 0.0))
    # Products more erratic than taken above raise the whole spectrum: the middle value tells by how much.
    erratic = np.sqrt(np.median(values) / max(residual.shape[0], 1))
    clear = size > CLEAR_OF_NOISE * edge * max(erratic, 1.0)
    return vectors[:, ::-1].T[:PATTERNS][clear]


def _follow(left: np.ndarray, weight: np.ndarray, pattern: np.ndarray, judged: int) -> np.ndarray:
    """How far each product's week follows a pattern, (n, T); loadings shrunk by their noise."""
    known = left[:, :-judged], weight[:, :-judged]
    strength = np.concatenate([pattern / max(float(pattern.std()), 1e-9), np.zeros(judged)])
    loading = np.zeros(len(left))
    for _ in range(3):
        then = strength[:-judged]
        product = (known[1] * known[0]) @ then
        power = known[1] @ then**2
        raw = product / np.maximum(power, 1e-9)
        excess = raw**2 - 1 / np.maximum(power, 1e-9)
        between = max(float(np.average(excess, weights=power / (1 + power) + 1e-9)), 1e-3)
        loading = product / (power + 1 / between)
        strength = ((weight * left).T @ loading) / np.maximum(weight.T @ loading**2, 1e-9)
    return loading[:, None] * strength[None, :]
