"""What the models see of a shop on a day: read once, kept as bytes, read back to recompute.

The snapshot is a numpy archive without pickles: the same bytes give the same numbers anywhere.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.db import (
    calibrations,
    exposure,
    frames,
    measuring_settings,
    price_changes,
    price_history,
    price_tests,
    purchase_orders,
    shop_settings,
    suggestions,
)
from shopify_app.db.connection import Connection
from shopify_app.domain.frames import STOCK_PLACES
from shopify_app.domain.shop import Shop
from shopify_app.domain.suggestion import SuggestionKind
from shopify_app.usecases import measuring
from shopify_app.usecases.facts import MINOR_DIGITS
from shopify_app.usecases.known_demand import KnownDemand
from shopify_app.usecases.promoted_weeks import PROMOTED_WEEKS
from shopify_app.usecases.shop_weeks import CLOSED_WEEKS, first_weekday, read_weeks, week_begin

HISTORY_WEEKS: Final = 104
PLACES_DAYS: Final = 182
"""Days over which it is looked at what was sold from which location."""

RANGE_LEVEL: Final = 0.8
"""Of the ranges of demand that a shop is shown, and of those that are held against what came."""

TRENDS_SHOWN: Final = 200
TEST_DECLINED_DAYS: Final = 90
TEST_ENDED_DAYS: Final = 28
"""How long no price test is proposed after one was declined, or has ended."""

RAISE_EVIDENCE: Final = (
    "shortage",
    "elasticity",
    "elasticity_low",
    "elasticity_high",
    "units_per_month_now",
    "unit_cost",
    "window_first",
    "window_last",
)
"""Of a raise for a shortage: what its way back is worked out from."""
VENDORS: Final = {
    "vendor": "str",
    "lead_time_days": "int64",
    "pack_units": "int64",
    "minimum_units": "int64",
    "order_minimum": "float64",
    "order_minimum_in": "str",
    "lead_time_is_fixed": "bool",
}
RECEIPTS: Final = {"vendor": "str", "days": "float64", "is_open": "bool"}
RECEIPTS_DAYS: Final = 730
"""Days over which deliveries are learned from."""

FRAMES: Final = ("variants", "weekly", "vendors", "places", "receipts", "closed", "promoted")
SINCE_KNOWN: Final = {
    "places": STOCK_PLACES,
    "receipts": RECEIPTS,
    "closed": CLOSED_WEEKS,
    "promoted": PROMOTED_WEEKS,
}
"""Frames that the first runs did not keep."""


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
    settings : the shop's settings and currency, its open suggestions' and its ranges' past, its raises for a shortage; JSON values
    demand : brought up to the day (`demand_upkeep`); None before it was
    """

    as_of: date
    variants: pd.DataFrame
    weekly: pd.DataFrame
    vendors: pd.DataFrame
    settings: dict[str, Any]
    places: pd.DataFrame = field(default_factory=lambda: _empty(STOCK_PLACES))
    receipts: pd.DataFrame = field(default_factory=lambda: _empty(RECEIPTS))
    closed: pd.DataFrame = field(default_factory=lambda: _empty(CLOSED_WEEKS))
    promoted: pd.DataFrame = field(default_factory=lambda: _empty(PROMOTED_WEEKS))
    demand: KnownDemand | None = None

    @property
    def last_day(self) -> date:
        """The last whole day looked at."""
        return self.as_of - timedelta(days=1)

    @property
    def closed_on(self) -> date:
        """The first day after the shop's own week that closed last."""
        weekday = self.settings.get("first_weekday")
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
        return float(self.settings["part_share"]), self.closed[self.closed["weeks_ago"] < 0]

    @property
    def range_level(self) -> float:
        """The level to ask the model for, so that ranges marked `RANGE_LEVEL` hold so in this shop."""
        return float(self.settings.get("range_levels", {}).get(_named(RANGE_LEVEL), RANGE_LEVEL))

    @property
    def range_tails(self) -> tuple[float, float]:
        """The model's levels of the two ends of such a range."""
        return (1 - self.range_level) / 2, (1 + self.range_level) / 2

    def week_start(self, weeks_ago: int) -> date:
        """First day of a week."""
        return self.last_day - timedelta(days=7 * weeks_ago + 6)


def read_inputs(conn: Connection, shop: Shop, as_of: date) -> Inputs:
    """A shop as the models see it on a day; weeks end yesterday and every seven days before."""
    last = as_of - timedelta(days=1)
    chosen = shop_settings.of_shop(conn, shop.shop_id)
    variants = frames.variants_on_sale(conn, shop.shop_id)
    weeks = read_weeks(conn, shop, as_of, weeks=HISTORY_WEEKS, variants=variants)
    ordered = purchase_orders.ordered_units(
        conn, shop.shop_id, as_of, default_days=chosen.lead_time_days
    )
    ours = variants["variant_id"].map(ordered).fillna(0).astype("int64")
    variants["incoming_units"] = np.maximum(variants["incoming_units"], ours)
    resting = {
        kind.value: sorted(suggestions.resting_variants(conn, shop.shop_id, kind, as_of))
        for kind in SuggestionKind
    }
    settings = {
        name: str(value) if isinstance(value, (Decimal, date, datetime)) else value
        for name, value in asdict(chosen).items()
    }
    settings |= {
        "currency": shop.currency,
        "minor_digits": MINOR_DIGITS.get(shop.currency, 2),
        "resting": resting,
        "trends_before": _trends_before(conn, shop),
        "raised_while_short": _raised_while_short(conn, shop, as_of),
        "range_levels": _range_levels(conn, shop),
        "price_switches": _price_switches(conn, shop, as_of),
        "price_test": _price_test(conn, shop, as_of, variants["variant_id"].tolist()),
        "first_weekday": first_weekday(shop.shop_id),
        "part_share": weeks.part_share,
    }
    places_since = as_of - timedelta(days=PLACES_DAYS)
    return Inputs(
        as_of,
        variants,
        weeks.weekly,
        _vendors(conn, shop),
        settings,
        frames.stock_places(conn, shop.shop_id, places_since, last, shop.timezone),
        _receipts(conn, shop, as_of),
        weeks.closed,
        weeks.promoted,
    )


