"""Moves between a shop's locations before anything is bought: `analytics.orders.transfers` in the shop's own terms.

In:  stock and past sales of each location (`Inputs.places`), the forecast and terms of each variant.
Out: `Move`s, the most worth first.
Method: a variant's demand is shared out over its locations by what was sold from each while all had
some, shrunk toward the whole shop's split. Demand thinned at random keeps its dispersion
(a gamma-mixed Poisson); not knowing the share well adds to it. The order itself counts stock wherever
it lies, so what can be moved is not bought.
Weak: which location a sale left is read from which shelf fell that day: goods carried over on a day
with sales blur it. Online orders that any location could serve count where they were served.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.advice.before_tax import net_prices
from shopify_app.advice.inputs import Inputs
from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.demand.forecast_rows import rows_of
from shopify_app.analytics.orders.transfers import transfers_before_purchases
from shopify_app.domain.evidence import Move, PlaceStock, SuggestionKind
from shopify_app.domain.run import NamedMove

MOVE_WEEKS: Final = 1
"""Weeks until a move made now is on the other shelf."""

FREIGHT_SHARE: Final = 0.02
"""Cost of moving a unit, as a share of its price before tax: nobody told us, and it is not nothing."""

SHARE_SEEN: Final = 10.0
"""Pseudo-count: weight of the shop-wide split between locations beside a variant's own, in units."""

LEAST_SEEN: Final = 30.0
"""Units of the whole shop seen to leave locations, below which no location's demand is known."""

LEAST_VALUE: Final = 2.0
"""Gain, in whole currency units, below which a move is not worth the walk."""

MOST_TRIED: Final = 120
"""Variants that are worked out at most."""

MOST: Final = 60
"""Moves at most."""

WIDE: Final = 1.3
"""Standard deviations above the mean that a shelf should hold: about nine cases of ten."""

DEAD_BELOW: Final = 0.5
"""Probability of life below which a variant is not moved."""


@dataclass(frozen=True, slots=True)
class _Shelves:
    """Variants at their locations: one row each, arrays (k,) and a forecast of k series."""

    row: np.ndarray
    """Of the variant, among those with a forecast."""
    places: pd.DataFrame
    share: np.ndarray
    forecast: DemandForecast
    incoming: np.ndarray

    def of(self, rows: np.ndarray) -> "_Shelves":
        """The chosen rows."""
        return _Shelves(
            self.row[rows],
            self.places.iloc[rows],
            self.share[rows],
            rows_of(self.forecast, rows),
            self.incoming[rows],
        )


def moves(
    inputs: Inputs,
    variants: pd.DataFrame,
    terms: pd.DataFrame,
    forecast: DemandForecast,
    *,
    weekly_holding: np.ndarray,
) -> list[Move]:
    """The `Move`s that gain most, at most `MOST`.

    Parameters
    ----------
    variants, terms, weekly_holding : one row a series of the forecast; terms have `cost, lead, review`
    """
    shelves = _shelves(inputs, variants, forecast)
    if shelves is None:
        return []
    prices = net_prices(variants)
    margin = np.maximum(prices - terms["cost"].to_numpy(float), 0.0)
    until = (terms["lead"] + terms["review"]).to_numpy(int)
    shelves = shelves.of(_worth_trying(shelves, until, margin))
    if not len(shelves.row):
        return []
    of = shelves.row
    found = transfers_before_purchases(
        shelves.forecast,
        product=of,
        transfer_time=MOVE_WEEKS,
        freight=FREIGHT_SHARE * prices[of],
        on_hand=np.maximum(shelves.places["available_units"].to_numpy(float), 0.0),
        incoming=shelves.incoming,
        lead_time=terms["lead"].to_numpy(int)[of],
        review_periods=terms["review"].to_numpy(int)[of],
        holding_cost=weekly_holding[of],
        shortage_cost=margin[of],
    )
    places = shelves.places
    made = [
        Move(
            variant_id=int(places["variant_id"].iloc[source]),
            source_id=int(places["location_id"].iloc[source]),
            source=str(places["location"].iloc[source]),
            destination_id=int(places["location_id"].iloc[destination]),
            destination=str(places["location"].iloc[destination]),
            units=int(units),
            gain=round(float(value), 2),
        )
        for source, destination, units, value in zip(
            found.source, found.destination, found.units, found.value, strict=True
        )
        if value >= LEAST_VALUE
    ]
    return sorted(made, key=lambda one: (-one.gain, one.variant_id, one.destination_id))[:MOST]


