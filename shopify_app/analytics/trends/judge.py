"""The posterior of every product's change in the last weeks: common factors out, evidence in.

In:  units, exposure (n, T) and groups (n,); nothing of the calendar, so that any past moment can be judged alike.
Out: `Judged`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.trends import prior as trend_prior
from shopify_app.analytics.trends.evidence import LONG_BASE, Evidence, evidence
from shopify_app.analytics.trends.shocks import shared_factor

WINDOWS: Final = (4, 8)
"""Lengths, in weeks, of the windows compared."""

JUDGED: Final = max(WINDOWS)
"""Length of the longest window."""

NO_MOVE: Final = 0.02
"""Log ratio of the typical product under which there is nothing to take out."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Evidence and posterior of the last weeks; `exposure` (n, T) has the common factors in it."""

    exposure: np.ndarray
    evidence: Evidence
    windows: trend_prior.WindowSums
    beliefs: trend_prior.Posterior

    @property
    def rate(self) -> np.ndarray:
        """Units a week of full exposure before the likelier window (n,)."""
        rate = self.windows.sold_before / np.maximum(self.windows.exposed_before, 1e-9)
        return rate[np.arange(len(rate)), self.beliefs.window]


def judge(units: np.ndarray, exposure: np.ndarray, groups: np.ndarray) -> Judged:
    """The `Judged` of every product; units and exposure (n, T), a group's code per product (n,)."""
    exposure = exposure * shared_factor(units, exposure, judged=JUDGED)
    exposure, found = _typical_taken_out(units, exposure)
    windows = _windows(units, exposure)
    return Judged(exposure, found, windows, trend_prior.posterior(found, windows, groups))


def _typical_taken_out(units: np.ndarray, exposure: np.ndarray) -> tuple[np.ndarray, Evidence]:
    """(exposure, evidence) with the typical product's move in the judged weeks taken out as well."""
    found = evidence(units, exposure, WINDOWS)
    move = trend_prior.typical_move(found)
    if np.abs(move).max() < NO_MOVE:
        return exposure, found
    exposure = exposure.copy()
    for weeks, newer, log_ratio in zip(WINDOWS, (0, *WINDOWS), move, strict=False):
        part = slice(-weeks, -newer or None)
        # The longest window's newer weeks have their own ratio: only its older part takes the
        # rest.
        exposure[:, part] *= np.exp(log_ratio if not newer else _older_part(move, weeks, newer))
    return exposure, evidence(units, exposure, WINDOWS)


def _older_part(move: np.ndarray, weeks: int, newer: int) -> float:
    """Log ratio of a window's older weeks, from that of the whole window and of its newer weeks."""
    share = newer / weeks
    # Mean over the window = share x newer mean + (1 - share) x older mean.
    left = (np.exp(move[1]) - share * np.exp(move[0])) / (1 - share)
    return float(np.log(np.clip(left, 0.2, 5.0)))


def _windows(units: np.ndarray, exposure: np.ndarray) -> trend_prior.WindowSums:
    """The `WindowSums` of some weeks."""
    units, exposure = units[:, -LONG_BASE - JUDGED :], exposure[:, -LONG_BASE - JUDGED :]
    seen = exposure > 0
    sums: list[list[np.ndarray]] = [[], [], [], [], [], []]
    for weeks in WINDOWS:
        for offset, part in ((0, slice(-weeks, None)), (3, slice(None, -weeks))):
            sums[offset].append((units[:, part] * seen[:, part]).sum(axis=1))
            sums[offset + 1].append(seen[:, part].sum(axis=1))
            sums[offset + 2].append(exposure[:, part].sum(axis=1))
    return trend_prior.WindowSums(*[np.column_stack(columns).astype(float) for columns in sums])
