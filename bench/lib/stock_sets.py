"""The real sets as stock games: what was wanted, how long a delivery takes, what holding and losing cost."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bench.lib import data
from bench.lib.stock_game import Game

HOLDING_A_WEEK: Final = 0.006
"""Of the cost, 30 % a year."""

MARGIN: Final = 0.5
"""Of the cost, lost with a sale."""

WEEKS_A_MONTH: Final = 52 / 12


def wide(dataset: data.DataSet) -> pd.DataFrame:
    """Units of each series (rows) in each period (columns), zero where nothing is told."""
    starts = pd.date_range(
        dataset.starts[0], dataset.starts[-1], freq="7D" if dataset.period == "W" else "MS"
    )
    table = dataset.history.pivot(index="series_id", columns="period", values="units")
    return table.reindex(columns=starts).fillna(0.0)


def _game(  # noqa: PLR0913 -- a game has that many parts
    name: str,
    table: pd.DataFrame,
    *,
    period: str,
    counted: int,
    burn: int,
    lead_time: np.ndarray,
    cost: np.ndarray,
    review: int = 1,
    holding: np.ndarray | None = None,
    on_sale: np.ndarray | None = None,
    pack: np.ndarray | None = None,
    minimum: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> Game:
    demand = table.to_numpy(float)
    n, length = demand.shape
    start = length - counted - burn
    usual = demand[:, :start].mean(axis=1)
    rate = HOLDING_A_WEEK * (1.0 if period == "W" else WEEKS_A_MONTH)
    return Game(
        name=name,
        demand=demand,
        on_sale=np.ones_like(demand) if on_sale is None else on_sale,
        start=start,
        counted=length - counted,
        lead_time=lead_time,
        review=review,
        holding=rate * cost if holding is None else holding,
        shortage=MARGIN * cost,
        on_hand=np.round((lead_time + review) * usual),
        in_transit=np.zeros((n, 0)),
        pack=np.ones(n) if pack is None else pack,
        minimum=np.zeros(n) if minimum is None else minimum,
        extra={
            "series": table.index.to_numpy(),
            "periods": table.columns.to_numpy(),
            "period": period,
            "group": group,
        },
    )


def _chosen(table: pd.DataFrame, known: int, most: int, seed: int) -> np.ndarray:
    """At most `most` series, by chance, of those that had sold anything before the game."""
    alive = np.flatnonzero(table.to_numpy()[:, :known].sum(axis=1) > 0)
    picked = np.random.default_rng(seed).permutation(alive)[:most]
    return np.sort(picked)


def online_retail(folder: Path, *, most: int, seed: int) -> Game:
    """Orders a week, lead times of 2, 3 or 4 weeks, the product's own price as its cost."""
    table = wide(data.retail_orders(folder))
    counted = min(40, table.shape[1] * 4 // 7)
    table = table.iloc[_chosen(table, table.shape[1] - counted - 6, most, seed)]
    lines = data.read(folder, "online_retail_2_lines")
    price = lines[lines["unit_price"] > 0].groupby("stock_code")["unit_price"].median()
    return _game(
        "online retail",
        table,
        period="W",
        counted=counted,
        burn=6,
        lead_time=np.random.default_rng(seed).integers(2, 5, len(table)),
        cost=price.reindex(table.index).fillna(float(price.median())).to_numpy(float),
    )


def vn2(folder: Path, *, most: int, seed: int) -> Game:
    """VN2, 52 weeks, lead times of 2, 3 or 4; a week without stock in the data was not on sale."""
    dataset = data.vn2(folder)
    table = wide(dataset)
    flags = dataset.history.pivot(index="series_id", columns="period", values="in_stock")
    group = dataset.history.groupby("series_id")["group"].first().reindex(table.index)
    counted = min(52, table.shape[1] // 3)
    rows = _chosen(table, table.shape[1] - counted - 6, most, seed)
    return _game(
        "vn2",
        table.iloc[rows],
        period="W",
        counted=counted,
        burn=6,
        lead_time=np.random.default_rng(seed).integers(2, 5, len(rows)),
        cost=np.ones(len(rows)),
        on_sale=flags.reindex(columns=table.columns).fillna(1.0).to_numpy(float)[rows],
        group=group.to_numpy()[rows],
    )


def man(folder: Path, *, most: int, seed: int) -> Game:
    """MAN: real lead times, costs, packs and minimums; ordered every four weeks."""
    weekly, items = data.read(folder, "man_weekly"), data.read(folder, "man_items").set_index("sku")
    table = weekly.pivot(index="sku", columns="week", values="units").fillna(0.0)
    table.columns = pd.date_range("2000-01-03", periods=table.shape[1], freq="7D")
    counted = min(52, table.shape[1] // 2)
    table = table.iloc[_chosen(table, table.shape[1] - counted - 16, most, seed)]
    items = items.loc[table.index]
    return _game(
        "man",
        table,
        period="W",
        counted=counted,
        burn=16,
        lead_time=items["lead_time_weeks"].to_numpy(int),
        cost=items["cost_price_eur"].to_numpy(float),
        holding=items["holding_cost_eur_unit_year"].to_numpy(float) / 52,
        review=4,
        pack=np.maximum(items["subpack"].to_numpy(float), 1.0),
        minimum=items["moq"].fillna(0.0).to_numpy(float),
    )


def oil(folder: Path, *, most: int, seed: int) -> Game:
    """Oil refinery spares by month: real lead times and prices."""
    monthly = data.read(folder, "oil1b_monthly")
    items = data.read(folder, "oil1b_items").set_index("material")
    table = monthly.pivot(index="material", columns="month", values="units").fillna(0.0)
    months = pd.date_range(table.columns[0], table.columns[-1], freq="MS")
    table = table.clip(lower=0.0).reindex(columns=months).fillna(0.0)
    counted = min(18, table.shape[1] // 3)
    table = table.iloc[_chosen(table, table.shape[1] - counted - 4, most, seed)]
    items = items.loc[table.index]
    return _game(
        "oil",
        table,
        period="M",
        counted=counted,
        burn=4,
        lead_time=np.ceil(items["lead_time_days"].to_numpy(float) / 30.4).astype(int),
        cost=items["price"].to_numpy(float),
    )
