"""What a shop's own past says of its forecasts: how to mix them, how wide to make them.

In:  totals foreseen and totals that came, at several past moments, of all series.
Out: weights of the components; the dispersion of totals; the level at which a range really holds.
Method: weights on the simplex by least squares in units of the expected noise; dispersions by
moments of the errors, by class of rate and moved toward each series' own; levels by where past
totals fell in the distributions foreseen for them (probability integral transform), by class.
Source: Stock & Watson (2004), "Combination forecasts of output growth", J. Forecasting 23, 405-430;
Gneiting, Balabdaoui & Raftery (2007), "Probabilistic forecasts, calibration and sharpness",
JRSS B 69, 243-268; Czado, Gneiting & Held (2009), on the transform for counts, Biometrics 65,
1254-1261.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics import negative_binomial as nb

CLASSES: Final = np.array([0.1, 0.5, 2.0, 10.0])
"""Edges of the rate classes, units a period."""

RECENT: Final = 0.97
"""Weight of a moment against the next."""

RIDGE: Final = 0.02
"""Pull of the weights toward equal ones, as a share of the components' own spread."""

CLASS_SHRINK: Final = 300.0
"""Cases that a class needs for its own weights to count as much as the whole shop's."""

SERIES_SHRINK: Final = 8.0
"""Windows that a series needs for its own dispersion to count as much as its class's."""

LEVEL_SHRINK: Final = 200.0
"""Windows that a class needs for its own levels to count as much as the whole shop's."""

NOISE: Final = 0.5
WIDEST: Final = 25.0
NARROWEST: Final = 0.01
LEVELS: Final = np.array(
    [
        *(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85),
        *(0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999),
    ]
)
"""Levels at which the distributions are held to the shop's past; between them, interpolated."""

EXTREME: Final = 1e-5
LEAST_WINDOWS: Final = 50
FULLY_SEEN: Final = 0.9
"""Share of a window in which a series must have been on sale for the window to be judged."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Totals over `span` periods from each past moment on.

    Attributes
    ----------
    foreseen, actual : array (moments, n)
        Expected total were it in stock throughout; total that came.
    exposure : array (moments, n)
        Share of the window in which it was on sale.
    span : int
    """

    foreseen: np.ndarray
    actual: np.ndarray
    exposure: np.ndarray
    span: int

    def of(self, series: np.ndarray) -> "Windows":
        """The windows of some series."""
        return Windows(
            self.foreseen[:, series].astype(float),
            self.actual[:, series].astype(float),
            self.exposure[:, series].astype(float),
            self.span,
        )

    @property
    def recency(self) -> np.ndarray:
        """Weight of each moment (moments, 1)."""
        return (RECENT ** np.arange(len(self.actual))[::-1])[:, None]


def rate_class(rate: np.ndarray) -> np.ndarray:
    """Class of each rate, 0..len(CLASSES)."""
    return np.digitize(rate, CLASSES)


def component_weights(components: np.ndarray, windows: Windows, classes: np.ndarray) -> np.ndarray:
    """Weights (components, len(CLASSES) + 1) by class of rate, at least 0 and summing to 1.

    Parameters
    ----------
    components : array (components, moments, n), totals foreseen by each
    windows : the totals that came (its own `foreseen` is not looked at)
    classes : array (n,)
    """
    equal = np.full(len(components), 1 / len(components))
    everyone = np.ones(len(classes), bool)
    whole = _simplex(*_normal_equations(components, windows, everyone), equal)
    weights = np.tile(whole[:, None], (1, len(CLASSES) + 1))
    for number in np.unique(classes):
        members = classes == number
        own = _simplex(*_normal_equations(components, windows, members), whole)
        cases = float((windows.exposure[:, members] > 0.5).sum())
        share = cases / (cases + CLASS_SHRINK)
        weights[:, number] = share * own + (1 - share) * whole
    return weights


