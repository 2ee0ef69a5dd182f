"""By how much the whole shop, and each of its groups, came otherwise than was foreseen.

In:  windows of totals, the group of each series, what the course was known to be unsure of.
Out: a factor per moment and group, and the variance of such factors from now on.
Method: at each past moment, what came against what was foreseen, over all series, weighted so that no
best-seller decides, and no bulk order. The course's own doubt (`common_factor`) is scaled to how far these errors
really went; a group's own errors are added. An error counts by the share of it that is not the
scatter of single series, so that a shop of few series is taken to share little.
What all series share does not average out over them: it is kept apart from each one's own scatter.
Source: the variance components of a one-way random layout (Searle, Casella & McCulloch, *Variance
Components*, 1992, ch. 3).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.demand.pooling import FULLY_SEEN, Windows, without_bulk

ITEM_DISPERSION: Final = 0.5
LARGEST_MOVE: Final = 1.0
"""Of the log of a whole shop's demand: what goes further than to a third or threefold was something else."""

LOOKS: Final = 2
"""What is a bulk order is judged against what was foreseen, then against how the shop moved."""

VARIANCE_PSEUDO_MOMENTS: Final = 4.0
"""Moments that the course's own doubt counts for, beside those at which errors were seen."""


@dataclass(frozen=True, slots=True)
class CommonErrors:
    """What series share of their errors.

    Attributes
    ----------
    moves : array (moments, groups + 1)
        What came of each group against what was foreseen; last, of series of no known group.
    variance : array (groups + 1,)
        Of the factor by which the coming total will be wrong for all of a group's series.
    """

    moves: np.ndarray
    variance: np.ndarray

    def of(self, moments: int, groups: np.ndarray) -> np.ndarray:
        """Factors (moments, n) of series of some groups; 1 at moments later than those seen."""
        later = np.ones((max(moments - len(self.moves), 0), self.moves.shape[1]))
        return np.concatenate([self.moves[:moments], later])[:, groups].astype(np.float32)


def common_errors(
    windows: Windows, groups: np.ndarray, factor_variance: np.ndarray
) -> CommonErrors:
    """Errors shared at each of the windows' moments.

    Parameters
    ----------
    groups : array (n,) of int
    doubt : array (groups, moments + 1 or more)
        Variance of the log course over the window after each moment; of now last.
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
    """How much each group counts in what the whole shop does (groups,)."""
    mean = windows.foreseen * windows.exposure * (windows.exposure > FULLY_SEEN)
    due = (mean / (1 + ITEM_DISPERSION * mean)).sum(axis=0)
    share = np.bincount(groups, due, minlength=count)
    return share / max(float(share.sum()), 1e-9)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Each (moments, groups): the log of what came over what was due, its variance were there nothing in common, what was due."""

    log: np.ndarray
    noise: np.ndarray
    due: np.ndarray

    def shrunk(self, variance: float | np.ndarray) -> np.ndarray:
        """Log moves, each counted by how much of it is not the scatter of single series."""
        return self.log * variance / (variance + self.noise)


def _measured(windows: Windows, groups: np.ndarray, base: np.ndarray, *, looks: int) -> _Measured:
    """What came of each group at each moment, beyond log moves `base` (moments, groups) already explained."""
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
    """Log of what came over what was due, its variance were there nothing in common, what was due (3, groups)."""
    weight = 1 / (1 + ITEM_DISPERSION * mean)
    came, due = (np.bincount(groups, weight * each, minlength=count) for each in (actual, mean))
    ratio = (came + 1.0) / (due + 1.0)
    error = weight * (actual - ratio[groups] * mean)
    scatter = np.bincount(groups, error**2, minlength=count) / (came + 1.0) ** 2
    return np.stack([np.log(ratio), np.maximum(scatter, 1.0 / (due + 1.0)), due])


def _uncut(log: np.ndarray) -> np.ndarray:
    """Log moves (moments, k) with what the cut of bulk orders usually takes put back: by as much as their middle is below none."""
    moments = len(log)
    return log - np.minimum(np.median(log, axis=0), 0.0) * moments / (
        moments + VARIANCE_PSEUDO_MOMENTS
    )


def _of_groups(measured: _Measured, recency: np.ndarray) -> tuple[np.ndarray, float]:
    """(log moves of groups beyond the shop's (moments, groups), their variance)."""
    off = np.clip(measured.log, -LARGEST_MOVE, LARGEST_MOVE)
    weight = recency * measured.due
    total = max(float(weight.sum()), 1e-9)
    found = max(float((weight * (off**2 - measured.noise)).sum()) / total, 0.0)
    moments = float(recency.sum())
    variance = found * moments / (moments + VARIANCE_PSEUDO_MOMENTS)
    return measured.shrunk(variance), variance
