"""The inputs of a run: what the models see of a shop on a day, read once, kept as bytes, read back to recompute.

The snapshot is a numpy archive without pickles: the same bytes give the same numbers anywhere.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.advice.known_demand import KnownDemand
from shopify_app.advice.promoted_weeks import PROMOTED_WEEKS
from shopify_app.advice.shop_weeks import CLOSED_WEEKS, week_begin
from shopify_app.domain.frames import STOCK_PLACES
from shopify_app.domain.run import RunSettings

RANGE_LEVEL: Final = 0.8
"""Level of the ranges of demand that a shop is shown, and of those that are held against what came."""


VENDORS: Final = {
    "vendor": "str",
    "lead_time_days": "int64",
    "pack_units": "int64",
    "minimum_units": "int64",
    "order_minimum": "float64",
    "order_minimum_in": "str",
    "lead_time_is_fixed": "bool",
}
"""Columns of the vendors' terms."""

RECEIPTS: Final = {"vendor": "str", "days": "float64", "is_open": "bool"}
"""Columns of deliveries and open orders."""

FRAMES: Final = ("variants", "weekly", "vendors", "places", "receipts", "closed", "promoted")
"""Names of the frames of a snapshot, in the order of its digest."""

SINCE_KNOWN: Final = {
    "places": STOCK_PLACES,
    "receipts": RECEIPTS,
    "closed": CLOSED_WEEKS,
    "promoted": PROMOTED_WEEKS,
}
"""Columns of the frames that the first runs did not keep."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run rests on.

    Attributes
    ----------
    variants : `domain.frames.VARIANTS`, incoming units raised by what is on our own draft orders
    weekly : variant_id, weeks_ago (0 is the last whole week), units, orders, in_stock, price (NaN: none seen)
    vendors : vendor, lead_time_days, pack_units, minimum_units, order_minimum (what the draft order lacks; 0: nothing),
        order_minimum_in
    receipts : vendor, days from sending to delivery (or the age of an order still open), is_open; oldest first
    places : `domain.frames.STOCK_PLACES`, of variants stocked at several locations
    closed : `shop_weeks.CLOSED_WEEKS`, the shop's own weeks; empty where they are those of `weekly`
    promoted : `promoted_weeks.PROMOTED_WEEKS`, by the shop's own weeks
    settings : the shop's settings and currency, its open suggestions' and its ranges' past, its raises for a shortage
    demand : brought up to the day (`advice.demand`); None before it was
    """

    as_of: date
    variants: pd.DataFrame
    weekly: pd.DataFrame
    vendors: pd.DataFrame
    settings: RunSettings
    places: pd.DataFrame = field(default_factory=lambda: _empty(STOCK_PLACES))
    receipts: pd.DataFrame = field(default_factory=lambda: _empty(RECEIPTS))
    closed: pd.DataFrame = field(default_factory=lambda: _empty(CLOSED_WEEKS))
    promoted: pd.DataFrame = field(default_factory=lambda: _empty(PROMOTED_WEEKS))
    demand: KnownDemand | None = None

    @property
    def last_day(self) -> date:
        """The last whole day of the inputs."""
        return self.as_of - timedelta(days=1)

    @property
    def closed_on(self) -> date:
        """The first day after the shop's own week that closed last."""
        weekday = self.settings.first_weekday
        return self.as_of if weekday is None else week_begin(self.as_of, weekday)

    @property
    def closed_weeks(self) -> pd.DataFrame:
        """`CLOSED_WEEKS` that have closed."""
        if self.closed_on == self.as_of:
            return self.weekly
        return self.closed[self.closed["weeks_ago"] >= 0]

    @property
    def part_week(self) -> tuple[float, pd.DataFrame]:
        """(usual share of a week, `CLOSED_WEEKS`) of the days since the last close."""
        if self.closed_on == self.as_of:
            return 0.0, self.closed.iloc[:0]
        return float(self.settings.part_share), self.closed[self.closed["weeks_ago"] < 0]

    @property
    def range_level(self) -> float:
        """The level to ask the model for, so that ranges marked `RANGE_LEVEL` hold so in this shop."""
        return float(self.settings.range_levels.get(_named(RANGE_LEVEL), RANGE_LEVEL))

    @property
    def range_tails(self) -> tuple[float, float]:
        """The model's levels of the two ends of such a range."""
        return (1 - self.range_level) / 2, (1 + self.range_level) / 2

    def week_start(self, weeks_ago: int) -> date:
        """First day of a week."""
        return self.last_day - timedelta(days=7 * weeks_ago + 6)


def _named(level: float) -> str:
    """The level as a key of JSON."""
    return f"{level:g}"


def _meta(inputs: Inputs) -> str:
    """The day and the settings as JSON: part of the digest, so never another text for the same run."""
    told = {"as_of": inputs.as_of.isoformat(), "settings": inputs.settings.as_json()}
    return json.dumps(told, sort_keys=True)


def _empty(columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def to_bytes(inputs: Inputs) -> tuple[bytes, str]:
    """(snapshot, its SHA-256)."""
    arrays: dict[str, np.ndarray] = {"meta": np.array(_meta(inputs))}
    for name in FRAMES:
        frame: pd.DataFrame = getattr(inputs, name)
        for column in frame.columns:
            values = frame[column]
            is_text = not (
                pd.api.types.is_numeric_dtype(values)
                or pd.api.types.is_bool_dtype(values)
                or pd.api.types.is_datetime64_any_dtype(values)
            )
            arrays[f"{name}.{column}"] = (
                values.to_numpy(dtype="U") if is_text else values.to_numpy()
            )
    if inputs.demand is not None:
        arrays |= inputs.demand.arrays()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue(), digest(inputs)


def from_bytes(snapshot: bytes) -> Inputs:
    """The `Inputs` of a snapshot."""
    with np.load(io.BytesIO(snapshot), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    meta = json.loads(str(arrays["meta"]))
    frames_: dict[str, pd.DataFrame] = {}
    for name in FRAMES:
        columns = {
            key.split(".", 1)[1]: value
            for key, value in arrays.items()
            if key.startswith(f"{name}.")
        }
        frames_[name] = pd.DataFrame(
            {
                key: value.astype(str) if value.dtype.kind == "U" else value
                for key, value in columns.items()
            }
        )
    for name, columns in SINCE_KNOWN.items():
        if not len(frames_[name].columns):
            frames_[name] = _empty(columns)
    as_of = date.fromisoformat(meta["as_of"])
    demand = KnownDemand.of_arrays(arrays)
    return Inputs(
        as_of=as_of, settings=RunSettings.of_json(meta["settings"]), demand=demand, **frames_
    )


def digest(inputs: Inputs) -> str:
    """SHA-256 over the values themselves: how they were compressed does not matter."""
    total = hashlib.sha256(_meta(inputs).encode())
    for name in FRAMES:
        frame: pd.DataFrame = getattr(inputs, name)
        if frame.empty and name in SINCE_KNOWN:  # runs from before there was such a frame
            continue
        for column in sorted(frame.columns):
            values = frame[column].to_numpy()
            text = np.asarray(values, dtype="U") if values.dtype.kind in "OUT" else values
            total.update(f"{name}.{column}:{len(values)}".encode())
            total.update(np.ascontiguousarray(text).tobytes())
    for name, array in sorted(inputs.demand.arrays().items() if inputs.demand else ()):
        total.update(f"{name}:{array.shape}".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()
