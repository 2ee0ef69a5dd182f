"""Histories as the models take them, from a run's weekly rows."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from shopify_app.advice.inputs import Inputs


def weekly_history(
    inputs: Inputs,
    *,
    what: str,
    variants: np.ndarray | None = None,
    closed: bool = False,
    promoted: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """`series_id, period, units, in_stock, group` (and `on_promotion`) of every variant on sale, from its first week to the last.

    `what` is `units` or `orders`; `variants` are some to look at, without it all; `closed` are the shop's own weeks that
    have closed (units only), else those that end yesterday; `promoted` is a `promoted_weeks.PROMOTED_WEEKS` by the same
    weeks. A week without a row sold nothing; a variant that never sold starts in the week it was first seen; of one first
    seen after the last week it is only said that it exists.
    """
    on_sale = inputs.variants
    weekly = inputs.closed_weeks if closed else inputs.weekly
    last_day = (inputs.closed_on if closed else inputs.as_of) - timedelta(days=1)
    weekly = weekly[weekly["variant_id"].isin(on_sale["variant_id"])]
    oldest = int(weekly["weeks_ago"].max()) if len(weekly) else 0
    if variants is not None:
        on_sale = on_sale[on_sale["variant_id"].isin(variants)]
        weekly = weekly[weekly["variant_id"].isin(variants)]
    seen_ago = ((pd.Timestamp(last_day) - on_sale["first_seen_on"]).dt.days // 7).fillna(0)
    born = seen_ago.clip(0, oldest)
    to_come = on_sale.loc[seen_ago < 0, "variant_id"]
    ends = pd.DataFrame(
        {
            "variant_id": np.r_[on_sale["variant_id"], on_sale["variant_id"]],
            "weeks_ago": np.r_[born.astype("int64"), np.zeros(len(on_sale), "int64")],
        }
    )
    rows = ends.merge(weekly, how="outer", on=["variant_id", "weeks_ago"]).drop_duplicates(
        ["variant_id", "weeks_ago"]
    )
    rows.loc[rows["variant_id"].isin(to_come) & rows[what].isna(), "in_stock"] = 0.0
    if promoted is not None and not promoted.empty:
        rows = _with_promotions(rows, promoted)
    start = pd.Timestamp(last_day - timedelta(days=6))
    groups = on_sale.set_index("variant_id")["product_type"]
    found = pd.DataFrame(
        {
            "series_id": rows["variant_id"].to_numpy("int64"),
            "period": (start - pd.to_timedelta(7 * rows["weeks_ago"], unit="D")).to_numpy(
                "datetime64[s]"
            ),
            "units": rows[what].fillna(0.0).to_numpy(float),
            "in_stock": rows["in_stock"].fillna(1.0).to_numpy(float),
            "group": groups.reindex(rows["variant_id"]).to_numpy(str),
        }
    )
    if "on_promotion" in rows:
        found["on_promotion"] = rows["on_promotion"].fillna(0.0).to_numpy(float)
    return found


def _with_promotions(rows: pd.DataFrame, promoted: pd.DataFrame) -> pd.DataFrame:
    """Rows with `on_promotion`, and the weeks on promotion in which nothing was sold, since a variant's first."""
    keys = ["variant_id", "weeks_ago"]
    first = promoted["variant_id"].map(rows.groupby("variant_id")["weeks_ago"].max())
    told = promoted[(promoted["weeks_ago"] >= 0) & (promoted["weeks_ago"] <= first)]
    return rows.merge(told, how="outer", on=keys)


def recent_weeks(
    inputs: Inputs, variant_ids: list[int], *, what: str, weeks: int
) -> dict[int, list[tuple[date, float, float]]]:
    """(start, value, share in stock) of each variant's last weeks, oldest first."""
    chosen = inputs.weekly[
        inputs.weekly["variant_id"].isin(variant_ids) & (inputs.weekly["weeks_ago"] < weeks)
    ]
    known = {
        (int(v), int(w)): (float(x), float(s))
        for v, w, x, s in zip(
            chosen["variant_id"], chosen["weeks_ago"], chosen[what], chosen["in_stock"], strict=True
        )
    }
    return {
        variant: [
            (inputs.week_start(ago), *known.get((variant, ago), (0.0, 1.0)))
            for ago in range(weeks - 1, -1, -1)
        ]
        for variant in variant_ids
    }
