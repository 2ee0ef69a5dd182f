"""The noise model of log demand: how a series is autocorrelated where no price explains it.

In:  residuals of log demand (m, T), their counting variance, the columns that prices explain.
Out: `Noise`: the variances of a white part, a part forgotten in weeks, and a slow drift of the level.
Method: maximum of the Gaussian marginal likelihood of a sample of series, effects of price integrated
out (as by REML), so that autocorrelation is not mistaken for price response nor the other way round.
Source: Rasmussen & Williams (2006), *Gaussian Processes for Machine Learning*, ch. 2 and 5.
Weak: one set of variances for a shop; a series' own scale comes after, shrunk.
"""

from dataclasses import astuple, dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

SHORT_MEMORY: Final = 0.8
"""Autocorrelation of the short component at one week."""

LONG_MEMORY: Final = 0.98
"""Autocorrelation of the drift at one week: its half-life is most of a year."""

LEVEL_VARIANCE: Final = 9.0
"""Prior variance of a level's log: anything from one to a thousand."""

EVENT_VARIANCE: Final = 1.0
"""Prior variance of the log level that a shop-wide event begins."""

MISSING_VARIANCE: Final = 1e6
"""Counting variance of a week of which nothing is known."""

CORNER: Final = 1e14
"""Diagonal of a bordered matrix, larger than any whitened square: keeps it positive definite."""

SAMPLE: Final = 32
"""Number of series the variances are fitted on."""

LEAST_ROWS: Final = 3
"""Series below which the variances are not fitted."""

STARTS: Final = np.log([0.05, 0.03, 0.05, 0.1, 0.05])
"""Prior means of the log variances."""

LOOSE: Final = 2.0
"""Prior standard deviation of the log variances: it only decides where there is nothing to see."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Variances of log demand: `white`, `short` and `long` (see the memories), `answers`, `event`.

    `answers` is the variance of a spell's own elasticity around its product's (an advertisement, a place on the
    shelf): ten weeks of one spell do not average it out. `event` is the variance of a shop-wide sale's effect
    between products, cut or not.
    """

    white: float = 0.05
    short: float = 0.03
    long: float = 0.05
    answers: float = 0.1
    event: float = 0.05

    def level_covariance(self, gap: np.ndarray) -> np.ndarray:
        """Autocovariance of the level at weeks `gap` apart, the shape of `gap`."""
        return self.short * SHORT_MEMORY**gap + self.long * LONG_MEMORY**gap


PARTS: Final = 5
"""Number of variances."""

UNITS: Final = tuple(
    Noise(*(float(here == part) for here in range(PARTS))) for part in range(PARTS)
)
"""Noise of one variance 1 and the others 0, one a part."""

SILENT: Final = Noise(*[0.0] * PARTS)
"""Noise of none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Arguments of the residuals' covariance beside the variances.

    Attributes
    ----------
    week : (T,) week numbers; level : (m, T) level numbers of shop-wide events.
    counting : (m, T) variance of counting, `MISSING_VARIANCE` where nothing is known.
    off : (m, T) log price over the reference; spell : (m, T) number of the spell of one price.
    event : (m, T) number of the shop-wide sale, 0 where none is on.
    """

    week: np.ndarray
    level: np.ndarray
    counting: np.ndarray
    off: np.ndarray
    spell: np.ndarray
    event: np.ndarray

    def of(self, rows: Any) -> "Setting":
        """The setting of some rows."""
        return Setting(
            self.week,
            self.level[rows],
            self.counting[rows],
            self.off[rows],
            self.spell[rows],
            self.event[rows],
        )


def level_covariance(noise: Noise, setting: Setting) -> np.ndarray:
    """Covariance (m, T, T) of the level, events included."""
    gap = np.abs(setting.week[:, None] - setting.week[None, :])
    result = np.repeat(noise.level_covariance(gap)[None], len(setting.level), axis=0)
    jumps = setting.level.max(axis=1, initial=0) > 0
    if jumps.any():
        level = setting.level[jumps]
        result[jumps] += EVENT_VARIANCE * (level[:, :, None] == level[:, None, :])
    return result


