"""Trend suggestions: `analytics.trends` in the shop's own terms."""

from datetime import date
from decimal import Decimal
from typing import Final

import pandas as pd

from shopify_app.advice.before_tax import net_prices, tax_evidence
from shopify_app.advice.history import recent_weeks, weekly_history
from shopify_app.advice.inputs import Inputs
from shopify_app.advice.lead_times import vendor_times
from shopify_app.analytics import trends
from shopify_app.domain.evidence import SuggestionKind, TrendEvidence, TrendProposal, TrendWeek
from shopify_app.domain.suggestion import NewSuggestion

MOST: Final = 25
"""Trends at most."""

FALSE_SIGN_RATE: Final = 0.1
"""Average probability of a wrong direction among all shown."""

SHOWN_WEEKS: Final = 34
"""Weeks of the chart."""

WEEKS_PER_MONTH: Final = 52 / 12
"""Weeks in a month."""

SIBLINGS: Final = 3
"""Variants from which on a product is a group of its own."""

CAUSE_CODES: Final = {"stock-out rebound": "stockout_rebound", "one-off": "bulk_order"}
"""Code of a cause, where it is not the model's word."""

WATCHING_IS_WORTH: Final = 0.1
"""Share of the sales that a trend moves by which it is ranked, times the chance that it is still there when an
order could land: they are not yet earned by knowing of it."""


def suggest(inputs: Inputs, *, seed: int) -> list[NewSuggestion]:
    """Trends with false signs under control. Orders are counted, not units: one large order is no trend."""
    found = trends.detect_trends(
        _history(inputs),
        as_of=inputs.as_of,
        false_sign_rate=FALSE_SIGN_RATE,
        lead_time=_lead_weeks(inputs),
        previous=_previous(inputs),
    )
    if found.empty:
        return []
    resting = inputs.settings.rests(SuggestionKind.TREND)
    given = found[(found["direction"] != "none") & ~found["series_id"].isin(resting)].copy()
    variants = inputs.variants.set_index("variant_id")
    recent = (
        inputs.weekly[inputs.weekly["weeks_ago"] < 8]
        .groupby("variant_id")[["units", "orders"]]
        .sum()
    )
    size = (
        (recent["units"] / recent["orders"].clip(lower=1))
        .reindex(given["series_id"])
        .fillna(1.0)
        .to_numpy()
    )
    prices = pd.Series(net_prices(variants), variants.index).reindex(given["series_id"])
    monthly = size * prices.to_numpy() * WEEKS_PER_MONTH
    given["value"] = (
        given["units_per_week_before"] * (given["ratio"] - 1)
    ).abs().to_numpy() * monthly
    given["per_order"] = monthly
    given = given.sort_values("value", ascending=False).head(MOST)
    weeks = recent_weeks(
        inputs, [int(one) for one in given["series_id"]], what="orders", weeks=SHOWN_WEEKS
    )
    return [
        _suggestion(inputs, row, variants.loc[row["series_id"]], weeks, seed)
        for _, row in given.iterrows()
    ]


def _history(inputs: Inputs) -> pd.DataFrame:
    """Orders a week with the week's price and promotions; what may move together is a product's variants, else its type."""
    history = weekly_history(inputs, what="orders", promoted=_promoted(inputs))
    ago = (pd.Timestamp(inputs.week_start(0)) - history["period"]).dt.days // 7
    prices = inputs.weekly.set_index(["variant_id", "weeks_ago"])["price"]
    rows = pd.MultiIndex.from_arrays([history["series_id"], ago])
    history["price"] = prices.reindex(rows).to_numpy(float)
    products = inputs.variants.set_index("variant_id")["product_id"]
    variants = products.map(products.value_counts())
    own = "product " + products.astype(str)
    siblings = own.where(variants >= SIBLINGS).reindex(history["series_id"]).to_numpy(object)
    history["group"] = pd.Series(siblings, index=history.index).fillna(history["group"])
    return history


def _promoted(inputs: Inputs) -> pd.DataFrame:
    """`PROMOTED_WEEKS` by the weeks that end yesterday: the shop's own weeks by the days that both share."""
    own, moved_days = inputs.promoted, (inputs.as_of - inputs.closed_on).days
    shares = {0: 1 - moved_days / 7, 1: moved_days / 7}
    parts = [
        own.assign(weeks_ago=own["weeks_ago"] + later, on_promotion=own["on_promotion"] * share)
        for later, share in shares.items()
        if share
    ]
    return pd.concat(parts).groupby(["variant_id", "weeks_ago"], as_index=False).sum()


def _lead_weeks(inputs: Inputs) -> "pd.Series[float]":
    """Weeks until an order placed now would land, by variant: as stated, or as deliveries showed."""
    vendors = inputs.variants.set_index("variant_id")["vendor"]
    return pd.Series(vendor_times(inputs).of(vendors).mean, index=vendors.index)


def _previous(inputs: Inputs) -> pd.DataFrame:
    """Directions that are on show already: they stay until they become doubtful."""
    shown = inputs.settings.trends_before
    return pd.DataFrame(list(shown), columns=["series_id", "direction"])


def _suggestion(
    inputs: Inputs,
    row: pd.Series,
    variant: pd.Series,
    weeks: dict[int, list[tuple[date, float, float]]],
    seed: int,
) -> NewSuggestion:
    variant_id = int(row["series_id"])
    before, now = float(row["units_per_week_before"]), float(row["units_per_week_now"])
    edges = sorted(
        abs(before * (float(row[edge]) - 1)) * float(row["per_order"])
        for edge in ("ratio_low", "ratio_high")
    )
    value = float(row["value"])
    shown = tuple(
        TrendWeek(start=start, units=units, expected=round(before, 2))
        for start, units, _ in weeks[variant_id]
    )
    return NewSuggestion(
        kind=SuggestionKind.TREND,
        variant_id=variant_id,
        proposal=TrendProposal(direction=row["direction"]),
        evidence=TrendEvidence(
            ratio=round(float(row["ratio"]), 3),
            ratio_low=round(float(row["ratio_low"]), 3),
            ratio_high=round(float(row["ratio_high"]), 3),
            since=pd.Timestamp(row["since"]).date(),
            false_sign_rate=round(float(row["false_sign_rate"]), 5),
            cause=CAUSE_CODES.get(row["cause"], row["cause"]),
            lasting=None if pd.isna(row["lasting"]) else round(float(row["lasting"]), 3),
            units_per_week_before=round(before, 2),
            units_per_week_now=round(now, 2),
            weeks=shown,
            window_first=shown[0].start,
            window_last=inputs.last_day,
            model="adaptive shrinkage of negative binomial rate ratios",
            seed=seed,
        ).with_changes(**tax_evidence(variant)),
        value_low=_round(min(edges[0], value)),
        value_mid=_round(value),
        value_high=_round(max(edges[1], value)),
        value_unit="sales_a_month",
        currency=inputs.settings.currency,
        rank_score=value * WATCHING_IS_WORTH * float(row["lasting"]),
        is_urgent=False,
        as_of=inputs.as_of,
    )


def _round(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))
