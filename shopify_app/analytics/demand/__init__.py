"""Forecasts of demand, not of sales: what every product will be asked for, and how sure that is.

In: weekly or monthly histories with shares in stock and on promotion. Out: means and quantiles of
totals a series. Method: the shop's common factor is divided out, each series is followed by two banks
of filters, the shop's own past says how to mix them and how wide to be (docs/analytics-demand.md).

    forecast      the door's functions: a fit, a forecast
    forecast_rows, levels     a part of a forecast's series; its totals period by period
    state, learned, state_rows     the same a period on, without a new fit
    filters, pooling, common_factor, common_errors, pattern_correction     its parts
    launches, promotions, shop_calendar, rate_priors, boosted_trees     more of them
    calibration   how often ranges held, and what to ask for so that they do
    lost_sales    what empty shelves kept from being sold
"""

from shopify_app.analytics.demand.forecast import (
    SPANS,
    DemandFit,
    DemandForecast,
    fit,
    forecast_demand,
    past_of,
)

__all__ = ["SPANS", "DemandFit", "DemandForecast", "fit", "forecast_demand", "past_of"]
