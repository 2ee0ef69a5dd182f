"""Common factors of many products' weeks, which are no product's own trend: the shop's, and those of a kind of product.

In:  units and exposure (n, T), oldest week first.
Out: a factor (n, T) by which each week's exposure counts: the whole shop's week, and the weeks shared
     by a kind of product (what sells for Christmas, in the sun, to the trade).
Method: the shop's factor is the sum of what was sold over the sum of what usually is, better sellers
weighted down. Further factors are the singular vectors of the standardised residuals, as many as stand
clear of the noise's edge. A product's loading is estimated before the weeks judged, the factor's score in
those weeks from all products: a product's own change there can neither hide in its loading nor make the
factor.
Source: Leek & Storey (2008), "A general framework for multiple testing dependence", PNAS 105,
18718-18723; Bai & Ng (2002) for the number of patterns (here: clear of the noise's edge,
Marchenko & Pastur 1967).
Weak: under 40 weeks or 100 selling products only the shop's own factor is used; a new move of a whole
kind that has moved together before is put down to the kind.
"""

from typing import Final

import numpy as np

DISPERSION: Final = 0.4
"""K of a product's week, assumed for weighting only."""

LARGEST: Final = 8.0
"""Bound of the shop's factor, and of its inverse."""

CLOSED_BELOW: Final = 0.08
"""Share of the usual below which a week's sales mean that the shop was closed: it says nothing of demand."""

PATTERNS: Final = 3
"""Number of patterns at most."""

CLEAR_OF_NOISE: Final = 1.3
"""Multiple of the noise's largest singular value that a pattern's must exceed."""

LEAST_PRODUCTS: Final = 100
"""Selling products below which only the shop's own factor is used."""

LEAST_WEEKS: Final = 40
"""Weeks before the judged ones below which only the shop's own factor is used."""

LEAST_RATE: Final = 0.5
"""Units a week from which on a product helps to find patterns."""

STRONGEST: Final = 1.5
"""Bound on the log factor that patterns give a product's week."""


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
    """Factor of the whole shop's weeks (T,): sold over usually sold, 1 on average, shrunk by its noise."""
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
    # Few products make a noisy factor: its log is shrunk by signal / (signal + noise).
    signal = np.maximum(spread - noise, 0.0) / max(spread, 1e-12)
    return np.where(closed, 0.0, np.exp(signal * pattern))


def _usual(units: np.ndarray, exposed: np.ndarray) -> np.ndarray:
    """Expected units of each week at the product's mean rate (n, T)."""
    seen = exposed > 0
    rate = (units * seen).sum(axis=1) / np.maximum(exposed.sum(axis=1), 1e-9)
    return rate[:, None] * exposed


def _pattern_factor(
    units: np.ndarray, usual: np.ndarray, sellers: np.ndarray, judged: int
) -> np.ndarray:
    """Factor (n, T) of the patterns alone."""
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
    """Patterns over the weeks before those judged that stand clear of noise (k, T - judged)."""
    values, vectors = np.linalg.eigh(residual.T @ residual)
    # Marchenko & Pastur: noise of unit variance has no singular value above sqrt(n) + sqrt(T).
    edge = np.sqrt(residual.shape[0]) + np.sqrt(residual.shape[1])
    size = np.sqrt(np.maximum(values[::-1][:PATTERNS], 0.0))
    # Products more erratic than taken above raise the whole spectrum: the middle value tells by how much.
    erratic = np.sqrt(np.median(values) / max(residual.shape[0], 1))
    clear = size > CLEAR_OF_NOISE * edge * max(erratic, 1.0)
    return vectors[:, ::-1].T[:PATTERNS][clear]


def _follow(left: np.ndarray, weight: np.ndarray, pattern: np.ndarray, judged: int) -> np.ndarray:
    """Log factor (n, T) of one pattern: loading times score, loadings shrunk by their noise."""
    known = left[:, :-judged], weight[:, :-judged]
    strength = np.concatenate([pattern / max(float(pattern.std()), 1e-9), np.zeros(judged)])
    loading = np.zeros(len(left))
    for _ in range(3):
        then = strength[:-judged]
        product = (known[1] * known[0]) @ then
        power = known[1] @ then**2
        raw = product / np.maximum(power, 1e-9)
        excess = raw**2 - 1 / np.maximum(power, 1e-9)
        # Alternating least squares with a ridge 1 / tau^2, tau^2 the loadings' variance by
        # moments.
        between = max(float(np.average(excess, weights=power / (1 + power) + 1e-9)), 1e-3)
        loading = product / (power + 1 / between)
        strength = ((weight * left).T @ loading) / np.maximum(weight.T @ loading**2, 1e-9)
    return loading[:, None] * strength[None, :]
