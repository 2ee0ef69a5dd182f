"""Shops whose past year can be replayed, made by hand."""

import numpy as np
import pandas as pd

MONDAY = np.datetime64("2024-01-01", "s")
WEEK = np.timedelta64(7, "D")


def shop(rng, *, n=24, weeks=104, rate=8.0, stocked=1.0, cover=2.0, counted_from=0):
    """(history, terms) of a shop that is refilled to `cover` weeks' demand; `stocked` is the chance that it is."""
    wanted = rng.poisson(rate, (n, weeks)).astype(float)
    stock = np.full(n, cover * rate)
    sold, share, on_hand = (np.zeros((n, weeks)) for _ in range(3))
    for week in range(weeks):
        stock = np.where(rng.random(n) < stocked, np.maximum(stock, cover * rate), stock)
        emptied = rng.beta(np.maximum(stock, 1), np.maximum(wanted[:, week] - stock, 0) + 1)
        share[:, week] = np.where(wanted[:, week] < stock, 1.0, np.where(stock >= 1, emptied, 0.0))
        sold[:, week] = np.minimum(stock, wanted[:, week])
        stock = stock - sold[:, week]
        on_hand[:, week] = stock
    unknown = np.where(np.arange(weeks) < counted_from, np.nan, 0.0)
    history = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(n), weeks),
            "period": np.tile(MONDAY + np.arange(weeks) * WEEK, n),
            "units": sold.ravel(),
            "in_stock": (share + unknown).ravel(),
            "on_hand": (on_hand + unknown).ravel(),
        }
    )
    return history, terms(n)


def terms(n, *, lead=1, **more):
    made = {"series_id": np.arange(n), "price": 20.0, "cost": 8.0, "lead": lead, "review": 1}
    return pd.DataFrame({**made, **more})
