"""A shop's last year again under our restock advice, in money, against what the shop did (`analytics.replay`).

    due --claim--> history, shelves, terms --replay--> what it would have brought --> kept, told
        --> due again in a week (in a day, while the past is too short: it may just be being read)

Today's prices, costs, lead times and settings are taken for the whole year. A week whose shelf was not
counted at both its ends says nothing of stock.
"""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import structlog

from shopify_app import clock
from shopify_app.advice.before_tax import net_prices
from shopify_app.advice.history import weekly_history
from shopify_app.advice.inputs import Inputs
from shopify_app.advice.on_offer import sells_on
from shopify_app.advice.restock import supply_terms
from shopify_app.analytics import replay
from shopify_app.db import due_work, frames, replays, shops
from shopify_app.db.connection import transaction
from shopify_app.db.replays import ReplayRow
from shopify_app.errors import NotFoundError
from shopify_app.usecases.suggestions.read_inputs import HISTORY_WEEKS, read_inputs

SEED: Final = 0
DIGITS: Final = 2
DAY_SECONDS: Final = 86_400
AGAIN_DAYS: Final = 7
SOON_DAYS: Final = 1
"""Days until the next replay, where the past was too short."""

log = structlog.get_logger()


def replay_shop(shop_id: int, *, as_of: date | None = None) -> ReplayRow:
    """Replay the year before a day (today in the shop's zone), keep what was found.

    Raises
    ------
    NotFoundError
        If there is no such shop.
    """
    with transaction(shop_id) as conn:
        shop = shops.by_id(conn, shop_id)
        if shop is None:
            raise NotFoundError(f"shop {shop_id}")
        day = as_of or clock.today(shop)
        inputs = read_inputs(conn, shop, day)
        ends = frames.stock_at_week_ends(
            conn, shop_id, inputs.last_day, HISTORY_WEEKS + 1, shop.timezone
        )
    found = ReplayRow(day, shop.currency, worked_out(inputs, ends))
    with transaction(shop_id) as conn:
        replays.keep(conn, shop_id, found)
        short = found.record["verdict"] == "too_little_history"
        again = SOON_DAYS if short else AGAIN_DAYS
        due_work.again(conn, shop_id, "replay", in_seconds=again * DAY_SECONDS)
    log.info("year_replayed", shop_id=shop_id, verdict=found.record["verdict"])
    return found


def worked_out(inputs: Inputs, ends: pd.DataFrame) -> dict[str, Any]:
    """The record of a replay; `ends` are `domain.frames.STOCK_ENDS`."""
    counted = inputs.variants["is_tracked"] & ~sells_on(inputs.variants)
    variants = inputs.variants[counted].reset_index(drop=True)
    terms = _terms(inputs, variants)
    cap = inputs.settings.cycle_service_level
    found = replay.replay(
        history_of(inputs, variants, ends),
        terms,
        holding_per_year=float(inputs.settings.holding_cost_per_year),
        service_level_cap=None if cap is None else float(cap),
        seed=SEED,
    )
    first = inputs.as_of - timedelta(days=7 * found.weeks)
    return {
        **{
            name: round(value, DIGITS) if isinstance(value, float) else value
            for name, value in asdict(found).items()
        },
        "first": first.isoformat(),
        "last": inputs.last_day.isoformat(),
        "cost_known_share": _cost_known_share(inputs, variants, found.weeks),
    }


def history_of(inputs: Inputs, variants: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """Weeks of variants as `replay.replay` takes them; what nobody counted is NaN."""
    history = weekly_history(
        inputs, what="units", variants=variants["variant_id"].to_numpy("int64")
    )
    last = np.datetime64(inputs.last_day - timedelta(days=6), "s")
    ago = (last - history["period"].to_numpy("datetime64[s]")) // np.timedelta64(7, "D")
    counted = ends.set_index(["variant_id", "weeks_ago"])["on_hand"]
    at_end, at_start = (
        counted.reindex(pd.MultiIndex.from_arrays([history["series_id"], ago + back])).to_numpy()
        for back in (0, 1)
    )
    is_known = ~np.isnan(at_end) & ~np.isnan(at_start)
    return history.assign(in_stock=history["in_stock"].where(is_known), on_hand=at_end)


def _terms(inputs: Inputs, variants: pd.DataFrame) -> pd.DataFrame:
    found = supply_terms(inputs, variants)[["cost", "lead", "review", "pack", "minimum"]]
    return found.assign(series_id=variants["variant_id"], price=net_prices(variants))


def _cost_known_share(inputs: Inputs, variants: pd.DataFrame, weeks: int) -> float:
    """Of the weeks' units, those of variants whose cost the shop knows; 1 where none were sold."""
    sold = inputs.weekly[inputs.weekly["weeks_ago"] < weeks]
    sold = sold[sold["variant_id"].isin(variants["variant_id"])]
    known = set(variants.loc[variants["unit_cost"].notna(), "variant_id"])
    units = float(sold["units"].sum())
    share = sold.loc[sold["variant_id"].isin(known), "units"].sum() / units if units else 1.0
    return round(float(share), 4)
