"""What a shop would otherwise use. Each gives quantiles (n, k) of the total over the coming periods.

Their point forecasts come from statsforecast; a library without a distribution of totals gets a
negative-binomial band whose dispersion is fitted, by class of rate, to the errors it made at
earlier origins: the same help that ours has.
"""

import warnings
from typing import Final

import numpy as np
from statsforecast import models as sf

from shopify_app.analytics import negative_binomial as nb

Z: Final = {0.5: 0.0, 0.8: 0.8416, 0.9: 1.2816, 0.95: 1.6449, 0.99: 2.3263}
CLASSES: Final = (0.1, 0.5, 2.0, 10.0)


def _history(units: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """A series from its first period on; what was out of stock stays as it was sold."""
    return units[np.argmax(exposure > 0) :] if (exposure > 0).any() else units[-1:]


def moving_average(
    units: np.ndarray, exposure: np.ndarray, horizon: int, levels: tuple[float, ...]
) -> np.ndarray:
    """Mean of the last 13 periods and z times their deviation: what the rival apps document."""
    result = np.zeros((len(units), len(levels)))
    z = np.array([Z[level] for level in levels])
    for row in range(len(units)):
        recent = _history(units[row], exposure[row])[-13:]
        result[row] = horizon * recent.mean() + z * np.sqrt(horizon) * recent.std()
    return np.maximum(result, 0.0)


def empirical_windows(
    units: np.ndarray, exposure: np.ndarray, horizon: int, levels: tuple[float, ...]
) -> np.ndarray:
    """Quantiles of the totals over all runs of `horizon` periods in the last 52."""
    result = np.zeros((len(units), len(levels)))
    for row in range(len(units)):
        recent = _history(units[row], exposure[row])[-52:]
        if len(recent) < horizon:
            result[row] = recent.mean() * horizon
            continue
        totals = np.convolve(recent, np.ones(horizon), "valid")
        result[row] = np.quantile(totals, levels, method="higher")
    return result


LIBRARY: Final = {
    "tsb": lambda _: sf.TSB(alpha_d=0.1, alpha_p=0.1),
    "imapa": lambda _: sf.IMAPA(),
    "auto_ets": lambda season: sf.AutoETS(season_length=season),
    "dynamic_theta": lambda season: sf.DynamicOptimizedTheta(season_length=season),
}


def library_totals(
    name: str, units: np.ndarray, exposure: np.ndarray, horizon: int, season: int
) -> np.ndarray:
    """Expected total over the coming periods, (n,)."""
    totals = np.zeros(len(units))
    for row in range(len(units)):
        past = _history(units[row], exposure[row]).astype(float)
        totals[row] = _one(name, past, horizon, season)
    return totals


def _one(name: str, past: np.ndarray, horizon: int, season: int) -> float:
    fallback = float(past[-13:].mean()) * horizon
    if len(past) < 6 or not past.any():
        return fallback
    # A season needs two whole years of history; ETS cannot take one longer than 24.
    length = season if len(past) >= 2 * season and (name != "auto_ets" or season <= 24) else 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = LIBRARY[name](length).forecast(past, h=horizon)["mean"].sum()
    except Exception:  # noqa: BLE001 -- a peer that cannot fit a series falls back, it is not failed for it
        return fallback
    return float(max(found, 0.0)) if np.isfinite(found) else fallback


class Band:
    """A negative-binomial band around totals, its dispersion learned from earlier origins by class."""

    def __init__(self) -> None:
        self._excess = np.zeros(len(CLASSES) + 1)
        self._squares = np.zeros(len(CLASSES) + 1)

    def learn(self, actual: np.ndarray, expected: np.ndarray, horizon: int) -> None:
        """Take the errors of one origin in."""
        number = np.digitize(expected / horizon, CLASSES)
        np.add.at(self._excess, number, (actual - expected) ** 2 - expected)
        np.add.at(self._squares, number, expected**2)

    def quantiles(
        self, expected: np.ndarray, horizon: int, levels: tuple[float, ...]
    ) -> np.ndarray:
        """(n, k)."""
        whole = self._excess.sum() / max(self._squares.sum(), 1e-9)
        own = np.where(self._squares > 1.0, self._excess / np.maximum(self._squares, 1e-9), whole)
        spread = np.clip(own, 0.01, 25.0)[np.digitize(expected / horizon, CLASSES)]
        return nb.quantile(
            np.asarray(levels)[None, :], np.maximum(expected, 1e-3)[:, None], spread[:, None]
        )
