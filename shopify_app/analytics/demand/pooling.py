"""Combination weights, dispersions and recalibrated levels of forecasts, from a shop's own past errors.

In:  totals foreseen and totals that came, at several past moments, of all series.
Out: combination weights; the dispersion of totals; the model's levels that really cover each level.
Method: weights on the simplex by least squares in units of the expected noise; dispersions by
moments of the errors, a series' own shrunk toward its class of rate; levels by the probability
integral transform of past totals, by class.
Source: Stock & Watson (2004), "Combination forecasts of output growth", J. Forecasting 23, 405-430;
Gneiting, Balabdaoui & Raftery (2007), "Probabilistic forecasts, calibration and sharpness",
JRSS B 69, 243-268; Czado, Gneiting & Held (2009), on the transform for counts, Biometrics 65,
1254-1261.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics import negative_binomial as nb

CLASSES: Final = np.array([0.1, 0.5, 2.0, 10.0, 40.0])
"""Edges of the classes of rate, in units a period."""

RECENT: Final = 0.97
"""Discount factor: weight of a moment against the next one."""

RIDGE: Final = 0.02
"""Ridge penalty toward equal combination weights, as a share of the components' own spread."""

CLASS_SHRINK: Final = 300.0
"""Pseudo-count, in windows, of the whole shop's weights beside a class's own."""

SERIES_SHRINK: Final = 16.0
"""Pseudo-count, in windows, of a class's dispersion beside a series' own."""

AGE_CLASSES: Final = ((0, 0), (1, 2), (3, 5))
"""(first, last) age, in blocks, of launches that share a dispersion."""

AGE_SHRINK: Final = 60.0
"""Pseudo-count, in windows, of a class of rate's dispersion beside an age class's own."""

LEVEL_SHRINK: Final = 200.0
"""Pseudo-count, in windows, of the whole shop's levels beside a class's own."""

OUTLYING: Final = 6.0
"""Standard deviations above the expectation at which a total is winsorised."""

WILD: Final = 1.0
"""K assumed for winsorising before a dispersion is known."""

NOISE: Final = 0.5
"""K assumed when totals are weighted for the combination."""

WIDEST: Final = 25.0
"""Largest dispersion."""

NARROWEST: Final = 0.01
"""Smallest dispersion."""

LEVELS: Final = np.array(
    [
        *(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85),
        *(0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999),
    ]
)
"""Levels that are recalibrated; between them, interpolated."""

EXTREME: Final = 1e-5
"""Distance that levels keep from 0 and 1."""

LEAST_WINDOWS: Final = 50
"""Windows below which levels are not recalibrated."""

FULLY_SEEN: Final = 0.9
"""Share of a window in stock from which the window is judged."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Foreseen and actual totals over `span` periods from each past moment on.

    Attributes
    ----------
    foreseen, actual : array (moments, n)
        Expected total M were it in stock throughout; actual total S.
    exposure : array (moments, n)
        Share of the window in which it was on sale.
    begins : array (moments,) of int
        Periods known at each moment.
    ages : array (moments, n) of int
        Blocks since the launch of what is still young; -1 for all else.
    span : int
    moves : array (moments, n), optional
        Common error factor of each series' group: no error of its own.
    """

    foreseen: np.ndarray
    actual: np.ndarray
    exposure: np.ndarray
    begins: np.ndarray
    ages: np.ndarray
    span: int
    moves: np.ndarray | None = None

    def of(self, series: np.ndarray) -> "Windows":
        """The windows of the chosen series."""
        return Windows(
            self.foreseen[:, series].astype(float),
            self.actual[:, series].astype(float),
            self.exposure[:, series].astype(float),
            self.begins,
            self.ages[:, series],
            self.span,
            None if self.moves is None else self.moves[:, series],
        )

    def expected(self, moment: int | np.ndarray, series: np.ndarray | slice) -> np.ndarray:
        """Expected totals of some windows, censoring and common errors counted."""
        mean = self.foreseen[moment, series].astype(float) * self.exposure[moment, series]
        return mean if self.moves is None else mean * self.moves[moment, series]

    @property
    def recency(self) -> np.ndarray:
        """Weight of each moment (moments, 1)."""
        return (RECENT ** np.arange(len(self.actual))[::-1])[:, None]


def without_bulk(
    actual: np.ndarray, mean: np.ndarray, dispersion: np.ndarray | float
) -> np.ndarray:
    """Totals winsorised above, so that one bulk order is no lesson.

    Parameters
    ----------
    mean, dispersion : what was expected, and K of it
    """
    spread = np.sqrt(mean + dispersion * mean**2 + 1.0)
    return np.minimum(actual, mean + OUTLYING * spread)


