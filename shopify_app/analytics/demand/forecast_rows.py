"""The forecast of some series, so that many can be worked on a part at a time.

In:  a `DemandForecast` and row numbers. Out: a `DemandForecast` of those rows, in that order.
"""

from dataclasses import replace

import numpy as np

from shopify_app.analytics.demand.forecast import DemandForecast


def rows_of(forecast: DemandForecast, rows: np.ndarray) -> DemandForecast:
    """The `DemandForecast` of some rows, in that order; what the shop's series share stays as it is."""
    return replace(
        forecast,
        series_ids=forecast.series_ids[rows],
        mean=forecast.mean[rows],
        dispersion=forecast.dispersion[rows],
        alive=forecast.alive[rows],
    )
