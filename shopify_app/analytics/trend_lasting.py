"""Whether a change will still be there when an order placed now lands.

In:  the `Setting` of all products, what is believed of them, lead times in weeks; the shop's past changes.
Out: a probability per product that, in the four weeks after landing, its rate is still at least 15 %
     above normal (falling: below).
Method: logistic regression on what can be seen of a change: whether it is still on or has ended already, its
age and size, how sure it is, how far ahead the landing is, what last year did there. The slopes are
stated; the two constants, for rises and for falls, start from stated ones and move to what became of
the shop's own past changes, found by the same methods at past moments and followed to their landing.
Source: Le Cessie & van Houwelingen (1992), "Ridge estimators in logistic regression", Applied Statistics
41, 191-201 (the ridge pulls to the stated constants).
Weak: the stated coefficients come from four retail sets and one simulated shop; a shop under nine months
old has no changes of its own to learn from; a turn of the season is only foreseen from last year's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.trend_causes import ONE_OFF, PROMOTION, REBOUND, SEASON, YEAR, Setting

STATED: Final = np.array([-0.7, 0.4, 0.35, 0.2, 0.6, 0.3, 0.0, -0.4, 0.6])
"""Coefficients of a shop without a past: constant, fall, still on, still on of a fall, log age, size, log
chance of a wrong sign, log lead time, last year at landing. Rounded from a fit to Online Retail II
(orders, units), VN2, Complete Journey and a simulated shop, each with the same weight."""

LEARNED: Final = 2
"""How many coefficients, from the first, are learned: slopes learned from few changes did harm."""

PULL: Final = 25.0
"""Ridge toward the stated constants: they count for about a hundred past changes."""

LEAST_EFFECT: Final = 1.15
"""What "still there" means: the rate is this many times normal at least (falling: its inverse at most)."""

CAUSE_SHIFT: Final = {PROMOTION: -1.5, REBOUND: -1.0, ONE_OFF: -0.7, SEASON: -0.3}
"""Added to the log odds where something passing explains the change."""

ENDED_WEEKS: Final = 5
"""Weeks ago that a change may have ended already."""

SUREST: Final = 5.0
"""Log odds of being still on, at most."""

LANDING_WEEKS: Final = 4
LEAST_SEEN_WEEKS: Final = 3
LONGEST_AGE: Final = 20

ROUNDS: Final = 12


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes known at a moment.

    Attributes
    ----------
    weeks : weeks of history known then
    rows : array (m,), products
    rate, log_ratio, false_sign : array (m,), normal units a week, size, chance of a wrong sign
    """

    weeks: int
    rows: np.ndarray
    rate: np.ndarray
    log_ratio: np.ndarray
    false_sign: np.ndarray

    @property
    def side(self) -> np.ndarray:
        """1 for a rise, -1 for a fall, (m,)."""
        return np.where(self.log_ratio >= 0, 1.0, -1.0)


def lasting(
    setting: Setting,
    false_sign: np.ndarray,
    named: np.ndarray,
    lead_weeks: np.ndarray,
    past: list[Changes],
) -> np.ndarray:
    """Probability that each change is still there when an order lands, (n,).

    Parameters
    ----------
    setting : Setting
    false_sign, named, lead_weeks : array (n,)
        Chance of a wrong sign, cause, weeks until an order lands.
    past : list of Changes
        What the same methods found at past moments.
    """
    n, length = setting.units.shape
    coefficients = _learned(setting, past, float(np.median(lead_weeks)))
    changes = Changes(length, np.arange(n), setting.rate, setting.log_ratio, false_sign)
    seen = _seen(setting, changes, lead_weeks)
    shift = np.zeros(n)
    for cause, by in CAUSE_SHIFT.items():
        shift[(named == cause) & (setting.log_ratio >= 0)] = by
    return _logistic(seen @ coefficients + shift)


def _logistic(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(odds, -30, 30)))


def _seen(setting: Setting, changes: Changes, lead_weeks: np.ndarray) -> np.ndarray:
    """What can be seen of each change when it is known, (m, features)."""
    still_on, age, size = _course(setting, changes)
    fall = (changes.side < 0).astype(float)
    return np.column_stack(
        [
            np.ones(len(fall)),
            fall,
            still_on,
            still_on * fall,
            np.log(age),
            np.abs(size),
            np.log(np.clip(changes.false_sign, 0.005, 1.0)),
            np.log1p(lead_weeks),
            changes.side * _last_year(setting, changes, lead_weeks),
        ]
    )


def _sold_and_usual(
    setting: Setting, changes: Changes, weeks: slice
) -> tuple[np.ndarray, np.ndarray]:
    exposure = setting.exposure[changes.rows, weeks]
    sold = (setting.units[changes.rows, weeks] * (exposure > 0)).sum(axis=1)
    return sold, changes.rate * exposure.sum(axis=1)