def rate_class(rate: np.ndarray) -> np.ndarray:
    """Class of each rate, 0..len(CLASSES)."""
    return np.searchsorted(CLASSES, rate, side="right")


def component_weights(components: np.ndarray, windows: Windows, classes: np.ndarray) -> np.ndarray:
    """Combination weights (components, len(CLASSES) + 1) by class of rate, on the simplex.

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
    """(Gram matrix G, right side r) of the weighted least squares."""
    expected, came = components[:, :, members], windows.actual[:, members]
    time = windows.exposure[:, members]
    # Weights 1 / Var with Var = M + K M^2 at the components' mean, and a floor for what hardly
    # sells.
    middle = np.maximum(expected.mean(axis=0), 0.05 * windows.span)
    weight = np.where(time > 0.5, 1.0 / (middle + NOISE * middle**2), 0.0) * windows.recency
    x = expected * time[None]
    gram = np.einsum("amn,bmn,mn->ab", x, x, weight, optimize=True)
    right = np.einsum("amn,mn,mn->a", x, came, weight, optimize=True)
    return gram.astype(float), right.astype(float)


def _simplex(gram: np.ndarray, right: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """Minimiser of w'Gw - 2 w'r + ridge |w - toward|^2 over the simplex, by exponentiated gradient."""
    scale = float(np.trace(gram)) / len(gram)
    if scale <= 0:
        return toward
    gram, right = gram / scale, right / scale
    ridge = RIDGE * max(float(np.mean(np.diag(gram)) - np.mean(gram)), 1e-4)
    weights = np.maximum(toward, 1e-3)
    weights /= weights.sum()
    for _ in range(400):
        # Exponentiated gradient (Kivinen & Warmuth 1997): multiplicative steps stay on the
        # simplex.
        slope = 2 * (gram @ weights - right) + 2 * ridge * (weights - toward)
        weights = weights * np.exp(-2.0 * (slope - slope.min()))
        weights /= weights.sum()
    return weights


@dataclass(frozen=True, slots=True)
class SharedDispersion:
    """Dispersions that series share, by class of rate and by age.

    Attributes
    ----------
    by_class : array (len(CLASSES) + 1,)
        K of each class of rate.
    by_age : array (len(AGE_CLASSES), 2)
        K of launches of an age, and its shrinkage weight against that of their class of rate.
    """

    by_class: np.ndarray
    by_age: np.ndarray

    def of(self, classes: np.ndarray, ages: np.ndarray) -> np.ndarray:
        """Pooled K (n,) of series of some classes and ages."""
        pooled = self.by_class[classes]
        if not (ages >= 0).any():
            return pooled
        for (first, last), (own, share) in zip(AGE_CLASSES, self.by_age, strict=True):
            young = (ages >= first) & (ages <= last)
            pooled[young] = share * own + (1 - share) * pooled[young]
        return pooled


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Moments of past errors, from which the dispersion of totals is made.

    Attributes
    ----------
    excess, squares : array (n,)
        Sums over the windows, recent ones counting more, of (S - M)^2 - M and of M^2.
    shared : SharedDispersion
    pooled : array (n,)
        K of each series' class and age.
    now : array (n,)
        Total foreseen from now on.
    most : float
        Sum of the windows' weights.
    common : array (n,)
        Variance of the coming common error of each series' group.
    """

    excess: np.ndarray
    squares: np.ndarray
    shared: SharedDispersion
    pooled: np.ndarray
    now: np.ndarray
    most: float
    common: np.ndarray

    def values(self) -> np.ndarray:
        """K (n,) of coming totals: common variance and each series' own."""
        own = self._shrunk(self.excess, self.squares, slice(None))
        # Total variance M + M^2 [v + (1 + v) k]: a common factor of variance v times own
        # dispersion k.
        return np.minimum(self.common + (1 + self.common) * own, WIDEST)

    def without(self, windows: Windows, moment: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Own K of some series, leaving out all windows that overlap one of theirs (leave-one-out)."""
        excess, squares = self.excess[series].copy(), self.squares[series].copy()
        for other, begin in enumerate(windows.begins):
            near = np.abs(windows.begins[moment] - begin) < windows.span
            terms = _terms(windows, other, series[near])
            excess[near] -= terms[0]
            squares[near] -= terms[1]
        return self._shrunk(excess, np.maximum(squares, 0.0), series)

    def _shrunk(
        self, excess: np.ndarray, squares: np.ndarray, series: np.ndarray | slice
    ) -> np.ndarray:
        """Own K, excess over squares, shrunk toward the pooled one."""
        now = np.maximum(self.now[series], 1e-6)
        # Effective number of windows at today's size, at most the weights' sum.
        evidence = np.minimum(squares / now**2, self.most)
        own = np.clip(excess / np.maximum(squares, 1e-9), 0.0, WIDEST)
        share = evidence / (evidence + SERIES_SHRINK)
        return np.clip(share * own + (1 - share) * self.pooled[series], NARROWEST, WIDEST)


def dispersion_of(
    windows: Windows,
    now: np.ndarray,
    classes: np.ndarray,
    ages: np.ndarray,
    shared: SharedDispersion | None = None,
    common: np.ndarray | None = None,
) -> Dispersion:
    """The `Dispersion` of totals, from errors at past moments.

    Parameters
    ----------
    now : array (n,)
        Total foreseen from now on.
    classes, ages : array (n,)
        What each series is now.
    shared : SharedDispersion, optional
        Learned of other series; without it, of these.
    common : array (n,), optional
        Variance of what will move all of a series' group.
    """
    excess, squares = np.zeros(len(classes)), np.zeros(len(classes))
    for moment in range(len(windows.actual)):
        terms = _terms(windows, moment, slice(None))
        excess += terms[0]
        squares += terms[1]
    if shared is None:
        shared = SharedDispersion(_by_class(excess, squares, classes), _by_age(windows))
    pooled = shared.of(classes, ages)
    common = np.zeros(len(classes)) if common is None else common
    return Dispersion(excess, squares, shared, pooled, now, float(windows.recency.sum()), common)


def _by_age(windows: Windows) -> np.ndarray:
    """(K, shrinkage weight) of launches of each age class (len(AGE_CLASSES), 2)."""
    found = np.zeros((len(AGE_CLASSES), 2))
    for number, (first, last) in enumerate(AGE_CLASSES):
        then = (windows.ages >= first) & (windows.ages <= last) & (windows.exposure > FULLY_SEEN)
        if not then.any():
            continue
        mean = windows.expected(*np.nonzero(then))
        # A launch counts about once, whatever it was believed to sell.
        weight = 1 / (1 + mean) ** 2
        # E (S - M)^2 = M + K M^2: the moment estimate of K is sum of excess over sum of M^2.
        error = (without_bulk(windows.actual[then], mean, WILD) - mean) ** 2 - mean
        own = np.clip((weight * error).sum() / max((weight * mean**2).sum(), 1e-6), 0.0, WIDEST)
        found[number] = own, len(mean) / (len(mean) + AGE_SHRINK)
    return found


def _terms(
    windows: Windows, moment: int, series: np.ndarray | slice
) -> tuple[np.ndarray, np.ndarray]:
    """(excess (S - M)^2 - M, squares M^2) of one moment's windows, weighted."""
    time = windows.exposure[moment, series].astype(float)
    mean = np.where(time > 0.5, windows.expected(moment, series), 0.0)
    actual = without_bulk(windows.actual[moment, series], mean, WILD)
    error = np.where(time > 0.5, (actual - mean) ** 2 - mean, 0.0)
    weight = float(windows.recency[moment, 0])
    return weight * error, weight * mean**2


def _by_class(excess: np.ndarray, squares: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """K of each class of rate, shrunk toward the whole shop's."""
    whole = _ratio(excess, squares, 0.3)
    found = np.full(len(CLASSES) + 1, whole)
    for number in np.unique(classes):
        members = classes == number
        shown = float((squares[members] > 0).sum())
        share = shown / (shown + 20.0)
        own = _ratio(excess[members], squares[members], whole)
        found[number] = share * own + (1 - share) * whole
    return found


def _ratio(excess: np.ndarray, squares: np.ndarray, default: float) -> float:
    """Excess over squares, or a default where nothing was seen."""
    total = float(squares.sum())
    return float(np.clip(excess.sum() / total, NARROWEST, WIDEST)) if total > 1e-6 else default


def held_levels(
    windows: Windows, dispersion: Dispersion, *, most: int, rng: np.random.Generator
) -> np.ndarray:
    """Recalibrated levels (classes, len(LEVELS)): the model's levels that covered `LEVELS` of past totals.

    Each total is placed in a distribution whose dispersion has not seen it.

    Parameters
    ----------
    dispersion : what all windows say
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
    mean = windows.expected(moment, series)
    actual = windows.actual[moment, series].astype(float)
    spread = dispersion.without(windows, moment, series)
    upper, lower = nb.cdf(actual, mean, spread), nb.cdf(actual - 1, mean, spread)
    # Randomised PIT (Czado et al. 2009): uniform between P(D <= S - 1) and P(D <= S).
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
    """Quantiles at `LEVELS` of weighted values."""
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return np.interp(LEVELS, (share - 0.5 * weight[order]) / share[-1], values[order])
