"""Draws of a year's demand: what was sold, plus lost sales drawn from their posterior (multiple imputation).

In:  a `Record`. Out: draws (draws, n, weeks).
Method: a week's demand is gamma-Poisson around a level that moves slowly. A shelf empties in the weeks
that ask for more than usual, so what was sold per time in stock is not what was asked for: of each
week, given what it sold in the time it could, the posterior of its own rate is taken, and the
levels are those at which the posteriors agree with themselves (EM). The spread of weeks is the likeliest one.
Source: Dempster, Laird & Rubin (1977), JRSS B 39, 1-38.
Weak: within a week buyers are taken to come evenly; nobody who finds the shelf empty buys another product.
"""

from typing import Final

import numpy as np
from scipy.special import gammaln

from shopify_app.analytics.replay.record import Record

SPREADS: Final = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.0])
"""Grid of the dispersion K of a week's demand."""

LEVEL_WEEKS: Final = 6.0
"""Standard deviation, in weeks, of the kernel that smooths levels, before and after."""

ROUNDS: Final = 40
"""Rounds of EM."""

MEAN_WEEKS: Final = 4.0
"""Pseudo-count, in weeks, of a series' own mean in its level."""

LEAST_LEVEL: Final = 1e-4
"""Level, in units a week, of a series that sold nothing."""

COMMON_ERROR: Final = 0.10
"""Standard deviation, in logarithms, of an error common to the losses of all series."""


def demand_draws(record: Record, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Demand of the weeks replayed (draws, n, weeks), whole units.

    In each draw a share of the weeks that are only presumed short, drawn evenly from none to all, is.
    """
    part = slice(record.first, None)
    sold, share = record.units[:, part], record.in_stock[:, part]
    exists, presumed = record.exists[:, part], record.presumed[:, part]
    surely_open = np.where(record.presumed, 0.0, record.in_stock) * record.exists
    learned_from = (
        record.is_counted
        if record.is_counted[:, part].mean() > 0.5
        else np.ones(record.units.shape, bool)
    )
    level, spread = levels(record.units, surely_open, learned_from)
    level = level[:, part] * exists
    known = np.maximum((record.units * surely_open).sum(axis=1), 1.0)
    found = np.empty((draws, *sold.shape))
    for number in range(draws):
        taken = presumed & (rng.random(presumed.shape) < rng.random())
        time = np.where(taken, 0.0, share)
        # Log error of the level: one common to all series, and each one's own by the sales it
        # rests on.
        off = (
            COMMON_ERROR * rng.normal() + rng.normal(size=(len(sold), 1)) / np.sqrt(known)[:, None]
        )
        mean = level * np.exp(off - (COMMON_ERROR**2 + 1 / known[:, None]) / 2)
        # Posterior of a week's own factor given its sales: gamma of shape 1/K + y and rate 1/K +
        # M e.
        busy = rng.gamma(1 / spread + sold) / (1 / spread + mean * time)
        found[number] = sold + rng.poisson(np.minimum(mean * (1 - time) * busy, 1e6))
    return found


def levels(
    units: np.ndarray, time: np.ndarray, learned_from: np.ndarray
) -> tuple[np.ndarray, float]:
    """(level of demand a week (n, T), dispersion K of weeks around it), by EM from sales in the time in stock.

    Parameters
    ----------
    units, time : (n, T), `time` the share of the week in stock
    learned_from : (n, T) bool, weeks to learn from

    Examples
    --------
    Ten a week, every other week in stock for half of it and then five: the level is ten throughout.

    >>> time = np.tile([1.0, 0.5], 10)[None, :]
    >>> level, _ = levels(10 * time, time, np.ones((1, 20), bool))
    >>> sorted(set(level.round().ravel().tolist()))
    [10.0]
    """
    spread = 0.3
    mean = (units * learned_from).sum(axis=1) / np.maximum(
        (time * learned_from).sum(axis=1), 1.0
    ) + LEAST_LEVEL
    level = np.repeat(mean[:, None], units.shape[1], axis=1)
    for number in range(ROUNDS):
        # E step: posterior mean of the week's factor; the demand it implies is what was sold plus
        # level x lost time x factor.
        busy = (1 / spread + units) / (1 / spread + level * time)
        level = _smooth(units + level * (1 - time) * busy, learned_from)
        if number % 4 == 3:
            spread = _likeliest(units[learned_from], (level * time)[learned_from])
    return level, spread


def _smooth(asked: np.ndarray, learned_from: np.ndarray) -> np.ndarray:
    """Levels around each week, shrunk toward each series' mean.

    All weeks have the same weight: to weigh by time in stock would down-weigh the weeks of high demand.
    """
    gap = np.arange(asked.shape[1])
    window = np.exp(-0.5 * ((gap[:, None] - gap[None, :]) / LEVEL_WEEKS) ** 2)
    known = asked * learned_from
    mean = known.sum(axis=1) / np.maximum(learned_from.sum(axis=1), 1)
    return (known @ window + MEAN_WEEKS * mean[:, None]) / (learned_from @ window + MEAN_WEEKS)


def _likeliest(units: np.ndarray, mean: np.ndarray) -> float:
    """The dispersion of `SPREADS` with the largest likelihood of what was sold."""
    seen = mean > 1e-6
    y, m = units[seen], mean[seen]
    found = []
    for k in SPREADS:
        r = 1 / k
        found.append(
            float(
                (
                    gammaln(r + y) - gammaln(r) + r * np.log(r / (r + m)) + y * np.log(m / (r + m))
                ).sum()
            )
        )
    return float(SPREADS[int(np.argmax(found))])
