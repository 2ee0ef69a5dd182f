"""What demand does by itself: how a series wanders where no price explains it.

In:  residuals of log demand (m, T), their counting variance, the columns that prices explain.
Out: `Noise`: the variances of a white part, a part forgotten in weeks, and a slow drift of the level.
Method: maximum of the Gaussian marginal likelihood of a sample of series, effects of price integrated
out, so that wandering is not mistaken for an answer to a price nor the other way round.
Source: Rasmussen & Williams (2006), *Gaussian Processes for Machine Learning*, ch. 2 and 5.
Weak: one set of variances for a shop; a series' own scale comes after, shrunk.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import minimize

SHORT_MEMORY: Final = 0.8
"""Share of the quick part that is left after a week."""

LONG_MEMORY: Final = 0.98
"""Share of the drift that is left after a week: its half-life is most of a year."""

LEVEL_VARIANCE: Final = 9.0
"""Prior variance of a level's log: anything from one to a thousand."""

EVENT_VARIANCE: Final = 1.0
"""Prior variance of the log level that a shop-wide event begins."""

MISSING_VARIANCE: Final = 1e6
SAMPLE: Final = 40
LEAST_ROWS: Final = 3
STARTS: Final = np.log([0.05, 0.03, 0.05])
LOOSE: Final = 2.0
"""Standard deviation of the log variances' prior around `STARTS`: it only decides where there is nothing to see."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Variances of log demand: `white`, `short` and `long` (see the memories)."""

    white: float
    short: float
    long: float

    def level_covariance(self, gap: np.ndarray) -> np.ndarray:
        """Covariance of the wandering level at weeks `gap` apart, the shape of `gap`."""
        return self.short * SHORT_MEMORY**gap + self.long * LONG_MEMORY**gap


def covariance(
    noise: Noise, counting: np.ndarray, weeks: np.ndarray, level: np.ndarray
) -> np.ndarray:
    """(m, T, T) of the residuals: counting (m, T), weeks (T,), level numbers (m, T) of shop-wide events."""
    gap = np.abs(weeks[:, None] - weeks[None, :])
    result = np.repeat(noise.level_covariance(gap)[None], len(counting), axis=0)
    diagonal = np.arange(len(weeks))
    result[:, diagonal, diagonal] += counting + noise.white
    jumps = level.max(axis=1, initial=0) > 0
    if jumps.any():
        same = level[jumps][:, :, None] == level[jumps][:, None, :]
        result[jumps] += EVENT_VARIANCE * same
    return result


def fit_noise(
    residual: np.ndarray,
    counting: np.ndarray,
    design: np.ndarray,
    prior_variance: np.ndarray,
    weeks: np.ndarray,
    level: np.ndarray,
) -> Noise:
    """Fit the variances.

    Parameters
    ----------
    residual, counting : (m, T)
        Log demand less its expectation at the prior's effects; variance of counting, `MISSING_VARIANCE` where nothing is known.
    design : (m, T, p)
        Columns with prior variances `prior_variance` (p,), the constant among them.
    weeks : (T,) week numbers; level : (m, T).
    """
    rows = _sample(counting)
    if len(rows) < LEAST_ROWS:
        return Noise(*np.exp(STARTS))
    explained = np.einsum("mtp,p,msp->mts", design[rows], prior_variance, design[rows])

    def loss(logs: np.ndarray) -> float:
        noise = Noise(*np.exp(np.clip(logs, -12, 3)))
        whole = covariance(noise, counting[rows], weeks, level[rows]) + explained
        root = np.linalg.cholesky(whole)
        white = np.linalg.solve(root, residual[rows][:, :, None])[:, :, 0]
        diagonal = np.diagonal(root, axis1=1, axis2=2)
        likelihood = 0.5 * (white**2).sum() + np.log(diagonal).sum()
        return float(likelihood + 0.5 * (((logs - STARTS) / LOOSE) ** 2).sum())

    found = minimize(
        loss, STARTS, method="Nelder-Mead", options={"maxfev": 70, "xatol": 0.05, "fatol": 0.1}
    )
    return Noise(*np.exp(np.clip(found.x, -12, 3)))


def _sample(counting: np.ndarray) -> np.ndarray:
    """Rows with most to see, every so many of the better half, without chance."""
    seen = (1 / (counting + 0.1)).sum(axis=1)
    order = np.argsort(-seen, kind="stable")
    better = order[: max(len(order) * 2 // 3, 1)]
    return better[:: max(len(better) // SAMPLE, 1)][:SAMPLE]
