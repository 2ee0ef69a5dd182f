"""Probability that a change is still there when an order placed now lands.

In:  the panel, what was sold before each change and is sold now, causes, lead times in weeks.
Out: a probability per product that, in the four weeks after landing, it sells at least 15 % more a week
     than before the change (falling: less).
Method: the shop's demand is forecast, and the chance read from the forecast of those four weeks: it
weighs the newest weeks against the older ones as this shop's past says is right, knows the shop's common
factor and last year's, and what its products do after each pattern. Two constants and two slopes, stated, turn that
chance into what came of it. Forecast are the products that changed, and enough others to learn from; of any
other it is only said how likely such sales are at the level of now.
Source: Platt (1999), "Probabilistic outputs for support vector machines", for the stated line; `demand`.
Weak: the line was fitted to three retail sets and a simulated shop; half of a passing fad's rise looks like
the beginning of one that lasts. A rise that a discount explains is taken down by judgement.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics import demand
from shopify_app.analytics import negative_binomial as nb
from shopify_app.analytics.demand.forecast_rows import rows_of
from shopify_app.analytics.panel import Panel
from shopify_app.analytics.trends.causes import PROMOTION

RISE: Final = 0.3
"""Log odds that a change is still there: a constant for rises, `FALL` for falls, `SLOPE` and `LEAD_SLOPE` of
the forecast's own log odds and of log(1 + weeks of lead). Rounded from a logistic fit to Online Retail II
(orders, units), VN2 and a simulated shop at leads of 1 to 10 weeks with the same weight each; whichever set
is left out, they come out much the same."""

FALL: Final = 1.6
"""Constant for falls."""

SLOPE: Final = 0.7
"""Slope of the forecast's own log odds."""

LEAD_SLOPE: Final = -0.5
"""Slope of log(1 + weeks of lead)."""

PROMOTION_SHIFT: Final = -1.0
"""Shift of the log odds of a rise that a discount explains: it ends with the discount."""

LEAST_EFFECT: Final = 1.15
"""Ratio to the rate before at which a rise counts as still there (falling: its inverse)."""

LANDING_WEEKS: Final = 4
"""Weeks after the landing that are looked at."""

LONGEST_LEAD: Final = 26
"""Lead time, in weeks, beyond which nothing more is foreseen."""

LEARNED_FROM: Final = 600
"""Number of products that a forecast learns from beside those that changed, evenly from the best seller to the
least."""

SUREST: Final = 0.98
"""Bound on the forecast's probability."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of all products, each (n,).

    Attributes
    ----------
    said : bool, whether a direction is given
    rises : bool, the likelier side
    before, now : units a week before the change and, as believed, at present
    dispersion : squared coefficient of variation of a week
    cause : the cause's word
    lead_weeks : weeks until an order placed now lands
    """

    said: np.ndarray
    rises: np.ndarray
    before: np.ndarray
    now: np.ndarray
    dispersion: np.ndarray
    cause: np.ndarray
    lead_weeks: np.ndarray


def lasting(panel: Panel, changes: Changes) -> np.ndarray:
    """Probability (n,) that each change is still there when an order lands."""
    above = LANDING_WEEKS * changes.before
    above = above * np.where(changes.rises, LEAST_EFFECT, 1 / LEAST_EFFECT)
    mean, dispersion = LANDING_WEEKS * changes.now, changes.dispersion / LANDING_WEEKS
    # Unsaid changes: K of a total of independent weeks is a week's K over their number.
    not_above = nb.cdf(above, mean, dispersion)
    if changes.said.any():
        not_above[changes.said] = _foreseen(panel, changes, above)[changes.said]
    chance = np.where(changes.rises, 1 - not_above, not_above)
    chance = np.clip(chance, 1 - SUREST, SUREST)
    # Platt scaling: a straight line in the log odds, fitted once and stated above.
    odds = SLOPE * np.log(chance / (1 - chance)) + LEAD_SLOPE * np.log1p(changes.lead_weeks)
    odds += np.where(changes.rises, RISE, FALL)
    odds += PROMOTION_SHIFT * (changes.rises & (changes.cause == PROMOTION))
    return 1 / (1 + np.exp(-odds))


def _foreseen(panel: Panel, changes: Changes, units: np.ndarray) -> np.ndarray:
    """P(no more than so many units in the four weeks after landing) of what changed (n,); else 0."""
    rows = _looked_at(panel.units, changes.said)
    lead = np.minimum(np.round(changes.lead_weeks), LONGEST_LEAD).astype(int)
    horizon = int(lead[changes.said].max()) + LANDING_WEEKS
    past = demand.past_of(panel.of(rows), "W", horizon)
    forecast = demand.fit(past, horizon=horizon).forecast
    found = np.zeros(len(units))
    for weeks in np.unique(lead[changes.said]):
        which = np.flatnonzero((changes.said & (lead == weeks))[rows])
        landing = rows_of(forecast, which).cdf(
            units[rows[which]], first=int(weeks) + 1, last=int(weeks) + LANDING_WEEKS
        )
        found[rows[which]] = landing
    return found


def _looked_at(units: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Rows that changed, and others to learn from, in order."""
    ranked = np.argsort(-units.sum(axis=1), kind="stable")
    # Evenly over the ranks, so that every class of rate has products to learn from.
    others = ranked[np.linspace(0, len(ranked) - 1, min(LEARNED_FROM, len(ranked))).astype(int)]
    return np.union1d(np.flatnonzero(said), others)