def named(found: Sequence[Move], variants: pd.DataFrame) -> list[NamedMove]:
    """Moves with the names of their variants, for pages."""
    names = variants.set_index("variant_id")[["product_title", "variant_title"]]
    return [
        NamedMove(
            **one.as_json(),
            product_title=str(names.loc[one.variant_id, "product_title"]),
            variant_title=str(names.loc[one.variant_id, "variant_title"]),
        )
        for one in found
    ]


def stock_by_place(inputs: Inputs, variant_id: int) -> tuple[PlaceStock, ...]:
    """Evidence of a variant's locations for its card: what lies where."""
    places = inputs.places[inputs.places["variant_id"] == variant_id]
    return tuple(
        PlaceStock(location=str(name), available_units=int(available))
        for name, available in zip(places["location"], places["available_units"], strict=True)
    )


def _shelves(inputs: Inputs, variants: pd.DataFrame, forecast: DemandForecast) -> _Shelves | None:
    """The `_Shelves` of the variants with several locations; None where no location's demand is known."""
    places, ids = inputs.places, variants["variant_id"].to_numpy("int64")
    rests = inputs.settings.rests(SuggestionKind.RESTOCK)
    may = ids[(forecast.alive >= DEAD_BELOW) & ~np.isin(ids, list(rests))]
    places = places[places["variant_id"].isin(may)].reset_index(drop=True)
    if places["sold_units"].sum() < LEAST_SEEN:
        return None
    order = np.argsort(ids)
    row = order[np.searchsorted(ids, places["variant_id"], sorter=order)]
    share, seen = _shares(places)
    thinned = rows_of(forecast, row)
    # Squared coefficient of variation of a beta-distributed share with `seen` units behind it.
    unsure = (1 - share) / (share * (seen + 1))
    # A share of variance u times demand of dispersion K: K + (1 + K) u.
    dispersion = thinned.dispersion + (1 + thinned.dispersion) * unsure[:, None]
    thinned = replace(
        thinned,
        series_ids=np.arange(len(row)),
        mean=thinned.mean * share[:, None],
        dispersion=dispersion,
    )
    here = places["incoming_units"].to_numpy(float)
    known = places.groupby("variant_id")["incoming_units"].transform("sum").to_numpy(float)
    ours = variants["incoming_units"].to_numpy(float)[row] - known
    return _Shelves(row, places, share, thinned, here + np.maximum(ours, 0.0) * share)


def _shares(places: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(share of its variant's demand, units that it rests on) of each row."""
    sold = places["sold_units"]
    usual = places.groupby("location_id")["sold_units"].transform("sum") + 1.0
    by_variant = places["variant_id"]
    usual = usual / usual.groupby(by_variant).transform("sum")
    seen = sold.groupby(by_variant).transform("sum") + SHARE_SEEN
    return ((sold + SHARE_SEEN * usual) / seen).to_numpy(float), seen.to_numpy(float)


def _worth_trying(shelves: _Shelves, until: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Rows of the variants with a shelf that may run short and another with too much, dearest first."""
    weeks = np.arange(shelves.forecast.mean.shape[1])[None, :] < until[shelves.row][:, None]
    mean = (shelves.forecast.mean * weeks).sum(axis=1)
    spread = np.sqrt(mean + shelves.forecast.dispersion[:, -1] * mean**2)
    on_hand = shelves.places["available_units"].to_numpy(float)
    lacks = np.maximum(mean + WIDE * spread - np.maximum(on_hand, 0.0) - shelves.incoming, 0.0)
    spare = np.maximum(on_hand - mean, 0.0)
    size = int(shelves.row.max()) + 1
    lacking = np.bincount(shelves.row, lacks, size)
    sparing = np.bincount(shelves.row, np.where(spare >= 1, spare, 0.0), size)
    worth = np.minimum(lacking, sparing) * margin[:size]
    chosen = np.flatnonzero(worth >= LEAST_VALUE)
    chosen = chosen[np.argsort(-worth[chosen], kind="stable")][:MOST_TRIED]
    return np.flatnonzero(np.isin(shelves.row, chosen))