def covariance(noise: Noise, setting: Setting) -> np.ndarray:
    """Covariance (m, T, T) of the residuals."""
    result = level_covariance(noise, setting)
    same = setting.spell[:, :, None] == setting.spell[:, None, :]
    result += noise.answers * same * setting.off[:, :, None] * setting.off[:, None, :]
    if setting.event.any():
        number = setting.event
        result += noise.event * (
            (number[:, :, None] == number[:, None, :]) & (number[:, :, None] > 0)
        )
    diagonal = np.arange(len(setting.week))
    result[:, diagonal, diagonal] += setting.counting + noise.white
    return result


def fit_noise(
    residual: np.ndarray,
    design: np.ndarray,
    prior_variance: np.ndarray,
    setting: Setting,
    start: Noise,
) -> Noise:
    """The `Noise` of largest marginal likelihood.

    Parameters
    ----------
    residual : (m, T)
        Log demand less its expectation at the prior's effects.
    design : (m, T, p)
        Columns with prior variances `prior_variance` (p,), the constant among them.
    setting : what else the covariance depends on.
    start : where to begin; what is returned where too few series are there.
    """
    rows = _sample(setting.counting)
    if len(rows) < LEAST_ROWS:
        return start
    # Effects integrated out: their prior covariance X diag(v) X' joins the noise.
    explained = np.einsum("mtp,p,msp->mts", design[rows], prior_variance, design[rows])
    here = setting.of(rows)
    # The covariance is linear in the variances: its parts are made once.
    silent = covariance(SILENT, here)
    parts = [covariance(one, here) - silent for one in UNITS]
    varying = [number for number, part in enumerate(parts) if part.any()]
    before = np.log(np.maximum(astuple(start), 1e-5))

    def loss(logs: np.ndarray) -> float:
        whole = silent + explained
        for number, variance in zip(varying, np.exp(np.clip(logs, -12, 3)), strict=True):
            whole += variance * parts[number]
        white, log_root = whiten(whole, residual[rows][:, :, None])
        # Gaussian negative log likelihood r' V^-1 r / 2 + log|V| / 2, and the prior's penalty.
        likelihood = 0.5 * (white**2).sum() + log_root.sum()
        return float(likelihood + 0.5 * (((logs - STARTS[varying]) / LOOSE) ** 2).sum())

    found = minimize(
        loss,
        before[varying],
        method="Nelder-Mead",
        options={"maxfev": 60, "xatol": 0.05, "fatol": 0.1},
    )
    before[varying] = found.x
    return _noise(before)


def whiten(whole: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values (m, T, k) turned to unit covariance, half the log determinant of `whole` (m, T, T)).

    One Cholesky factor of the matrix bordered by the values gives both.
    """
    m, count, k = values.shape
    bordered = np.empty((m, count + k, count + k))
    bordered[:, :count, :count] = whole
    bordered[:, count:, :count] = np.swapaxes(values, 1, 2)
    bordered[:, :count, count:] = values
    bordered[:, count:, count:] = CORNER * np.eye(k)
    # The last k rows of the factor are (L^-1 values)': one decomposition does both.
    root = np.linalg.cholesky(bordered)
    diagonal = np.diagonal(root, axis1=1, axis2=2)[:, :count]
    return np.swapaxes(root[:, count:, :count], 1, 2), np.log(diagonal).sum(axis=1)


def _noise(logs: np.ndarray) -> Noise:
    """The noise of log variances."""
    return Noise(*(float(value) for value in np.exp(np.clip(logs, -12, 3))))


def _sample(counting: np.ndarray) -> np.ndarray:
    """Rows with most to see, every so many of the better half, without chance."""
    seen = (1 / (counting + 0.1)).sum(axis=1)
    order = np.argsort(-seen, kind="stable")
    better = order[: max(len(order) * 2 // 3, 1)]
    return better[:: max(len(better) // SAMPLE, 1)][:SAMPLE]
