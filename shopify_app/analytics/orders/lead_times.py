"""Lead-time distributions of vendors, in whole periods, learned from what was received and when.

In:  receipts (vendor, days from order to delivery; orders still open with their age), what each
     vendor states, the length of a period.
Out: `LeadTimes`: a probability for each whole number of periods, per row.
Method: lateness is days taken over days stated, on a grid. Its distribution is Dirichlet-multinomial:
a vendor's own receipts beside `PRIOR_RECEIPTS` pseudo-receipts of the shop's, the shop's beside
`SHIPPED_RECEIPTS` of a shipped one. An open order is censored at its age: its weight is spread over
what is later (one step of Efron's redistribution to the right, as in Kaplan & Meier).
Source: Gelman et al., *Bayesian Data Analysis*, 3rd ed. (2013), ch. 3 (Dirichlet-multinomial); Efron
(1967), "The two sample problem with censored data" (redistribution to the right).
Weak: a vendor's lead times are taken to be one distribution over time: a strike is not foreseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

RATIOS: Final = np.array([0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0])
"""Grid of lateness: days taken over days stated."""

SHIPPED: Final = np.array([0.03, 0.09, 0.17, 0.30, 0.18, 0.12, 0.07, 0.03, 0.01])
"""Prior probability of each lateness, before anything was received: mostly as stated, sooner late than early."""

PRIOR_RECEIPTS: Final = 6.0
"""Pseudo-count, in receipts, of the shop's lateness beside a vendor's own."""

SHIPPED_RECEIPTS: Final = 20.0
"""Pseudo-count, in receipts, of the shipped lateness beside the shop's."""


@dataclass(frozen=True, slots=True)
class LeadTimes:
    """Lead times as distributions over whole periods, one row a line.

    Attributes
    ----------
    probabilities : array (n, m), of a lead time of 0, 1, ..., m - 1 whole periods; rows sum to 1
    """

    probabilities: np.ndarray

    def __post_init__(self) -> None:
        """Nothing; raises `ValueError` for rows that are no distributions."""
        rows = self.probabilities
        if rows.ndim != 2 or (rows < 0).any() or not np.allclose(rows.sum(axis=1), 1.0):
            raise ValueError("lead time probabilities must be >= 0 and each row must sum to 1")

    @classmethod
    def fixed(cls, periods: np.ndarray) -> "LeadTimes":
        """Lead times of variance 0."""
        width = int(periods.max()) + 1 if len(periods) else 1
        return cls((np.arange(width)[None, :] == periods[:, None]).astype(float))

    @property
    def mean(self) -> np.ndarray:
        """Expected whole periods (n,)."""
        return self.probabilities @ np.arange(self.probabilities.shape[1])

    @property
    def longest(self) -> np.ndarray:
        """Longest possible whole periods (n,)."""
        possible = self.probabilities > 0
        return possible.shape[1] - 1 - np.argmax(possible[:, ::-1], axis=1)

    def rows(self, chosen: np.ndarray) -> "LeadTimes":
        """The distributions of the chosen rows."""
        return LeadTimes(self.probabilities[chosen])


def learn_lead_times(
    receipts: pd.DataFrame,
    *,
    vendors: np.ndarray,
    stated_days: Mapping[object, float],
    default_days: float,
    period_days: float,
) -> LeadTimes:
    """The `LeadTimes` of each row's vendor.

    Parameters
    ----------
    receipts : `vendor, days, is_open`: days from order to delivery, or the age of an open order
    vendors : (n,) the vendor of each row
    stated_days : what each vendor says, else `default_days` (> 0 days are taken as at least one)
    period_days : 7 for weeks

    Raises
    ------
    ValueError
        If columns are missing or days are negative.

    Examples
    --------
    "a" states two weeks and took three, six times; nothing was received from "b":

    >>> receipts = pd.DataFrame({"vendor": ["a"] * 6, "days": [21.0] * 6, "is_open": False})
    >>> learned = learn_lead_times(
    ...     receipts,
    ...     vendors=np.array(["a", "b"]),
    ...     stated_days={"a": 14.0, "b": 14.0},
    ...     default_days=14.0,
    ...     period_days=7.0,
    ... )
    >>> learned.mean.round(1).tolist()
    [2.8, 2.6]
    """
    if missing := {"vendor", "days", "is_open"} - set(receipts.columns):
        raise ValueError(f"receipts lack {sorted(missing)}")
    if len(receipts) and (receipts["days"].to_numpy(float) < 0).any():
        raise ValueError("days must be >= 0")
    stated = {name: max(float(stated_days.get(name, default_days)), 1.0) for name in vendors}
    known = receipts[receipts["vendor"].isin(list(stated))]
    late = known["days"].to_numpy(float) / known["vendor"].map(stated).to_numpy(float)
    is_open = known["is_open"].to_numpy(bool)
    common = _posterior(late, is_open, SHIPPED, SHIPPED_RECEIPTS)
    names = list(dict.fromkeys(vendors))
    found: list[np.ndarray] = []
    for name in names:
        own = (known["vendor"] == name).to_numpy()
        ratios = _posterior(late[own], is_open[own], common, PRIOR_RECEIPTS)
        found.append(_in_periods(ratios, stated[name], period_days))
    width = max((len(one) for one in found), default=1)
    table = np.array([np.pad(one, (0, width - len(one))) for one in found]).reshape(-1, width)
    place = {name: at for at, name in enumerate(names)}
    return LeadTimes(table[[place[name] for name in vendors]])


def _posterior(
    late: np.ndarray, is_open: np.ndarray, prior: np.ndarray, worth: float
) -> np.ndarray:
    """Probability of each lateness: receipts plus `worth` pseudo-receipts of the prior, censored orders redistributed."""
    # Each receipt counts at the nearest lateness of the grid, on a log scale.
    place = np.abs(np.log(np.maximum(late, 1e-3))[:, None] - np.log(RATIOS)[None, :]).argmin(axis=1)
    counts = worth * prior + np.bincount(place[~is_open], minlength=len(RATIOS))
    found = counts.copy()
    for age in late[is_open]:
        later = age < RATIOS
        if later.any():
            # Censored: spread over later latenesses in proportion to what was seen there.
            found += np.where(later, counts, 0.0) / counts[later].sum()
        else:
            found[-1] += 1.0
    return found / found.sum()


def _in_periods(ratios: np.ndarray, stated: float, period_days: float) -> np.ndarray:
    """Probabilities of whole periods: an order that comes within a period is there at the next one's start."""
    # The tolerance keeps 14.000000001 days at two weeks.
    periods = np.ceil(RATIOS * stated / period_days - 1e-9).astype(int)
    return np.bincount(periods, weights=ratios)
