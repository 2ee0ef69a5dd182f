"""Forecasts made by hand."""

import numpy as np

from shopify_app.analytics.demand import SPANS, DemandForecast


def level_forecast(rates, *, dispersion=0.0, horizon=16) -> DemandForecast:
    """The same rate in every period; the dispersion is that of every total."""
    rates = np.asarray(rates, float)
    return DemandForecast(
        np.arange(len(rates)),
        np.repeat(rates[:, None], horizon, axis=1),
        np.broadcast_to(np.asarray(dispersion, float), (len(rates), len(SPANS))).copy(),
        np.ones(len(rates)),
    )
