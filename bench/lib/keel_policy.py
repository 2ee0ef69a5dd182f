"""Our own way to order, as a policy of the stock game: forecast from what its shelf showed, then plan."""

import numpy as np
import pandas as pd

from bench.lib.stock_game import Game, Policy, View
from shopify_app.analytics import demand
from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.orders import replenishment


def forecast_of(game: Game, view: View, horizon: int) -> DemandForecast:
    """What is foreseen from sales and share in stock alone; a product exists from its first sale on."""
    n = len(game.lead_time)
    first = np.where((view.sold > 0).any(axis=1), (view.sold > 0).argmax(axis=1), 0)
    exists = np.arange(view.now)[None, :] >= first[:, None]
    row, column = np.nonzero(exists)
    periods = np.asarray(game.extra["periods"])
    history = pd.DataFrame(
        {
            "series_id": np.arange(n)[row],
            "period": periods[column],
            "units": view.sold[row, column],
            "in_stock": np.clip(view.in_stock[row, column], 0.0, 1.0),
        }
    )
    group = game.extra.get("group")
    if group is not None:
        history["group"] = np.asarray(group)[row]
    return demand.forecast_demand(
        history, horizon=horizon, period=str(game.extra.get("period", "W"))
    )


def keel(
    game: Game,
    *,
    shortage_times: float = 1.0,
    overage_reviews: float = replenishment.OVERAGE_REVIEWS,
) -> Policy:
    """Order what `replenishment.order_quantities` says; `shortage_times` moves along the frontier."""
    latest = int((game.lead_time + game.review).max())

    def order(view: View) -> np.ndarray:
        return replenishment.order_quantities(
            forecast_of(game, view, latest + 2),
            on_hand=view.on_hand,
            incoming=view.incoming,
            lead_time=game.lead_time,
            review_periods=np.asarray(game.review),
            holding_cost=game.holding,
            shortage_cost=game.shortage * shortage_times,
            pack=game.pack,
            minimum=game.minimum,
            overage_reviews=overage_reviews,
        ).units

    return order
