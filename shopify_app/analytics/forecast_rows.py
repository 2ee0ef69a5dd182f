"""Some series of a forecast, so that many can be worked on a part at a time.

In:  a `DemandForecast` and row numbers. Out: a `DemandForecast` of those rows, in that order.
"""

from dataclasses import fields, replace

import numpy as np

from shopify_app.analytics.demand import DemandForecast


def rows_of(forecast: DemandForecast, rows: np.ndarray) -> DemandForecast:
    """The forecast of some rows; what is not held per series stays as it is."""
    n = len(forecast.series_ids)
    if len(rows) == n and np.array_equal(rows, np.arange(n)):
        return forecast
    own = getattr(forecast, "rows", None)
    if own is not None:
        return own(rows)
    held = {field.name: getattr(forecast, field.name) for field in fields(forecast)}
    return replace(
        forecast,
        **{
            name: value[rows]
            for name, value in held.items()
            if isinstance(value, np.ndarray) and value.ndim and len(value) == n
        },
    )