def _normal_equations(
    components: np.ndarray, windows: Windows, members: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(Gram matrix, right side) of the weighted least squares."""
    expected, came = components[:, :, members], windows.actual[:, members]
    time = windows.exposure[:, members]
    middle = np.maximum(expected.mean(axis=0), 0.05 * windows.span)
    weight = np.where(time > 0.5, 1.0 / (middle + NOISE * middle**2), 0.0) * windows.recency
    x = expected * time[None]
    gram = np.einsum("amn,bmn,mn->ab", x, x, weight, optimize=True)
    right = np.einsum("amn,mn,mn->a", x, came, weight, optimize=True)
    return gram.astype(float), right.astype(float)


def _simplex(gram: np.ndarray, right: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """Min w'Gw - 2 w'r, w on the simplex, pulled toward given weights; by exponentiated gradient."""
    scale = float(np.trace(gram)) / len(gram)
    if scale <= 0:
        return toward
    gram, right = gram / scale, right / scale
    pull = RIDGE * max(float(np.mean(np.diag(gram)) - np.mean(gram)), 1e-4)
    weights = np.maximum(toward, 1e-3)
    weights /= weights.sum()
    for _ in range(400):
        slope = 2 * (gram @ weights - right) + 2 * pull * (weights - toward)
        weights = weights * np.exp(-2.0 * (slope - slope.min()))
        weights /= weights.sum()
    return weights


def dispersions(windows: Windows, now: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """K (n,) of totals whose variance is M + K M^2, from errors at past moments.

    Parameters
    ----------
    now : array (n,)
        Total foreseen from now on.
    classes : array (n,)
    """
    seen = windows.exposure > 0.5
    mean = np.where(seen, windows.foreseen * windows.exposure, 0.0)
    recent = windows.recency
    excess = (np.where(seen, (windows.actual - mean) ** 2 - mean, 0.0) * recent).sum(axis=0)
    squares = (mean**2 * recent).sum(axis=0)
    pooled = _pooled(excess, squares, classes)
    evidence = np.minimum(squares / np.maximum(now, 1e-6) ** 2, float(recent.sum()))
    own = np.clip(excess / np.maximum(squares, 1e-9), 0.0, WIDEST)
    share = evidence / (evidence + SERIES_SHRINK)
    return np.clip(share * own + (1 - share) * pooled, NARROWEST, WIDEST)


def _pooled(excess: np.ndarray, squares: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Each series' class's dispersion; the whole shop's where a class has shown too little."""
    whole = _ratio(excess, squares, 0.3)
    found = np.full(len(classes), whole)
    for number in np.unique(classes):
        members = classes == number
        shown = float((squares[members] > 0).sum())
        share = shown / (shown + 20.0)
        own = _ratio(excess[members], squares[members], whole)
        found[members] = share * own + (1 - share) * whole
    return found


def _ratio(excess: np.ndarray, squares: np.ndarray, default: float) -> float:
    total = float(squares.sum())
    return float(np.clip(excess.sum() / total, NARROWEST, WIDEST)) if total > 1e-6 else default


def held_levels(
    windows: Windows, dispersion: np.ndarray, *, most: int, rng: np.random.Generator
) -> np.ndarray:
    """Levels (classes, len(LEVELS)) of the model at which the shop's totals held `LEVELS`.

    Parameters
    ----------
    dispersion : array (n,)
    most : int
        At most so many windows are looked at, drawn by chance.
    """
    identity = np.tile(LEVELS, (len(CLASSES) + 1, 1))
    moment, series = np.nonzero(windows.exposure > FULLY_SEEN)
    if len(moment) < LEAST_WINDOWS:
        return identity
    if len(moment) > most:
        kept = rng.choice(len(moment), most, replace=False)
        moment, series = moment[kept], series[kept]
    mean = (windows.foreseen[moment, series] * windows.exposure[moment, series]).astype(float)
    actual = windows.actual[moment, series].astype(float)
    upper = nb.cdf(actual, mean, dispersion[series])
    lower = nb.cdf(actual - 1, mean, dispersion[series])
    place = lower + (upper - lower) * rng.random(len(moment))
    weight = windows.recency[moment, 0]
    classes = rate_class(windows.foreseen[moment, series] / windows.span)
    whole = _weighted_quantiles(place, weight)
    found = np.tile(whole, (len(identity), 1))
    for number in range(len(identity)):
        members = classes == number
        if members.sum() >= LEAST_WINDOWS:
            share = float(weight[members].sum())
            share /= share + LEVEL_SHRINK
            own = _weighted_quantiles(place[members], weight[members])
            found[number] = share * own + (1 - share) * whole
    return np.clip(np.maximum.accumulate(found, axis=1), EXTREME, 1 - EXTREME)


def _weighted_quantiles(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return np.interp(LEVELS, (share - 0.5 * weight[order]) / share[-1], values[order])
