"""By how much the whole shop, and each of its groups, came otherwise than was foreseen.

In:  windows of totals, the group of each series, what the course was known to be unsure of.
Out: a factor per moment and group, and the variance of such factors from now on.
Method: at each past moment, what came against what was foreseen, over all series, weighted so that no
best-seller decides. The course's own doubt (`common_factor`) is scaled to how far these errors
really went; a group's own errors are added. An error counts by the share of it that is not the
scatter of single series, so that a shop of few series is taken to share little.
What all series share does not average out over them: it is kept apart from each one's own scatter.
Source: the variance components of a one-way random layout (Searle, Casella & McCulloch, *Variance
Components*, 1992, ch. 3).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.pooling import FULLY_SEEN, Windows

ITEM_DISPERSION: Final = 0.5
LARGEST_MOVE: Final = 1.0
"""Of the log of a whole shop's demand: what goes further than to a third or threefold was something else."""

TRUSTED_DOUBT: Final = 4.0
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


def common_errors(windows: Windows, groups: np.ndarray, doubt: np.ndarray) -> CommonErrors:
    """Errors shared at each of the windows' moments.

    Parameters
    ----------
    groups : array (n,) of int
    doubt : array (groups, moments + 1 or more)
        Variance of the log course over the window after each moment; of now last.
    """
    count, seen = len(doubt), len(windows.actual)
    if not seen:
        return CommonErrors(np.ones((0, count + 1)), np.append(doubt[:, -1], doubt[:, -1].mean()))
    came, due = _totals(windows, groups, count)
    recency = windows.recency
    share = due.sum(axis=0) / max(float(due.sum()), 1e-9)
    usual = share @ doubt
    log, noise = _log_ratio(came.sum(axis=1, keepdims=True), due.sum(axis=1, keepdims=True))
    off = _usual_moves(log)
    scaled = (recency * off**2 / (usual[:seen, None] + noise)).sum() + TRUSTED_DOUBT
    scale = float(scaled / (recency.sum() + TRUSTED_DOUBT))
    variance = scale * usual[:seen, None]
    whole = log * variance / (variance + noise)
    moves, more = np.repeat(whole, count, axis=1), 0.0
    if count > 1:
        own, more = _of_groups(came, due * np.exp(whole), recency)
        moves += own
    now = scale * np.append(doubt[:, -1], usual[-1]) + more
    return CommonErrors(np.exp(np.concatenate([moves, whole], axis=1)), now)


def _totals(windows: Windows, groups: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Weighted (came, due) of each group at each moment (moments, groups)."""
    shape = (len(windows.actual), count)
    came, due = np.empty(shape), np.empty(shape)
    for number in range(len(came)):
        mean = (windows.foreseen[number] * windows.exposure[number]).astype(float)
        weight = (windows.exposure[number] > FULLY_SEEN) / (1 + ITEM_DISPERSION * mean)
        came[number] = np.bincount(groups, weight * windows.actual[number], minlength=count)
        due[number] = np.bincount(groups, weight * mean, minlength=count)
    return came, due


def _log_ratio(came: np.ndarray, due: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(log of came over due, its variance were there nothing in common)."""
    return np.log((came + 1.0) / (due + 1.0)), 1.0 / (due + 1.0)


def _usual_moves(log: np.ndarray) -> np.ndarray:
    """Moves (moments, k) around their middle, none further than demand moves by itself: what is to be expected again.

    What always comes otherwise than foreseen (bulk orders, of which no level knows) makes nothing unsure, and
    a week in which the shop was closed, or the one after it, tells nothing of how demand moves.
    """
    middle = np.median(log, axis=0)
    return np.clip(log - middle, -LARGEST_MOVE, LARGEST_MOVE)


def _of_groups(came: np.ndarray, due: np.ndarray, recency: np.ndarray) -> tuple[np.ndarray, float]:
    """(log moves of groups beyond the shop's (moments, groups), their variance)."""
    log, noise = _log_ratio(came, due)
    off = _usual_moves(log)
    weight = recency * due
    total = max(float(weight.sum()), 1e-9)
    found = max(float((weight * (off**2 - noise)).sum()) / total, 0.0)
    moments = float(recency.sum())
    variance = found * moments / (moments + TRUSTED_DOUBT)
    return log * variance / (variance + noise), variance
