"""The real sets as long histories. Any folder with files of the same names and columns will do.

A file's stem may end in another word than `_dev`: what is read is the first that fits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class DataSet:
    """A history to be forecast. `history` is what `analytics.demand` takes; `period` is W or M."""

    name: str
    history: pd.DataFrame
    period: str

    @property
    def starts(self) -> np.ndarray:
        """All period starts, oldest first."""
        return np.sort(self.history["period"].unique())


class NoDataError(LookupError):
    """The folder has no such file."""


def read(folder: Path, stem: str) -> pd.DataFrame:
    """The file whose name starts with `stem`.

    Raises
    ------
    NoDataError
        If there is none.
    """
    found = sorted(folder.glob(f"{stem}.parquet")) + sorted(folder.glob(f"{stem}_*.parquet"))
    if not found:
        raise NoDataError(f"{folder} has no {stem}*.parquet")
    return pd.read_parquet(found[0])


def _long(ids: pd.Series, period: pd.Series, units: pd.Series, **more: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "series_id": ids.to_numpy(),
            "period": pd.to_datetime(period).to_numpy("datetime64[s]"),
            "units": units.to_numpy(float),
            **{name: column.to_numpy() for name, column in more.items()},
        }
    )


def _retail_lines(folder: Path) -> pd.DataFrame:
    lines = read(folder, "online_retail_2_lines")
    clean = lines[
        lines["is_product"]
        & ~lines["is_cancel"]
        & (lines["quantity"] > 0)
        & (lines["unit_price"] > 0)
    ]
    day = clean["ts"].dt.normalize()
    return clean.assign(week=day - pd.to_timedelta(day.dt.dayofweek, unit="D"))


def _retail(folder: Path, what: str) -> pd.DataFrame:
    lines = _retail_lines(folder)
    sold = lines.groupby(["stock_code", "week"])
    total = (sold["quantity"].sum() if what == "units" else sold["invoice"].nunique()).reset_index(
        name="y"
    )
    # The set begins and ends within a week: a part of a week is not a week.
    whole = total[(total["week"] > lines["week"].min()) & (total["week"] < lines["week"].max())]
    return _until_the_end(_long(whole["stock_code"], whole["week"], whole["y"]))


def _until_the_end(history: pd.DataFrame) -> pd.DataFrame:
    """A row of zero at the last period for every series: silence at the end is silence, not absence."""
    last = history["period"].max()
    quiet = history.groupby("series_id")["period"].max()
    ends = pd.DataFrame({"series_id": quiet.index[quiet < last], "period": last, "units": 0.0})
    if "group" in history:
        ends["group"] = (
            ends["series_id"].map(history.groupby("series_id")["group"].first()).to_numpy()
        )
    if "in_stock" in history:
        ends["in_stock"] = 1.0
    if "on_promotion" in history:
        ends["on_promotion"] = 0.0
    return pd.concat([history, ends], ignore_index=True)


def retail_units(folder: Path) -> DataSet:
    """Online Retail II, units a week (wholesale included)."""
    return DataSet("online retail, units", _retail(folder, "units"), "W")


def retail_orders(folder: Path) -> DataSet:
    """Online Retail II, orders a week: what a shop that sells to people looks like."""
    return DataSet("online retail, orders", _retail(folder, "orders"), "W")


def vn2(folder: Path) -> DataSet:
    """VN2: store x product, units a week, in-stock flags."""
    weekly, master = read(folder, "vn2_weekly"), read(folder, "vn2_master")
    weekly = weekly.merge(
        master[["store", "product", "department"]], on=["store", "product"], how="left"
    )
    ids = weekly["store"].astype(str) + "/" + weekly["product"].astype(str)
    history = _long(
        ids,
        weekly["week_start"],
        weekly["units"],
        in_stock=weekly["in_stock"].astype(float),
        group=weekly["department"].astype(str),
    )
    return DataSet("vn2", history, "W")


def vn1(folder: Path) -> DataSet:
    """VN1: e-vendors' units a week."""
    weekly = read(folder, "vn1_phase1_2")
    ids = (
        weekly["client"].astype(str)
        + "/"
        + weekly["warehouse"].astype(str)
        + "/"
        + weekly["product"].astype(str)
    )
    history = _long(
        ids,
        weekly["week_start"],
        weekly["units"].clip(lower=0),
        group=weekly["client"].astype(str),
    )
    return DataSet("vn1", _from_first_sale(history), "W")


def complete_journey(folder: Path) -> DataSet:
    """Complete Journey: units a week of a panel of households."""
    weekly = read(folder, "completejourney_weekly_product")
    products = read(folder, "completejourney_products")[["product_id", "department"]]
    weekly = weekly.merge(products, on="product_id", how="left")
    start = pd.Timestamp("2017-01-02") + pd.to_timedelta(7 * (weekly["week"] - 1), unit="D")
    history = _long(
        weekly["product_id"],
        start,
        weekly["units"],
        group=weekly["department"].fillna("").astype(str),
        on_promotion=weekly[["display_share", "mailer_share"]].max(axis=1).clip(0, 1),
    )
    return DataSet("complete journey", _until_the_end(history), "W")


def raf(folder: Path) -> DataSet:
    """Aircraft spares, units a month, nine of ten months without demand."""
    monthly = read(folder, "raf_monthly")
    return DataSet("raf", _long(monthly["item"], monthly["month"], monthly["units"]), "M")


def car_parts(folder: Path) -> DataSet:
    """Car parts, units a month."""
    monthly = read(folder, "carparts").dropna(subset=["units"])
    return DataSet(
        "car parts", _long(monthly["series"], _months(monthly["t"]), monthly["units"]), "M"
    )


def jewelry(folder: Path) -> DataSet:
    """Jewelry, units a month."""
    found = read(folder, "jewelry").dropna(subset=["units"])
    return DataSet("jewelry", _long(found["series"], _months(found["t"]), found["units"]), "M")


def m5_part(folder: Path) -> DataSet:
    """A Walmart department, units a week."""
    daily = read(folder, "m5_daily")
    start = daily["date"] - pd.to_timedelta((daily["dnum"] - 1) % 7, unit="D")
    ids = daily["store_id"].astype(str) + "/" + daily["item_id"].astype(str)
    frame = pd.DataFrame({"id": ids, "start": start, "units": daily["units"], "day": daily["date"]})
    weekly = (
        frame.groupby(["id", "start"])
        .agg(units=("units", "sum"), days=("day", "count"))
        .reset_index()
    )
    weekly = weekly[weekly["days"] == 7]
    return DataSet(
        "m5 part", _from_first_sale(_long(weekly["id"], weekly["start"], weekly["units"])), "W"
    )


def _months(number: pd.Series) -> pd.Series:
    offset = (number - number.min()).astype(int)
    return pd.Series(
        (np.datetime64("2000-01", "M") + offset.to_numpy()).astype("datetime64[s]"),
        index=number.index,
    )


def _from_first_sale(history: pd.DataFrame) -> pd.DataFrame:
    """Rows of zero before a series' first sale are the panel's filling, not its past."""
    sold = history[history["units"] > 0].groupby("series_id")["period"].min()
    first = history["series_id"].map(sold)
    return history[history["period"] >= first].reset_index(drop=True)


FORECAST_SETS: Final[dict[str, Callable[[Path], DataSet]]] = {
    "retail_units": retail_units,
    "retail_orders": retail_orders,
    "vn2": vn2,
    "vn1": vn1,
    "complete_journey": complete_journey,
    "raf": raf,
    "car_parts": car_parts,
    "m5_part": m5_part,
    "jewelry": jewelry,
}
