"""What is really rising or falling: `analytics.trends` in the shop's own terms."""

from decimal import Decimal
from typing import Any, Final

import pandas as pd

from shopify_app.analytics import trends
from shopify_app.domain.suggestion import NewSuggestion, SuggestionKind
from shopify_app.usecases.advice_history import recent_weeks, weekly_history
from shopify_app.usecases.advice_inputs import Inputs

MOST: Final = 25
FALSE_SIGN_RATE: Final = 0.1
SHOWN_WEEKS: Final = 34
WEEKS_PER_MONTH: Final = 52 / 12
WATCHING_IS_WORTH: Final = 0.1
"""Sales that a trend moves are not yet earned by knowing of it: its rank is this share of them."""


def suggest(inputs: Inputs, *, seed: int) -> list[NewSuggestion]:
    """Trends with false signs under control. Orders are counted, not units: one large order is no trend."""
    history = weekly_history(inputs, what="orders")
    found = trends.detect_trends(history, as_of=inputs.as_of, false_sign_rate=FALSE_SIGN_RATE)
    if found.empty:
        return []
    resting = set(inputs.settings["resting"]["trend"])
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
    monthly = size * variants["price"].reindex(given["series_id"]).to_numpy() * WEEKS_PER_MONTH
    given["value"] = (
        given["units_per_week_before"] * (given["ratio"] - 1)
    ).abs().to_numpy() * monthly
    given["per_order"] = monthly
    given = given.sort_values("value", ascending=False).head(MOST)
    weeks = recent_weeks(
        inputs, [int(one) for one in given["series_id"]], what="orders", weeks=SHOWN_WEEKS
    )
    return [_suggestion(inputs, row, weeks, seed) for _, row in given.iterrows()]


def _suggestion(
    inputs: Inputs, row: pd.Series, weeks: dict[int, list[tuple[str, float, float]]], seed: int
) -> NewSuggestion:
    variant_id = int(row["series_id"])
    before, now = float(row["units_per_week_before"]), float(row["units_per_week_now"])
    edges = sorted(
        abs(before * (float(row[edge]) - 1)) * float(row["per_order"])
        for edge in ("ratio_low", "ratio_high")
    )
    value = float(row["value"])
    shown: list[dict[str, Any]] = [
        {"start": start, "units": units, "expected": round(before, 2)}
        for start, units, _ in weeks[variant_id]
    ]
    return NewSuggestion(
        kind=SuggestionKind.TREND,
        variant_id=variant_id,
        proposal={"direction": row["direction"]},
        evidence={
            "ratio": round(float(row["ratio"]), 3),
            "ratio_low": round(float(row["ratio_low"]), 3),
            "ratio_high": round(float(row["ratio_high"]), 3),
            "since": pd.Timestamp(row["since"]).date().isoformat(),
            "false_sign_rate": round(float(row["false_sign_rate"]), 5),
            "cause": row["cause"],
            "lasting": None if pd.isna(row["lasting"]) else round(float(row["lasting"]), 3),
            "units_per_week_before": round(before, 2),
            "units_per_week_now": round(now, 2),
            "weeks": shown,
            "window_first": shown[0]["start"],
            "window_last": inputs.last_day.isoformat(),
            "model": "adaptive shrinkage of rate ratios",
            "seed": seed,
        },
        value_low=_round(min(edges[0], value)),
        value_mid=_round(value),
        value_high=_round(max(edges[1], value)),
        value_unit="sales_a_month",
        currency=inputs.settings["currency"],
        rank_score=value * WATCHING_IS_WORTH,
        is_urgent=False,
        as_of=inputs.as_of,
    )


def _round(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))
