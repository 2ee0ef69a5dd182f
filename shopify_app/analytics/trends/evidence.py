"""Likelihood of the last weeks under each change of a product's rate.

In:  units and exposure (n, T); exposure 0 says nothing.
Out: `Evidence`: the predictive probability of the last weeks for each change on `GRID`, each length of
     window, and for "nothing changed but one single week".
Method: weekly counts are negative binomial. With the shape r known, two windows are two binomials whose
log odds differ by the log ratio of the rates; the rate itself is integrated out by Laplace's method
with its mode in closed form (Cox-Reid's adjustment comes out of it). r is summed over a grid under a
prior learned from the shop's products of like rate. Weeks of unequal exposure count each with their own
mean there; a stretch of them is as good as fewer even weeks, by its variance. What came before is the last
half year or all that is known, weighted by the probability that the older weeks have the newer's rate.
Source: Robinson & Smyth (2008), "Small-sample estimation of negative binomial dispersion",
Biostatistics 9, 321-332; Cox & Reid (1987), JRSS B 49, 1-39; Tierney & Kadane (1986).
Weak: weeks are taken as independent given the rate.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import betaln, gammaln

GRID: Final = np.linspace(-2.4, 2.4, 81)
"""Grid of log ratios; the middle one is "no change"."""

MIDDLE: Final = len(GRID) // 2
"""Index of "no change"."""

DISPERSIONS: Final = 0.02 * 1.5 ** np.arange(16)
"""Grid of the dispersion K of weekly counts."""

CLASSES: Final = (0.1, 0.5, 2.0, 8.0)
"""Edges of the classes of rate, in units a week."""

CLASS_SHRINK: Final = 20.0
"""Pseudo-count, in products, of the shop's dispersions beside a class's own."""

RECENT_BASE: Final = 26
"""Weeks before the judged ones that make the recent base: half a year."""

LONG_BASE: Final = 60
"""Weeks before the judged ones that make the long base: up to fourteen months."""

LEAST_BASE: Final = 8
"""Weeks below which a base says nothing."""

DRIFT: Final = 0.5
"""Standard deviation of the log of the older over the newer rate where it did change."""

HALF: Final = 0.5
"""Pseudo-count of sales in the base (Jeffreys): a product that never sold has a rate above none."""

CHUNK: Final = 4000
"""Products worked on at once, for the memory."""

COUNTED_AT_ONCE: Final = 1000
"""The same for single weeks, of which each has a number for every dispersion."""

LEAST: Final = 1e-3
"""Weeks that an empty stretch counts as, so that logarithms exist."""

NEGLIGIBLE: Final = 1e-3
"""Probability below which a branch is left out."""

SINGLE_WEEK_SPREAD: Final = float(np.log(15))
"""Width, in logarithms, of the size of one large week: evenly from twice to thirty times the usual."""

SHAPES: Final = 1.0 / DISPERSIONS
"""Grid of the negative binomial's shape r = 1 / K."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Likelihoods of the judged weeks.

    Attributes
    ----------
    likelihood : array (n, windows, grid), relative to any constant of the row
    single_week : array (n,), the same for "no change, and one single large week"
    informative : array (n,) of bool; False where nothing can be said
    dispersion : array (n,), posterior mean
    """

    likelihood: np.ndarray
    single_week: np.ndarray
    informative: np.ndarray
    dispersion: np.ndarray


@dataclass(frozen=True, slots=True)
class _Weeks:
    """Sales, weeks and exposure of a stretch, each (n,).

    `weeks` are those of even exposure in which sales would vary as much: (sum of e)^2 / sum of e^2, since
    the variance of a sum is its mean + k rate^2 times the sum of e^2. `seen` are those with any.
    """

    sold: np.ndarray
    weeks: np.ndarray
    exposed: np.ndarray
    seen: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "_Weeks":
        return _Weeks(self.sold[rows], self.weeks[rows], self.exposed[rows], self.seen[rows])


def evidence(units: np.ndarray, exposure: np.ndarray, windows: tuple[int, ...]) -> Evidence:
    """The `Evidence` of every product; `windows` are lengths in weeks, the longest is judged."""
    judged = max(windows)
    units, exposure = units[:, -LONG_BASE - judged :], exposure[:, -LONG_BASE - judged :]
    n, length = units.shape
    # Weeks [0, split) are the older base, [split, length - judged) the half year before the
    # judged ones.
    split = max(length - judged - RECENT_BASE, 0)
    rate = _rate(units, exposure)
    log_counts = _log_counts(units, exposure, rate, (split, length - judged))
    log_prior = _dispersion_prior(units, exposure, rate, judged, log_counts.sum(axis=1))
    trust = _trust_in_older(units, exposure, judged, np.exp(log_prior) @ DISPERSIONS)
    likelihood, single = np.zeros((n, len(windows), len(GRID)), np.float32), np.zeros(n)
    dispersion = np.zeros(n)
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        found = _mixed_predictive(
            units[rows],
            exposure[rows],
            rate[rows],
            log_counts[rows],
            log_prior[rows],
            trust[rows],
            windows,
        )
        likelihood[rows], single[rows], dispersion[rows] = found
    base, recent = _stretch(units, exposure, 0, judged), _stretch(units, exposure, judged, 0)
    informative = (base.seen >= LEAST_BASE) & (recent.seen > 0) & (base.sold + recent.sold > 0)
    likelihood[~informative], single[~informative] = 1.0, 0.0
    return Evidence(likelihood, single, informative, dispersion)


def _mixed_predictive(
    units: np.ndarray,
    exposure: np.ndarray,
    rate: np.ndarray,
    log_counts: np.ndarray,
    log_prior: np.ndarray,
    trust: np.ndarray,
    windows: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`_predictive` from the long and from the recent base, mixed by the probability that the older weeks have the same rate."""
    judged, length = max(windows), units.shape[1]
    likelihood = np.zeros((len(units), len(windows), len(GRID)))
    single, dispersion = np.zeros(len(units)), np.zeros(len(units))
    # With probability `trust` all older weeks count, else the last half year alone.
    for weeks, first, share in ((length, 0, trust), (RECENT_BASE + judged, 1, 1 - trust)):
        rows = np.flatnonzero(share > NEGLIGIBLE)
        before, after = log_counts[rows, first:2].sum(axis=1), log_counts[rows, 2]
        found = _predictive(
            units[rows, -weeks:],
            exposure[rows, -weeks:],
            rate[rows],
            log_prior[rows] + before,
            after,
            windows,
        )
        likelihood[rows] += share[rows, None, None] * found[0]
        single[rows] += share[rows] * found[1]
        dispersion[rows] += share[rows] * found[2]
    # Only ratios matter: rows are scaled so that nothing underflows.
    largest = np.maximum(likelihood.max(axis=(1, 2)), 1e-300)
    return likelihood / largest[:, None, None], single / largest, dispersion