def _course(setting: Setting, changes: Changes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(log odds that a change is still on, weeks since it began, its log ratio while on), each (m,).

    Notes
    -----
    Every stretch that began up to 20 weeks ago and is on or ended up to 5 weeks ago is tried with its own
    level; its fit is the quasi-likelihood gain over normal.
    """
    now = changes.weeks
    first = max(now - LONGEST_AGE, 0)
    exposure = setting.exposure[changes.rows, first:now][:, ::-1]
    units = setting.units[changes.rows, first:now][:, ::-1] * (exposure > 0)
    k = setting.dispersion[changes.rows]
    sold, usual = (
        np.pad(np.cumsum(part, axis=1), ((0, 0), (1, 0)))
        for part in (units, changes.rate[:, None] * exposure)
    )
    side = changes.side[:, None]
    noise = 1.0 + (k * changes.rate * np.maximum(np.exp(changes.log_ratio), 1.0))[:, None]
    gains, ages, sizes = [], [], []
    for ended in range(min(ENDED_WEEKS, sold.shape[1] - 2) + 1):
        s, m = sold[:, ended + 1 :] - sold[:, [ended]], usual[:, ended + 1 :] - usual[:, [ended]]
        size = np.log((s + 0.5) / (m + 0.5))
        gain = np.where(side * size > 0, (s * size - s + m) / noise, 0.0)
        best = gain.argmax(axis=1)
        pick = np.arange(len(best)), best
        gains.append(gain[pick])
        ages.append(best + 1.0 + ended)
        sizes.append(size[pick])
    gain = np.stack(gains)
    over = np.logaddexp.reduce(gain[1:], axis=0) - np.log(max(len(gain) - 1, 1))
    likelier = gain.argmax(axis=0), np.arange(gain.shape[1])
    return (
        np.clip(gain[0] - over, -SUREST, SUREST),
        np.stack(ages)[likelier],
        np.clip(np.stack(sizes)[likelier], -2.0, 2.0),
    )


def _last_year(setting: Setting, changes: Changes, lead_weeks: np.ndarray) -> np.ndarray:
    """Log of what last year's landing weeks sold over normal, shrunk; 0 where there was none, (m,)."""
    ages = np.arange(setting.units.shape[1])[None, :] - (changes.weeks - YEAR)
    first = np.round(lead_weeks)[:, None]
    weeks = (ages >= first) & (ages < first + LANDING_WEEKS) & (ages < YEAR)
    exposure = setting.exposure[changes.rows] * weeks
    sold = (setting.units[changes.rows] * (exposure > 0)).sum(axis=1)
    usual = changes.rate * exposure.sum(axis=1)
    return np.clip(np.log((sold + 4.0) / (usual + 4.0)), -1.5, 1.5)


def _learned(setting: Setting, past: list[Changes], lead_weeks: float) -> np.ndarray:
    """Coefficients with the constants moved to what became of the shop's own past changes."""
    pictures: list[np.ndarray] = []
    outcomes: list[np.ndarray] = []
    for changes in past:
        lead = np.full(len(changes.rows), lead_weeks)
        there, known = _still_there(setting, changes, changes.weeks + round(lead_weeks))
        pictures.append(_seen(setting, changes, lead)[known])
        outcomes.append(there[known])
    if not sum(len(one) for one in outcomes):
        return STATED
    return _ridge(np.vstack(pictures), np.concatenate(outcomes).astype(float))


def _still_there(setting: Setting, changes: Changes, landing: int) -> tuple[np.ndarray, np.ndarray]:
    """(whether a past change was still there after landing, whether that can be told), each (m,)."""
    weeks = slice(landing, landing + LANDING_WEEKS)
    sold, usual = _sold_and_usual(setting, changes, weeks)
    known = (setting.exposure[changes.rows, weeks] > 0).sum(axis=1) >= LEAST_SEEN_WEEKS
    ratio = np.maximum(sold, 1e-9) / np.maximum(usual, 1e-9)
    return changes.side * np.log(ratio) > np.log(LEAST_EFFECT), known & (usual > 0)


def _ridge(pictures: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Logistic regression of the first coefficients, pulled to the stated ones, by Newton's method."""
    found, free = STATED.copy(), pictures[:, :LEARNED]
    for _ in range(ROUNDS):
        chance = _logistic(pictures @ found)
        slope = free.T @ (chance - outcomes) + PULL * (found - STATED)[:LEARNED]
        bend = (free * (chance * (1 - chance))[:, None]).T @ free + PULL * np.eye(LEARNED)
        found[:LEARNED] -= np.linalg.solve(bend, slope)
    return found
