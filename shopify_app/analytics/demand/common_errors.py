"""Common forecast errors: by what factor a whole shop, and each group, missed its forecast.

In:  windows of totals, the group of each series, the common factor's own variance.
Out: the error factor per moment and group, and the variance of such factors from now on.
Method: at each past moment, what came against what was foreseen, over all series, weighted so that no
best-seller decides, and no bulk order. The common factor's own variance (`common_factor`) is scaled by one
ratio to the size of these errors; a group's own errors are added. An error is shrunk by its signal share,
variance / (variance + noise), so that a shop of few series is taken to share little.
What all series share does not average out over them: it is kept apart from each one's own scatter.
Source: the variance components of a one-way random layout (Searle, Casella & McCulloch, *Variance
Components*, 1992, ch. 3).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.demand.pooling import FULLY_SEEN, Windows, without_bulk

ITEM_DISPERSION: Final = 0.5
"""K of a single series' total, assumed for weighting only."""

LARGEST_MOVE: Final = 1.0
"""Bound on a common log error: beyond a third or threefold it was something else than demand."""

LOOKS: Final = 2
"""Passes of bulk-order trimming: first against the forecast, then against the forecast times the common error."""

VARIANCE_PSEUDO_MOMENTS: Final = 4.0
"""Pseudo-count, in moments, of the common factor's own variance beside the errors seen."""


@dataclass(frozen=True, slots=True)
class CommonErrors:
    """Error factors that series share, and how far they will go.

    Attributes
    ----------
    moves : array (moments, groups + 1)
        Ratio of actual to foreseen total of each group; last, of series of no known group.
    variance : array (groups + 1,)
        Variance of the log error that all series of a group will share in the coming total.
    """

    moves: np.ndarray
    variance: np.ndarray

    def of(self, moments: int, groups: np.ndarray) -> np.ndarray:
        """Error factors (moments, n) of series of some groups; 1 at moments later than those seen."""
        later = np.ones((max(moments - len(self.moves), 0), self.moves.shape[1]))
        return np.concatenate([self.moves[:moments], later])[:, groups].astype(np.float32)


def common_errors(
    windows: Windows, groups: np.ndarray, factor_variance: np.ndarray
) -> CommonErrors:
    """Common errors at each of the windows' moments, and their variance from now on.

    Parameters
    ----------
    groups : array (n,) of int
    factor_variance : array (groups, moments + 1 or more)
        Variance of the mean log common factor over the window after each moment; of now last.
    """
    count, seen = len(factor_variance), len(windows.actual)
    if not seen:
        return CommonErrors(
            np.ones((0, count + 1)),
            np.append(factor_variance[:, -1], factor_variance[:, -1].mean()),
        )
    recency = windows.recency
    whole = _measured(windows, np.zeros(groups.shape, int), np.zeros((seen, 1)), looks=LOOKS)
    usual = _shares(windows, groups, count) @ factor_variance
    off = np.clip(whole.log, -LARGEST_MOVE, LARGEST_MOVE)
    # One scale: the mean over moments of e^2 / (sigma^2 + noise), with a pseudo-count of moments
    # at which it is one.
    scaled = (recency * off**2 / (usual[:seen, None] + whole.noise)).sum() + VARIANCE_PSEUDO_MOMENTS
    scale = float(scaled / (recency.sum() + VARIANCE_PSEUDO_MOMENTS))
    shared = whole.shrunk(scale * usual[:seen, None])
    moves, more = np.repeat(shared, count, axis=1), 0.0
    if count > 1:
        own, more = _of_groups(_measured(windows, groups, moves, looks=1), recency)
        moves = moves + own
    now = scale * np.append(factor_variance[:, -1], usual[-1]) + more
    return CommonErrors(np.exp(np.concatenate([moves, shared], axis=1)), now)


def _shares(windows: Windows, groups: np.ndarray, count: int) -> np.ndarray:
    """Weight (groups,) of each group in the shop's total, summing to 1."""
    mean = windows.foreseen * windows.exposure * (windows.exposure > FULLY_SEEN)
    due = (mean / (1 + ITEM_DISPERSION * mean)).sum(axis=0)
    share = np.bincount(groups, due, minlength=count)
    return share / max(float(share.sum()), 1e-9)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Log errors, their sampling variance if series shared nothing, and the expected totals; each (moments, groups)."""

    log: np.ndarray
    noise: np.ndarray
    due: np.ndarray

    def shrunk(self, variance: float | np.ndarray) -> np.ndarray:
        """Log errors times their shrinkage weight, variance / (variance + noise)."""
        return self.log * variance / (variance + self.noise)


def _measured(windows: Windows, groups: np.ndarray, base: np.ndarray, *, looks: int) -> _Measured:
    """Log errors of each group at each moment, beyond log errors `base` (moments, groups) already explained."""
    found = np.empty((3, *base.shape))
    for number in range(len(base)):
        move = np.exp(base[number])[groups]
        mean = windows.foreseen[number] * windows.exposure[number] * move.astype(float)
        mean[windows.exposure[number] <= FULLY_SEEN] = 0.0
        likely = mean
        for _ in range(looks):
            actual = without_bulk(windows.actual[number], likely, ITEM_DISPERSION) * (mean > 0)
            found[:, number] = _log_ratio(actual, mean, groups, base.shape[1])
            likely = mean * np.exp(found[0, number])[groups]
    return _Measured(_uncut(found[0]), found[1], found[2])


def _log_ratio(actual: np.ndarray, mean: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """(log of actual over expected, its sampling variance, the expected total), each (groups,): (3, groups)."""
    weight = 1 / (1 + ITEM_DISPERSION * mean)
    came, due = (np.bincount(groups, weight * each, minlength=count) for each in (actual, mean))
    ratio = (came + 1.0) / (due + 1.0)
    error = weight * (actual - ratio[groups] * mean)
    # Robust (sandwich) variance of the log ratio, never below that of Poisson counts.
    scatter = np.bincount(groups, error**2, minlength=count) / (came + 1.0) ** 2
    return np.stack([np.log(ratio), np.maximum(scatter, 1.0 / (due + 1.0)), due])


def _uncut(log: np.ndarray) -> np.ndarray:
    """Log errors (moments, k) with the bias of bulk trimming put back: their median below zero, shrunk."""
    moments = len(log)
    return log - np.minimum(np.median(log, axis=0), 0.0) * moments / (
        moments + VARIANCE_PSEUDO_MOMENTS
    )


def _of_groups(measured: _Measured, recency: np.ndarray) -> tuple[np.ndarray, float]:
    """(shrunk log errors of groups beyond the shop's (moments, groups), their variance component)."""
    off = np.clip(measured.log, -LARGEST_MOVE, LARGEST_MOVE)
    weight = recency * measured.due
    total = max(float(weight.sum()), 1e-9)
    # Variance component by moments: E e^2 = sigma^2 + noise, weighted by the total expected.
    found = max(float((weight * (off**2 - measured.noise)).sum()) / total, 0.0)
    moments = float(recency.sum())
    variance = found * moments / (moments + VARIANCE_PSEUDO_MOMENTS)
    return measured.shrunk(variance), variance
