"""Lead times of vendors: as the merchant states them, or as their deliveries showed (`analytics.orders.lead_times`).

A vendor without a delivery, or whose merchant says that his number stands, is taken at his word: the
stated time, without variance. Any other is a distribution around it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.advice.inputs import Inputs
from shopify_app.analytics.orders.lead_times import LeadTimes, learn_lead_times
from shopify_app.domain.evidence import Deliveries

LATE: Final = 1.5
"""Multiple of the lead time after which an open order is no longer counted: it may have come without anyone
telling us."""

SHOWN: Final = 10
"""Newest deliveries whose days are shown."""


@dataclass(frozen=True, slots=True)
class VendorTimes:
    """Lead times by vendor.

    Attributes
    ----------
    stated_days : by vendor's name, of every vendor on sale
    distribution : whole weeks, a row a vendor in the order of `stated_days`
    told : what deliveries showed, by name, of vendors that had any
    """

    stated_days: "pd.Series[Any]"
    distribution: LeadTimes
    told: dict[str, Deliveries]

    def of(self, vendors: "pd.Series[Any]") -> LeadTimes:
        """The distribution of each line's vendor."""
        return self.distribution.rows(self._places(vendors))

    def days_of(self, vendors: "pd.Series[Any]") -> np.ndarray:
        """Stated days (n,)."""
        return self.stated_days.to_numpy(int)[self._places(vendors)]

    def weeks_of(self, vendors: "pd.Series[Any]") -> np.ndarray:
        """Whole weeks (n,) that are most to be expected."""
        return np.round(self.distribution.mean).astype(int)[self._places(vendors)]

    def longest_of(self, vendors: "pd.Series[Any]") -> np.ndarray:
        """Whole weeks (n,) that it may take."""
        return self.distribution.longest[self._places(vendors)]

    def _places(self, vendors: "pd.Series[Any]") -> np.ndarray:
        return self.stated_days.index.get_indexer(pd.Index(vendors))


def vendor_times(inputs: Inputs) -> VendorTimes:
    """What is known of every vendor with a variant on sale."""
    known = inputs.vendors.set_index("vendor")
    names = pd.Index(sorted(inputs.variants["vendor"].unique()), dtype=object)
    default = float(inputs.settings.lead_time_days)
    stated = known["lead_time_days"].reindex(names).fillna(default).astype(int)
    fixed = pd.Series(data=False, index=names)
    if "lead_time_is_fixed" in known:  # a run from before there was such a wish
        fixed = known["lead_time_is_fixed"].reindex(names).fillna(0).astype(bool)
    weeks = LeadTimes.fixed(np.ceil(stated.to_numpy(float) / 7).astype(int))
    told = _told(inputs.receipts, stated, fixed)
    learned = np.array([name in told and not told[name].is_fixed for name in names], bool)
    if learned.any():
        weeks = _learned(inputs.receipts, names, stated, default, weeks, learned)
    return VendorTimes(stated, weeks, told)


def _learned(
    receipts: pd.DataFrame,
    names: pd.Index,
    stated: "pd.Series[Any]",
    default: float,
    weeks: LeadTimes,
    learned: np.ndarray,
) -> LeadTimes:
    """Stated weeks, but for the vendors whose deliveries were seen."""
    limit = receipts["vendor"].map(stated).fillna(default).clip(lower=1) * LATE
    counted = receipts[~receipts["is_open"] | (receipts["days"] <= limit)]
    found = learn_lead_times(
        counted,
        vendors=names.to_numpy(),
        stated_days={str(name): float(days) for name, days in stated.items()},
        default_days=default,
        period_days=7.0,
    ).probabilities
    plain = weeks.probabilities
    width = max(found.shape[1], plain.shape[1])
    found, plain = (np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in (found, plain))
    return LeadTimes(np.where(learned[:, None], found, plain))


def _told(
    receipts: pd.DataFrame, stated: "pd.Series[Any]", fixed: "pd.Series[Any]"
) -> dict[str, Deliveries]:
    """What a card says of each vendor that delivered."""
    came = receipts[~receipts["is_open"] & receipts["vendor"].isin(stated.index)]
    found: dict[str, Deliveries] = {}
    for name, days in came.groupby("vendor")["days"]:
        newest = days.tail(SHOWN).round().astype(int)
        found[str(name)] = Deliveries(
            stated_days=int(stated[name]),
            deliveries=len(newest),
            days_low=int(newest.min()),
            days_high=int(newest.max()),
            is_fixed=bool(fixed[name]),
        )
    return found
