"""The real sets with prices, as panels `fit_price_response` takes: weekly units, price, promotion, group, store."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bench.lib.data import read

OUNCES: Final = 64
MOST_PRODUCTS: Final = 400
LEAST_WEEKS: Final = 20


def _panel(week: pd.Series, **columns: pd.Series) -> pd.DataFrame:
    start = np.datetime64("2000-01-03", "s")
    period = start + (week.to_numpy(int) * 7).astype("timedelta64[D]")
    frame = pd.DataFrame({name: column.to_numpy() for name, column in columns.items()})
    return frame.assign(period=period.astype("datetime64[s]"))


def orange_juice(folder: Path) -> pd.DataFrame:
    """Dominick's: 11 brands in dozens of stores; units are half gallons."""
    rows = read(folder, "oj")
    return _panel(
        rows["week"],
        series_id=rows["store"].astype(str) + "/" + rows["brand"].astype(str),
        units=(np.exp(rows["logmove"]) / OUNCES).round(),
        price=rows["own_price_per_oz"] * OUNCES,
        on_promotion=((rows["deal"] > 0) | (rows["feat"] > 0.5)).astype(float),
        group=rows["brand"].astype(str),
        store=rows["store"],
    )


def orange_juice_chain(folder: Path) -> pd.DataFrame:
    """The same, all stores together: 11 series, mean price of the stores."""
    rows = orange_juice(folder)
    chain = rows.groupby(["group", "period"]).agg(units=("units", "sum"), price=("price", "mean"))
    return chain.reset_index().rename(columns={"group": "series_id"})


def cheese(folder: Path) -> pd.DataFrame:
    """Sliced cheese at retailers of American cities; the week is the row's place within its retailer."""
    rows = read(folder, "cheese")
    return _panel(
        rows.groupby("RETAILER").cumcount(),
        series_id=rows["RETAILER"],
        units=rows["VOLUME"],
        price=rows["PRICE"],
        on_promotion=rows["DISP"].clip(0, 1),
        store=rows["RETAILER"],
    )


def avocado(folder: Path) -> pd.DataFrame:
    """Avocados by region and kind; units are hundreds."""
    rows = read(folder, "avocado")
    week = ((rows["date"] - rows["date"].min()).dt.days / 7).round()
    panel = _panel(
        week,
        series_id=rows["region"] + "/" + rows["type"],
        units=(rows["total_volume"] / 100).round(),
        price=rows["avg_price"],
        group=rows["type"],
        store=rows["region"],
    )
    return panel.drop_duplicates(["series_id", "period"])


def complete_journey(folder: Path) -> pd.DataFrame:
    """Complete Journey: what a panel of households bought of the products it bought most, a week; weeks without a sale count as none.

    The shelf price of a week without a sale is the one before; a promotion is a price paid below the shelf's or a
    display or mailer.
    """
    rows = read(folder, "completejourney_weekly_product")
    products = read(folder, "completejourney_products").set_index("product_id")["department"]
    weeks = rows.groupby("product_id")["week"].nunique()
    sold = rows.groupby("product_id")["units"].sum()[weeks >= LEAST_WEEKS]
    chosen = sold.sort_values(ascending=False).index[: 2 * MOST_PRODUCTS : 2]
    rows = rows[rows["product_id"].isin(chosen)]
    every = pd.MultiIndex.from_product(
        [np.sort(chosen), np.arange(rows["week"].min(), rows["week"].max() + 1)],
        names=["product_id", "week"],
    )
    rows = rows.set_index(["product_id", "week"]).reindex(every).reset_index()
    by = rows.groupby("product_id")
    cut = (rows["price_paid"] < 0.97 * rows["price_shelf"]).astype(float)
    cut = np.maximum(cut, np.maximum(rows["display_share"], rows["mailer_share"]).fillna(0.0))
    price = by["price_paid"].ffill().fillna(by["price_paid"].bfill())
    return _panel(
        rows["week"],
        series_id=rows["product_id"],
        units=rows["units"].fillna(0.0),
        price=price.clip(lower=0.01),
        on_promotion=cut,
        group=rows["product_id"].map(products).fillna("").astype(str),
    )


PRICE_SETS: Final[dict[str, Callable[[Path], pd.DataFrame]]] = {
    "orange juice": orange_juice,
    "cheese": cheese,
    "avocado": avocado,
    "complete journey": complete_journey,
}
