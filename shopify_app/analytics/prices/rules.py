"""Limits of a price, the merchant's and the law's: every one has a name, and the hard ones come last.

In:  a row of the catalogue, `PriceLimits`.
Out: the prices that may be proposed, the trail of limits a wish ran into, the reference price that may be shown.
Source: Directive 98/6/EC, article 6a (as amended by 2019/2161): an announced reduction shows the lowest price of
the thirty days before it.
Weak: reductions announced outside the compare-at price (banners, codes) are not seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

TRIED_MARGIN: Final = 0.15
"""Share beyond the prices it was sold at within which a response is extrapolated."""

STEPS: Final = 25
"""Candidate prices between the limits."""

HARD_RULES: Final = (
    "price_ceiling",
    "recommended_price",
    "price_floor",
    "minimum_advertised_price",
    "margin_floor",
)
"""Limits that are applied after all others, in this order: a floor has the last word."""


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """A merchant's limits; shares in [0, 1].

    Attributes
    ----------
    min_chance : of the suggestions of one run, the share that must be expected to help.
    least_chance : no single suggestion is less likely to help.
    min_gain_share : least expected gain, as a share of the product's gross profit.
    frozen : spans of days (first, last) in which no price is touched; need `as_of`.
    changes_per_month : of one product's price, where the catalogue tells `changes_last_30_days`.
    max_changes : of the whole shop in one run.
    max_revenue_share : of the shop's revenue under a changed price in one run.
    honours_prior_price : the shop sells in the EU: a reduction's reference is the lowest price of 30 days.
    keeps_compare_at : the compare-at price must stay as it is; a price that would make it false is not proposed.
    """

    margin_floor: float = 0.2
    max_step: float = 0.1
    price_ending: str = "keep"
    minor_digits: int = 2
    min_chance: float = 0.9
    least_chance: float = 0.65
    min_gain_share: float = 0.01
    is_frozen: bool = False
    frozen: tuple[tuple[date, date], ...] = ()
    as_of: date | None = None
    changes_per_month: int = 1
    max_changes: int | None = None
    max_revenue_share: float = 1.0
    honours_prior_price: bool = True
    keeps_compare_at: bool = False

    @property
    def is_closed(self) -> bool:
        """True if no price may be touched today."""
        return self.is_frozen or (
            self.as_of is not None
            and any(first <= self.as_of <= last for first, last in self.frozen)
        )


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit's name and the prices it allows."""

    rule: str
    low: float
    high: float


def value_of(row: Any, name: str) -> float:
    """A number of a catalogue row; NaN where the column or the value is missing."""
    found = getattr(row, name, None)
    return float("nan") if found is None else float(found)


def taxed_share(row: Any) -> float:
    """A price over what is left of it before tax; 1 where the row tells no `tax_rate`."""
    rate = value_of(row, "tax_rate")
    return 1.0 if np.isnan(rate) else 1.0 + rate


def bounds(row: Any, limits: PriceLimits, *, may_fall: bool) -> list[Bound]:
    """All limits of a product, soft ones first, the hard ones in the order of `HARD_RULES`."""
    price, unit, inf = float(row.price), 10.0**-limits.minor_digits, float("inf")
    found = [Bound("max_price_step", price * (1 - limits.max_step), price * (1 + limits.max_step))]
    low, high = value_of(row, "tried_low"), value_of(row, "tried_high")
    if low > 0 and high > 0:
        found.insert(
            0,
            Bound(
                "tried_range",
                min(low, price) * (1 - TRIED_MARGIN),
                max(high, price) * (1 + TRIED_MARGIN),
            ),
        )
    if not may_fall:
        found.append(Bound("stock", price, inf))
    # A cost has no tax in it: on the shelf a price must be so much higher to leave as much.
    cost = float(row.unit_cost) * taxed_share(row)
    hard = {
        "price_ceiling": (-inf, value_of(row, "ceiling_price")),
        "recommended_price": (-inf, value_of(row, "recommended_price")),
        "price_floor": (value_of(row, "floor_price"), inf),
        "minimum_advertised_price": (value_of(row, "minimum_advertised_price"), inf),
        # price >= cost / (1 - margin), and never at or below cost.
        "margin_floor": (max(cost / (1 - limits.margin_floor), cost + unit), inf),
    }
    for rule in HARD_RULES:
        first, last = hard[rule]
        if not (np.isnan(first) or np.isnan(last)):
            found.append(Bound(rule, first, last))
    return found


def candidates(price: float, rules: Iterable[Bound], limits: PriceLimits) -> np.ndarray:
    """Prices inside every limit, in whole minor units, with the merchant's ending; today's is not one."""
    rules = list(rules)
    low = max(rule.low for rule in rules)
    high = min(rule.high for rule in rules)
    if low > high:
        return np.zeros(0)
    unit = 10.0**-limits.minor_digits
    # Rounding to the merchant's ending may leave the limits: those that do are dropped below.
    wide = np.linspace(low, high, STEPS)
    ended = np.unique(
        np.round(with_ending(np.round(wide / unit) * unit, limits), limits.minor_digits)
    )
    inside = (ended >= low - 1e-9) & (ended <= high + 1e-9) & (np.abs(ended - price) >= unit / 2)
    return ended[inside]


def with_ending(prices: np.ndarray, limits: PriceLimits) -> np.ndarray:
    """Nearest prices with the merchant's ending; "keep" and currencies without minor units leave them."""
    if limits.price_ending == "keep" or limits.minor_digits == 0:
        return prices
    cents = float(limits.price_ending)
    return np.maximum(np.round(prices - cents), 0) + cents


def trail(
    wish: float, price: float, rules: Iterable[Bound], digits: int
) -> tuple[str | None, list[dict[str, Any]]]:
    """(the limit that holds the price where it is, every limit a wish ran into with the price before and after)."""
    steps: list[dict[str, Any]] = []
    here, binding = wish, None
    for rule in rules:
        after = float(np.clip(here, rule.low, rule.high))
        if abs(after - here) > 0.5 * 10.0**-digits:
            steps.append(
                {"rule": rule.rule, "before": round(here, digits), "after": round(after, digits)}
            )
            here, binding = after, rule.rule
    if abs(here - price) > 0.5 * 10.0**-digits:
        # Inside the limits, but not where they left it: held back by certainty, or rounded.
        near = abs(here / price - 1) < 0.02
        steps.append(
            {
                "rule": "price_ending" if near else "chance",
                "before": round(here, digits),
                "after": round(price, digits),
            }
        )
        binding = binding if near else "chance"
    return binding, steps


def lawful_compare_at(
    price: float, compare_at: float, lowest_prior: float, limits: PriceLimits
) -> float:
    """The compare-at price that may stand beside `price`; NaN: none.

    In the EU the crossed-out price is the lowest of the thirty days before, whatever the merchant wrote; if
    that is not above the new price there is no reduction to announce. Where it is unknown, none is.

    Examples
    --------
    12 was written, but 9 was charged within the thirty days; at a new price of 9 there is no reduction left.

    >>> lawful_compare_at(8.0, 12.0, 9.0, PriceLimits()), lawful_compare_at(9.0, 12.0, 9.0, PriceLimits())
    (9.0, nan)
    """
    if not compare_at > price:
        return float("nan")
    if not limits.honours_prior_price:
        return compare_at
    return lowest_prior if lowest_prior > price else float("nan")