def _stretch(units: np.ndarray, exposure: np.ndarray, last: int, before: int) -> _Weeks:
    """The `_Weeks` of the last `last` weeks, or, if `before` is given, of all before those."""
    part = slice(-last, None) if last else slice(0, units.shape[1] - before)
    exposed = exposure[:, part]
    seen, total = exposed > 0, exposed.sum(axis=1)
    # Effective number of weeks (sum e)^2 / sum e^2 (Kish).
    even = total**2 / np.maximum((exposed**2).sum(axis=1), 1e-18)
    sold = (units[:, part] * seen).sum(axis=1)
    return _Weeks(sold, even, total, seen.sum(axis=1).astype(float))


def _rate(units: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Units a week of full exposure over all that is known (n,)."""
    sold = (units * (exposure > 0)).sum(axis=1)
    return np.maximum(sold, HALF) / np.maximum(exposure.sum(axis=1), 1e-9)


def _log_counts(
    units: np.ndarray, exposure: np.ndarray, rate: np.ndarray, edges: tuple[int, int]
) -> np.ndarray:
    """Log probability of weeks at a rate, summed over weeks [0, e0), [e0, e1), [e1, T): (n, 3, shapes)."""
    seen = np.where(exposure > 0, units, 0.0)
    values, inverse = np.unique(seen, return_inverse=True)
    inverse = inverse.reshape(units.shape)
    # log Gamma(y + r) - log Gamma(r) - log y!, once a distinct count.
    table = gammaln(values[:, None] + SHAPES[None, :]) - gammaln(SHAPES)[None, :]
    table -= gammaln(values + 1)[:, None]
    parts = np.zeros((len(units), 3, len(SHAPES)))
    bounds = (0, *edges, units.shape[1])
    for start in range(0, len(units), COUNTED_AT_ONCE):
        rows = slice(start, start + COUNTED_AT_ONCE)
        for part in range(3):
            weeks = slice(bounds[part], bounds[part + 1])
            mean = rate[rows, None] * exposure[rows, weeks]
            parts[rows, part] = table[inverse[rows, weeks]].sum(axis=1)
            parts[rows, part] += _mean_terms(seen[rows, weeks], mean, SHAPES).sum(axis=1)
    return parts


def _mean_terms(sold: np.ndarray, mean: np.ndarray, shapes: np.ndarray | float) -> np.ndarray:
    """Terms of a week's log probability in its mean m: y log(m / r) - (y + r) log(1 + m / r), (..., shapes)."""
    sold, odds = sold[..., None], mean[..., None] / shapes
    return sold * np.log(np.maximum(odds, 1e-300)) - (sold + shapes) * np.log1p(odds)


def _dispersion_prior(
    units: np.ndarray,
    exposure: np.ndarray,
    rate: np.ndarray,
    judged: int,
    log_counts: np.ndarray,
) -> np.ndarray:
    """Log prior of each product's dispersion (n, shapes), by EM over products of like rate."""
    base, recent = _stretch(units, exposure, 0, judged), _stretch(units, exposure, judged, 0)
    fit = log_counts + _level(base, rate) + _level(recent, rate)
    classes, telling = np.digitize(rate, CLASSES), base.sold + recent.sold >= 3
    likelihood = np.exp(fit - fit.max(axis=1, keepdims=True))
    flat = np.full(len(SHAPES), 1 / len(SHAPES))
    whole = _mixing(likelihood[telling], flat, 1.0)
    by_class = np.array(
        [
            _mixing(likelihood[telling & (classes == number)], whole, CLASS_SHRINK)
            for number in range(len(CLASSES) + 1)
        ]
    )
    return np.log(np.maximum(by_class, 1e-12))[classes]


def _level(part: _Weeks, rate: np.ndarray) -> np.ndarray:
    """Log of the integral of a stretch's likelihood over its rate, less its value at `rate` (n, shapes)."""
    weeks = np.maximum(part.weeks, LEAST)[:, None]
    # int rate^(S - 1/2) ... d rate = B(S + 1/2, n r) in x = rate / (rate + r).
    return betaln(part.sold[:, None] + HALF, weeks * SHAPES) - _at_rate(part, rate, SHAPES)


def _at_rate(part: _Weeks, rate: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Terms of a stretch's log likelihood in the rate it was taken at (n, shapes)."""
    weeks = np.maximum(part.weeks, LEAST)[:, None]
    odds = (rate * part.exposed)[:, None] / (weeks * shapes)
    sold = part.sold[:, None]
    return sold * np.log(np.maximum(odds, 1e-300)) - (sold + weeks * shapes) * np.log1p(odds)


def _mixing(likelihood: np.ndarray, toward: np.ndarray, pseudo_count: float) -> np.ndarray:
    """Mixing weights by EM, with a pseudo-count of cases at given weights."""
    weights = toward
    for _ in range(30 if len(likelihood) else 0):
        belongs = likelihood * weights
        belongs /= np.maximum(belongs.sum(axis=1, keepdims=True), 1e-300)
        # M step: responsibilities plus the Dirichlet prior's pseudo-count.
        weights = (belongs.sum(axis=0) + pseudo_count * toward) / (len(likelihood) + pseudo_count)
    return weights


def _trust_in_older(
    units: np.ndarray, exposure: np.ndarray, judged: int, dispersion: np.ndarray
) -> np.ndarray:
    """Probability (n,) that the weeks before the last half year had the same rate as that half year."""
    length = units.shape[1]
    split = length - judged - RECENT_BASE
    if split < 1:
        return np.ones(len(units))
    old = _stretch(units, exposure, 0, length - split)
    new = _stretch(units[:, split:], exposure[:, split:], 0, judged)
    known = (old.exposed > 0) & (new.exposed > 0)
    gap = np.log(
        (old.sold + HALF)
        / np.maximum(old.exposed, 1e-9)
        * np.maximum(new.exposed, 1e-9)
        / (new.sold + HALF)
    )
    noise = 1 / (old.sold + HALF) + 1 / (new.sold + HALF)
    noise += dispersion * (1 / np.maximum(old.weeks, 1) + 1 / np.maximum(new.weeks, 1))
    # Two normals for the log ratio of rates: no drift, or drift of standard deviation `DRIFT`.
    same = np.exp(-0.5 * gap**2 / noise) / np.sqrt(noise)
    moved = np.exp(-0.5 * gap**2 / (noise + DRIFT**2)) / np.sqrt(noise + DRIFT**2)
    share = 0.5
    for _ in range(30 if known.any() else 0):
        belongs = share * same[known] / (share * same[known] + (1 - share) * moved[known] + 1e-300)
        share = float((belongs.sum() + 5) / (known.sum() + 10))
    trust = share * same / (share * same + (1 - share) * moved + 1e-300)
    # With under half a year to go by, whatever there is is needed.
    return np.where(new.seen < RECENT_BASE / 2, 1.0, np.where(known, trust, 1.0))


def _predictive(
    units: np.ndarray,
    exposure: np.ndarray,
    rate: np.ndarray,
    earlier: np.ndarray,
    judged_counts: np.ndarray,
    windows: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p(judged weeks | earlier ones) by window and log ratio, the same for a single week, mean dispersion)."""
    judged = max(windows)
    base, recent = _stretch(units, exposure, 0, judged), _stretch(units, exposure, judged, 0)
    scale = np.logaddexp.reduce(earlier + _level(base, rate), axis=1)
    joint = earlier + judged_counts
    both = joint + _level(base, rate) + _level(recent, rate)
    belongs = np.exp(both - both.max(axis=1, keepdims=True))
    belongs /= belongs.sum(axis=1, keepdims=True)
    splits = [
        (_stretch(units, exposure, 0, weeks), _stretch(units, exposure, weeks, 0))
        for weeks in windows
    ]
    likelihood = np.zeros((len(units), len(windows), len(GRID)))
    for number, shape in enumerate(SHAPES):
        rows = np.flatnonzero(belongs[:, number] > NEGLIGIBLE)
        offset = joint[rows, number] - scale[rows]
        for column, halves in enumerate(splits):
            before, after = (part[rows] for part in halves)
            taken = offset - _both_at_rate(before, after, rate[rows], shape)
            likelihood[rows, column] += np.exp(
                _integrated(before, after, shape, GRID) + taken[:, None]
            )
    single = _single_week(
        units[:, -judged:], exposure[:, -judged:], rate, base, joint - scale[:, None]
    )
    return likelihood, single, belongs @ DISPERSIONS


def _integrated(before: _Weeks, after: _Weeks, shape: float, grid: np.ndarray) -> np.ndarray:
    """Log likelihood of each log ratio on a grid, the rate integrated out (n, grid).

    Notes
    -----
    With x = rate / r and c = the ratio of the means, the integrand over log x is
    x^T c^S1 (1 + x)^-a (1 + c x)^-b; its mode solves a x/(1 + x) + b c x/(1 + c x) = T, a quadratic.
    """
    # Weeks of unequal exposure: the ratio of mean exposures joins the log ratio of rates as an
    # offset.
    lead = np.log(np.maximum(after.exposed, 1e-9) / np.maximum(after.weeks, 1))
    lead -= np.log(np.maximum(before.exposed, 1e-9) / np.maximum(before.weeks, 1))
    total = (before.sold + HALF + after.sold)[:, None]
    a = (before.sold + HALF + np.maximum(before.weeks, LEAST) * shape)[:, None]
    b = (after.sold + np.maximum(after.weeks, LEAST) * shape)[:, None]
    log_c = grid[None, :] + lead[:, None]
    c = np.exp(log_c)
    square, linear = c * (a + b - total), (a - total) + c * (b - total)
    # Positive root of square x^2 + linear x - total = 0, in the form that loses no digits to
    # cancellation.
    root = np.sqrt(linear**2 + 4 * square * total)
    x = np.where(linear > 0, 2 * total / (linear + root), (root - linear) / (2 * square))
    cx = c * x
    curvature = a * x / (1 + x) ** 2 + b * cx / (1 + cx) ** 2
    # Laplace: log integrand at its mode, minus half the log curvature, plus half log 2 pi below.
    height = total * np.log(x) - a * np.log1p(x) - b * np.log1p(cx) - 0.5 * np.log(curvature)
    return after.sold[:, None] * log_c + height + 0.5 * np.log(2 * np.pi)


def _both_at_rate(before: _Weeks, after: _Weeks, rate: np.ndarray, shape: float) -> np.ndarray:
    """`_at_rate` of two stretches, (n,)."""
    shapes = np.array([shape])
    return (_at_rate(before, rate, shapes) + _at_rate(after, rate, shapes))[:, 0]


def _single_week(
    units: np.ndarray, exposure: np.ndarray, rate: np.ndarray, base: _Weeks, offset: np.ndarray
) -> np.ndarray:
    """p(judged weeks | earlier) if nothing changed but one outlying week, the largest (n,)."""
    sold, weeks = np.where(exposure > 0, units, 0.0), (exposure > 0).sum(axis=1)
    largest = sold.max(axis=1)
    usual = base.sold / np.maximum(base.weeks, 1)
    odd = (largest >= 3) & (largest >= 2 * usual) & (weeks > 1)
    result = np.zeros(len(units))
    rows = np.flatnonzero(odd)
    if not len(rows):
        return result
    top = np.arange(len(rows)), sold[rows].argmax(axis=1)
    rest, rate, base, largest = exposure[rows], rate[rows], base[rows], largest[rows]
    mean = rate * rest[top]
    rest[top] = 0.0
    left = _stretch(units[rows], rest, units.shape[1], 0)
    # Density of the outlying week: any week, log-uniform in size, 1 / (y log 15 x weeks).
    odd_week = -np.log(largest * SINGLE_WEEK_SPREAD * weeks[rows])
    for number, shape in enumerate(SHAPES):
        usual_week = gammaln(largest + shape) - gammaln(shape) - gammaln(largest + 1)
        usual_week += _mean_terms(largest, mean, shape)[:, 0]
        level = _integrated(base, left, shape, np.zeros(1))[:, 0]
        level -= _both_at_rate(base, left, rate, shape)
        result[rows] += np.exp(level + odd_week + offset[rows, number] - usual_week)
    return result
