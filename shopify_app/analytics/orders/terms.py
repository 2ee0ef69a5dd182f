"""The terms of an order, as arrays that agree: one row a series.

In:  what a caller of `replenishment.order_quantities` passes.
Out: `OrderTerms`, or a `ValueError` that names what is wrong.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.orders.lead_times import LeadTimes

HIGHEST_FRACTILE: Final = 0.9995
"""Highest critical fractile: a unit that costs nothing to hold is still not ordered for rarer demand."""


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """Costs, stock, lead times and rules of the lines; arrays (n,) but `arriving` (n, k).

    Stock below nothing is owed: `on_hand` is then 0, what arrives goes to those it is owed to first, and `owed` (n,) is the
    rest.
    """

    on_hand: np.ndarray
    arriving: np.ndarray
    owed: np.ndarray
    lead: LeadTimes
    review: np.ndarray
    holding: np.ndarray
    shortage: np.ndarray
    pack: np.ndarray
    minimum: np.ndarray
    unit_cost: np.ndarray
    cap: float | None
    leftover_share: float

    @property
    def n(self) -> int:
        """Number of lines."""
        return len(self.on_hand)

    @property
    def capped_shortage(self) -> np.ndarray:
        """Cost of a lost unit (n,), lowered to that which the merchant's cap on the fractile implies."""
        highest = HIGHEST_FRACTILE if self.cap is None else min(self.cap, HIGHEST_FRACTILE)
        least_holding = np.maximum(self.holding, 1e-9 * self.shortage)
        # fractile = c_u / (c_u + c_o) <= F  <=>  c_u <= F / (1 - F) c_o, with c_o the holding
        # over a review.
        most = highest / (1.0 - highest) * least_holding * self.review
        return np.where(self.holding > 0, np.minimum(self.shortage, most), self.shortage)

    @property
    def is_known_at_landing(self) -> np.ndarray:
        """True (n,) where an order lands at once and nothing else lands before the next: stock at the landing is known."""
        at_once = self.lead.longest == 0
        later = self.arriving[:, 1:]
        before_next = np.arange(1, self.arriving.shape[1])[None, :] < self.review[:, None]
        return at_once & (self.holding > 0) & ~((later > 0) & before_next).any(axis=1)


def order_terms(  # noqa: PLR0913 -- one argument for each term that the merchant knows by name
    forecast: DemandForecast,
    *,
    on_hand: Any,
    incoming: Any,
    lead_time: Any,
    review_periods: Any,
    holding_cost: Any,
    shortage_cost: Any,
    pack: Any = 1,
    minimum: Any = 0,
    unit_cost: Any = None,
    service_level_cap: float | None = None,
    overage_reviews: float = 1.0,
    leftover_share: float = 0.0,
) -> OrderTerms:
    """The `OrderTerms` of a forecast's series, checked and of one length.

    Raises
    ------
    ValueError
        As `replenishment.order_quantities` documents.
    """
    n = len(forecast.series_ids)
    if overage_reviews <= 0:
        raise ValueError("overage_reviews must be above 0")
    stock, arriving = vector(on_hand, n), _arriving(incoming, n)
    arriving, owed = _after_owed(arriving, np.maximum(-stock, 0.0))
    terms = OrderTerms(
        on_hand=np.maximum(stock, 0.0),
        arriving=arriving,
        owed=owed,
        lead=_lead(lead_time, n),
        review=vector(review_periods, n).astype(int),
        holding=vector(holding_cost, n) * overage_reviews,
        shortage=vector(shortage_cost, n),
        pack=vector(pack, n).astype(int),
        minimum=vector(minimum, n).astype(int),
        unit_cost=vector(1.0 if unit_cost is None else unit_cost, n),
        cap=service_level_cap,
        leftover_share=leftover_share,
    )
    _check(terms, forecast.mean.shape[1])
    return terms


def vector(value: Any, n: int) -> np.ndarray:
    """One finite float a series (n,).

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    found = np.broadcast_to(np.asarray(value, float), (n,)).copy()
    if not np.isfinite(found).all():
        raise ValueError("numbers must be finite")
    return found


def _arriving(incoming: Any, n: int) -> np.ndarray:
    """Units that arrive at the start of each coming period (n, k), k >= 1."""
    found = np.asarray(incoming, float)
    if found.ndim == 2:
        if len(found) != n or not np.isfinite(found).all():
            raise ValueError("incoming must have a row for each series, and be finite")
        return found if found.shape[1] else np.zeros((n, 1))
    return vector(found, n)[:, None]


def _after_owed(arriving: np.ndarray, owed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(what is left of each period's units once those owed have had theirs (n, k), what is owed still (n,))."""
    if not (owed > 0).any():
        return arriving, owed
    came = np.cumsum(arriving, axis=1)
    free = np.maximum(came - owed[:, None], 0.0)
    left = np.diff(free, axis=1, prepend=0.0)
    return np.where(owed[:, None] > 0, left, arriving), np.maximum(owed - came[:, -1], 0.0)


def _lead(lead_time: Any, n: int) -> LeadTimes:
    """The `LeadTimes` of what was passed."""
    if isinstance(lead_time, LeadTimes):
        if len(lead_time.probabilities) != n:
            raise ValueError("lead_time must have a row for each series")
        return lead_time
    periods = vector(lead_time, n).astype(int)
    if n and periods.min() < 0:
        raise ValueError("lead_time must be >= 0")
    return LeadTimes.fixed(periods)


def _check(terms: OrderTerms, horizon: int) -> None:
    """Nothing; raises `ValueError` for terms that cannot be ones."""
    if not terms.n:
        return
    if terms.review.min() < 1 or terms.pack.min() < 1 or terms.minimum.min() < 0:
        raise ValueError("review_periods and pack must be >= 1, minimum >= 0")
    if min(terms.holding.min(), terms.shortage.min(), terms.unit_cost.min()) < 0:
        raise ValueError("costs must be >= 0")
    if terms.arriving.min() < 0:
        raise ValueError("incoming must be >= 0")
    if terms.cap is not None and not 0 < terms.cap < 1:
        raise ValueError("service_level_cap must be within (0, 1)")
    if not 0 <= terms.leftover_share <= 1:
        raise ValueError("leftover_share must be within 0..1")
    if int((terms.lead.longest + terms.review).max()) > horizon:
        raise ValueError("the forecast must reach the longest lead time and review")