def _vendors(conn: Connection, shop: Shop) -> pd.DataFrame:
    """How vendors deliver, as the merchant told us; of a least order, what the draft still lacks."""
    told = shop_settings.vendor_lead_times(conn, shop.shop_id)
    drafts = purchase_orders.on_draft(conn, shop.shop_id)
    lacking: dict[str, Decimal] = {}
    for one in told:
        units, money = drafts.get(one.vendor, (0, Decimal(0)))
        there = units if one.order_minimum_in == "units" else money
        lacking[one.vendor] = max((one.order_minimum or Decimal(0)) - there, Decimal(0))
    return pd.DataFrame(
        [asdict(one) | {"order_minimum": lacking[one.vendor]} for one in told],
        columns=list(VENDORS),
    ).astype(VENDORS)


def _receipts(conn: Connection, shop: Shop, as_of: date) -> pd.DataFrame:
    """Orders that were sent: how long they took, or how old they are."""
    now = datetime.combine(as_of, time(), shop.zone)
    found = purchase_orders.receipts(conn, shop.shop_id, now - timedelta(days=RECEIPTS_DAYS))
    rows = [
        (
            one.vendor,
            max((one.arrived_at or now) - one.sent_at, timedelta()),
            one.arrived_at is None,
        )
        for one in found
    ]
    return pd.DataFrame(
        [(vendor, took / timedelta(days=1), is_open) for vendor, took, is_open in rows],
        columns=list(RECEIPTS),
    ).astype(RECEIPTS)


def _trends_before(conn: Connection, shop: Shop) -> list[list[int | str]]:
    """Variant and direction of the trends on show: they stay until they become doubtful."""
    shown = suggestions.cards(
        conn, shop.shop_id, kinds=("trend",), states=("open", "accepted"), limit=TRENDS_SHOWN
    )
    found = {card.variant_id: str(card.proposal["direction"]) for card in shown}
    return [[variant, found[variant]] for variant in sorted(found)]


def _raised_while_short(conn: Connection, shop: Shop, as_of: date) -> list[dict[str, Any]]:
    """Raises for a shortage that stand, with what their way back rests on."""
    return [
        {
            "suggestion_id": one.suggestion_id,
            "variant_id": one.variant_id,
            "proposal": one.proposal,
            "evidence": {name: one.evidence[name] for name in RAISE_EVIDENCE},
            "raised_on": one.written_at.astimezone(shop.zone).date().isoformat(),
            "is_quiet": one.is_quiet,
        }
        for one in price_changes.raised_while_short(conn, shop.shop_id, as_of)
    ]


def _price_switches(conn: Connection, shop: Shop, as_of: date) -> list[list[int | str | bool]]:
    """Variant, day, whether back to the regular price, of the prices that tests set."""
    since = as_of - timedelta(weeks=HISTORY_WEEKS)
    found = price_tests.switches(conn, shop.shop_id, since, shop.timezone)
    return [[variant, day.isoformat(), is_back] for variant, day, is_back in found]


def _price_test(
    conn: Connection, shop: Shop, as_of: date, variant_ids: list[int]
) -> dict[str, Any]:
    """Whether a price test may be proposed, what it may cost, how much of sales it may hold, what it may not touch."""
    if not price_tests.may_propose(
        conn, shop.shop_id, declined_days=TEST_DECLINED_DAYS, ended_days=TEST_ENDED_DAYS
    ):
        return {"may_propose": False}
    under = exposure.variants_under_change(conn, shop.shop_id)
    left = measuring.loss_cap(conn, shop.shop_id, as_of) - measuring.at_risk(
        conn, shop.shop_id, Decimal(0)
    )
    shares = measuring.shares_of_sales(conn, shop.shop_id, as_of)
    return {
        "may_propose": True,
        "cost_left": str(left),
        "exposure_limit": str(measuring_settings.of_shop(conn, shop.shop_id).exposure_limit),
        "shares": {str(product): share for product, share in sorted(shares.items())},
        "share_under_change": float(measuring.share_of_sales(conn, shop.shop_id, under, as_of)),
        "fixed": sorted(price_history.fixed_prices(conn, shop.shop_id, variant_ids)),
    }


def _range_levels(conn: Connection, shop: Shop) -> dict[str, float]:
    """For each level said the level to ask for instead, by what became of the shop's ranges."""
    known = calibrations.of_shop(conn, shop.shop_id)
    return known.corrections if known else {}


def _named(level: float) -> str:
    """A level as JSON names it."""
    return f"{level:g}"


def _empty(columns: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def to_bytes(inputs: Inputs) -> tuple[bytes, str]:
    """A snapshot and its SHA-256."""
    arrays: dict[str, np.ndarray] = {
        "meta": np.array(
            json.dumps(
                {"as_of": inputs.as_of.isoformat(), "settings": inputs.settings}, sort_keys=True
            )
        )
    }
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
    """A snapshot read back."""
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
    return Inputs(as_of=as_of, settings=meta["settings"], demand=demand, **frames_)


def digest(inputs: Inputs) -> str:
    """SHA-256 over the values themselves: how they were compressed does not matter."""
    total = hashlib.sha256(
        json.dumps(
            {"as_of": inputs.as_of.isoformat(), "settings": inputs.settings}, sort_keys=True
        ).encode()
    )
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
