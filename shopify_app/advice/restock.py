"""Restock suggestions: which variants to order, how many, by when; `analytics.orders.replenishment` in the shop's own terms."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.advice import order_together
from shopify_app.advice import transfers as transfer_advice
from shopify_app.advice.before_tax import net_prices, tax_evidence
from shopify_app.advice.history import recent_weeks, weekly_history
from shopify_app.advice.inputs import Inputs
from shopify_app.advice.lead_times import vendor_times
from shopify_app.advice.on_offer import sells_on
from shopify_app.analytics import demand
from shopify_app.analytics.demand.forecast_rows import rows_of
from shopify_app.analytics.orders import plan as order_plan
from shopify_app.analytics.orders import replenishment
from shopify_app.domain.currency import exact, rounded
from shopify_app.domain.evidence import (
    ForecastWeek,
    Move,
    OtherQuantity,
    RestockEvidence,
    RestockProposal,
    SoldWeek,
    SuggestionKind,
)
from shopify_app.domain.run import NamedMove, OrderBudget
from shopify_app.domain.suggestion import NewSuggestion

MOST: Final = 60
"""Restock suggestions at most."""

DUE_WEEKS: Final = 1
"""Weeks within which an order must be due to be suggested."""

LEAST_VALUE: Final = 2.0
"""Margin a week, in whole currency units, below which waiting costs nothing worth a card."""

UNKNOWN_COST_SHARE: Final = 0.5
"""Share of the price before tax that stands for an unknown cost, marked as an estimate."""

DEAD_BELOW: Final = 0.5
"""Probability of life below which a variant is not ordered."""

LEAST_WANTED: Final = 1.0
"""Units that customers should want until an order lands, for what costs more than it brings to be told."""

WAITING_IS_WORTH: Final = 0.2
"""Share of the margin that customers wait for by which such an order is ranked: most of it is earned, only later."""

MONTHS_PER_WEEK: Final = 12 / 52
"""Months in a week."""


@dataclass(frozen=True, slots=True)
class Restock:
    """What to order, why variants that look short got nothing, what each budget would buy, what to move first."""

    suggestions: list[NewSuggestion]
    not_sure: Counter[str]
    order_budget: OrderBudget
    moves: list[NamedMove]


def suggest(inputs: Inputs, *, seed: int) -> Restock:
    """Orders and the moves before them."""
    variants = inputs.variants[inputs.variants["is_tracked"]].reset_index(drop=True)
    not_sure: Counter[str] = Counter()
    if variants.empty:
        return Restock([], not_sure, OrderBudget(), [])
    forecast = _forecast(inputs, variants, seed)
    variants = variants.set_index("variant_id").loc[forecast.series_ids].reset_index()
    terms = supply_terms(inputs, variants)
    plan = _plan(inputs, variants, terms, forecast)
    moves = transfer_advice.moves(
        inputs, variants, terms, forecast, weekly_holding=_weekly_holding(inputs, terms)
    )
    to_move = transfer_advice.named(moves, variants)
    due, may_join = _due(inputs, variants, terms, forecast, plan, not_sure)

    def order(rows: np.ndarray, **rules: Any) -> replenishment.OrderPlan:
        some = variants.iloc[rows], terms.iloc[rows], rows_of(forecast, rows)
        return _plan(inputs, *some, **rules)

    together = order_together.order_together(order, plan, due, may_join, terms)
    not_sure["below_supplier_minimum"] = together.left_out
    rows = together.rows
    if not len(rows):
        return Restock([], not_sure, OrderBudget(), to_move)
    variants, terms, forecast = variants.iloc[rows], together.terms, rows_of(forecast, rows)
    ids = variants["variant_id"].to_numpy("int64")
    weeks = recent_weeks(inputs, ids.tolist(), what="units", weeks=26)
    found = [
        _suggestion(inputs, variants, terms, forecast, together.plan, row, weeks, seed)
        for row in range(len(rows))
    ]
    found = [_with_places(inputs, one, moves) for one in found]
    order_budget = order_together.for_every_budget(together.plan, ids, terms)
    return Restock(found, not_sure, order_budget, to_move)


def _due(
    inputs: Inputs,
    variants: pd.DataFrame,
    terms: pd.DataFrame,
    forecast: demand.DemandForecast,
    plan: replenishment.OrderPlan,
    not_sure: Counter[str],
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to order now, the most worth first, and rows that may go with them."""
    owed = _owed(variants) > 0
    value = plan.lost_by_waiting * (net_prices(variants) - terms["cost"].to_numpy(float))
    due = (plan.units > 0) & (plan.periods_to_wait <= DUE_WEEKS) & ((value >= LEAST_VALUE) | owed)
    alive = (forecast.alive >= DEAD_BELOW) | owed
    not_sure["cost_above_price"] = _dearer_than_sold(variants, terms, forecast)
    not_sure["stopped_selling"] = int((due & ~alive).sum())
    rests = variants["variant_id"].isin(inputs.settings.rests(SuggestionKind.RESTOCK)).to_numpy()
    may_join = (plan.units > 0) & alive & ~rests
    rows = np.flatnonzero(due & may_join)
    return rows[np.argsort(-value[rows], kind="stable")][:MOST], np.flatnonzero(may_join)


def _dearer_than_sold(
    variants: pd.DataFrame, terms: pd.DataFrame, forecast: demand.DemandForecast
) -> int:
    """How many would run out before an order lands, and are not ordered since a unit costs more than it brings before tax."""
    weeks = np.arange(forecast.mean.shape[1])[None, :] < terms["lead"].to_numpy(int)[:, None]
    wanted = (forecast.mean * weeks).sum(axis=1)
    there = (variants["available_units"] + variants["incoming_units"]).to_numpy(float)
    at_a_loss = terms["cost_known"].to_numpy(bool) & (terms["cost"] >= net_prices(variants))
    return int((at_a_loss & (wanted >= LEAST_WANTED) & (there < wanted)).sum())


def _owed(variants: pd.DataFrame) -> np.ndarray:
    """Units (n,) sold already that neither lie there nor are on their way."""
    position = variants["available_units"] + variants["incoming_units"]
    return np.maximum(-position.to_numpy(float), 0.0)


def horizon_weeks(inputs: Inputs) -> int:
    """Weeks ahead that restock looks at: twice the longest time an order covers."""
    variants = inputs.variants[inputs.variants["is_tracked"]]
    terms = supply_terms(inputs, variants)
    covered = 2 * (terms["lead"] + terms["review"])
    return int(np.maximum(covered, terms["longest_lead"] + terms["review"]).max())


def _forecast(inputs: Inputs, variants: pd.DataFrame, seed: int) -> demand.DemandForecast:
    """The demand that was brought up to the inputs' day; without one, worked out here."""
    if inputs.demand is not None:
        return inputs.demand.forecast
    history = weekly_history(inputs, what="units")
    tracked = history[history["series_id"].isin(variants["variant_id"])]
    return demand.forecast_demand(tracked, horizon=horizon_weeks(inputs), seed=seed)


def supply_terms(inputs: Inputs, variants: pd.DataFrame) -> pd.DataFrame:
    """Lead time and review in whole weeks, pack, minimum and cost of each variant."""
    vendors, times = inputs.vendors.set_index("vendor"), vendor_times(inputs)
    cost_known = variants["unit_cost"].notna()
    estimate = net_prices(variants) * UNKNOWN_COST_SHARE
    return pd.DataFrame(
        {
            "lead_days": times.days_of(variants["vendor"]),
            "lead": times.weeks_of(variants["vendor"]),
            "longest_lead": times.longest_of(variants["vendor"]),
            "review": max(1, round(inputs.settings.review_period_days / 7)),
            "pack": variants["vendor"].map(vendors["pack_units"]).fillna(1).astype(int),
            "minimum": variants["vendor"].map(vendors["minimum_units"]).fillna(0).astype(int),
            "vendor": variants["vendor"],
            **order_together.least_orders(variants["vendor"], vendors),
            "cost_known": cost_known,
            "cost": variants["unit_cost"].where(cost_known, estimate),
        }
    )


def _weekly_holding(inputs: Inputs, terms: pd.DataFrame) -> np.ndarray:
    """Money that a unit on the shelf costs a week."""
    return terms["cost"].to_numpy(float) * float(inputs.settings.holding_cost_per_year) / 52


def _plan(
    inputs: Inputs,
    variants: pd.DataFrame,
    terms: pd.DataFrame,
    forecast: demand.DemandForecast,
    **rules: Any,
) -> replenishment.OrderPlan:
    cap = inputs.settings.cycle_service_level
    return replenishment.order_quantities(
        forecast,
        on_hand=variants["available_units"].to_numpy(float),
        incoming=variants["incoming_units"].to_numpy(float),
        lead_time=vendor_times(inputs).of(terms["vendor"]),
        review_periods=terms["review"].to_numpy(),
        holding_cost=_weekly_holding(inputs, terms),
        shortage_cost=np.maximum(net_prices(variants) - terms["cost"].to_numpy(float), 0.0),
        pack=terms["pack"].to_numpy(),
        minimum=terms["minimum"].to_numpy(),
        service_level_cap=None if cap is None else float(cap),
        overage_reviews=replenishment.OVERAGE_REVIEWS,
        range_tails=inputs.range_tails,
        **rules,
    )


def _suggestion(
    inputs: Inputs,
    variants: pd.DataFrame,
    terms: pd.DataFrame,
    forecast: demand.DemandForecast,
    plan: replenishment.OrderPlan,
    row: int,
    weeks: dict[int, list[tuple[date, float, float]]],
    seed: int,
) -> NewSuggestion:
    variant, term = variants.iloc[row], terms.iloc[row]
    tax = tax_evidence(variant)
    net = float(variant["price"]) / (1 + float(tax.get("tax_rate", 0.0)))
    margin = max(net - float(term["cost"]), 0.0)
    owed, waits = int(_owed(variants)[row]), bool(sells_on(variants)[row])
    # Where it is sold without stock too, customers wait: for what they will want, and for what is owed.
    extra = float(owed) if waits else 0.0
    lost = float(plan.lost_by_waiting[row]) + extra
    low, high = _range_of_loss(
        inputs,
        forecast,
        row,
        int(term["lead"]),
        max(float(variant["available_units"] + variant["incoming_units"]), 0.0),
    )
    low, high = low + extra, high + extra
    order_by = inputs.as_of + timedelta(days=7 * int(term["weeks_left"]))
    first, last = _run_out(inputs, forecast, row, max(float(variant["available_units"]), 0.0))
    units = int(plan.units[row])
    digits = inputs.settings.minor_digits
    cost = exact(Decimal(str(term["cost"])), digits) if term["cost_known"] else None
    vendor = variant["vendor"] or None
    variant_id = int(variant["variant_id"])
    return NewSuggestion(
        kind=SuggestionKind.RESTOCK,
        variant_id=variant_id,
        proposal=RestockProposal(
            units=units,
            unit_cost=cost,
            order_cost=_money(units * float(term["cost"]), digits) if cost is not None else None,
            order_by=order_by,
            vendor=vendor,
            location_id=None,
        ),
        evidence=RestockEvidence(
            available_units=int(variant["available_units"]),
            incoming_units=int(variant["incoming_units"]),
            lead_time_days=int(term["lead_days"]),
            review_period_days=inputs.settings.review_period_days,
            critical_fractile=round(float(plan.critical_fractile[row]), 4),
            target_units=int(plan.target_units[row]),
            ideal_units=int(np.ceil(plan.ideal_units[row])),
            expected_demand=round(float(plan.expected_demand[row]), 1),
            demand_low=int(plan.demand_low[row]),
            demand_high=int(plan.demand_high[row]),
            range_level_asked=round(inputs.range_level, 4),
            run_out_first=first,
            run_out_last=last,
            demand_per_week=round(float(forecast.mean[row, 0]), 2),
            stockout_weeks=sum(1 for _, _, share in weeks[variant_id] if share < 0.95),
            weeks=tuple(
                SoldWeek(start=start, units=value, in_stock=round(share, 3))
                for start, value, share in weeks[variant_id]
            ),
            forecast=_fan(inputs, forecast, row),
            pack_units=int(term["pack"]),
            minimum_units=int(term["minimum"]),
            dead_stock_risk=round(float(plan.dead_stock_risk[row]), 4),
            expected_gain=round(float(plan.value[row]), 2),
            less=_aside(plan.less, row),
            more=_aside(plan.more, row),
            look_ahead_weeks=int(replenishment.LOOK_AHEAD * (term["lead"] + term["review"])),
            binding_rules=_binding(plan, term, row),
            expected_lost_units=round(float(plan.lost_without[row]), 2),
            cost_is_estimate=not bool(term["cost_known"]),
            unit_margin=_money(margin, digits),
            unit_price=exact(Decimal(str(variant["price"])), digits),
            lead_time=vendor_times(inputs).told.get(vendor or ""),
            window_first=weeks[variant_id][0][0],
            window_last=inputs.last_day,
            model="gamma-poisson bank, newsvendor",
            seed=seed,
        ).with_changes(**tax, **_owing(owed, waits=waits)),
        value_low=_round(min(low, lost) * margin),
        value_mid=_round(lost * margin),
        value_high=_round(max(high, lost) * margin),
        value_unit="waiting_margin_a_week" if waits else "margin_a_week",
        currency=inputs.settings.currency,
        rank_score=lost * margin / MONTHS_PER_WEEK * (WAITING_IS_WORTH if waits else 1.0),
        is_urgent=bool(not waits and term["weeks_left"] == 0 and lost * margin >= LEAST_VALUE),
        as_of=inputs.as_of,
    )


def _owing(owed: int, *, waits: bool) -> dict[str, object]:
    """Evidence of units that are owed, and of customers who wait; nothing where there are none."""
    found: dict[str, object] = {"owed_units": owed} if owed else {}
    return found | {"sells_on": True} if waits else found


def _with_places(inputs: Inputs, one: NewSuggestion, moves: Sequence[Move]) -> NewSuggestion:
    """The same with what lies where, and what to move before it is ordered."""
    mine = tuple(move for move in moves if move.variant_id == one.variant_id)
    places = transfer_advice.stock_by_place(inputs, one.variant_id)
    return replace(one, evidence=one.evidence.with_changes(moves=mine, places=places))


def _aside(aside: order_plan.Aside, row: int) -> OtherQuantity:
    """What another quantity would do."""
    return OtherQuantity(
        units=int(aside.units[row]),
        expected_lost_units=round(float(aside.lost[row]), 2),
        dead_stock_risk=round(float(aside.dead_stock_risk[row]), 4),
        expected_gain=round(float(aside.value[row]), 2),
    )


def _range_of_loss(
    inputs: Inputs, forecast: demand.DemandForecast, row: int, lead: int, position: float
) -> tuple[float, float]:
    """Units lost by waiting a week if demand runs at its 10 % and 90 % totals."""
    found: list[float] = []
    for level in inputs.range_tails:
        then = max(_quantile(forecast, row, lead + 1, level) - position, 0.0)
        now = max(_quantile(forecast, row, lead, level) - position, 0.0) if lead else 0.0
        found.append(max(then - now, 0.0))
    return min(found), max(found)


def _quantile(forecast: demand.DemandForecast, row: int, last: int, level: float) -> float:
    """The forecast's own quantile, held to the shop's past: that of the plan, not of its dispersion alone."""
    return float(rows_of(forecast, np.array([row])).quantile([level], last=last)[0, 0])


def _run_out(
    inputs: Inputs, forecast: demand.DemandForecast, row: int, available: float
) -> tuple[date | None, date | None]:
    """Days between which what is on the shelf probably runs out (8 of 10 cases); None: not within the horizon."""
    days: list[date | None] = []
    for level in reversed(inputs.range_tails):
        day = None
        for week in range(1, forecast.mean.shape[1] + 1):
            if _quantile(forecast, row, week, level) > available:
                after = timedelta(days=7 * (week - 1) + 3 if available > 0 else 0)
                day = inputs.as_of + after
                break
        days.append(day)
    return days[0], days[1]


def _fan(inputs: Inputs, forecast: demand.DemandForecast, row: int) -> tuple[ForecastWeek, ...]:
    """The next eight weeks: mean and 8-of-10 range of each."""
    weeks = min(8, forecast.mean.shape[1])
    one = rows_of(forecast, np.array([row]))
    tails = inputs.range_tails
    each = [one.quantile(tails, first=week, last=week)[0] for week in range(1, weeks + 1)]
    return tuple(
        ForecastWeek(
            start=inputs.as_of + timedelta(days=7 * week),
            mean=round(float(forecast.mean[row, week]), 2),
            low=int(each[week][0]),
            high=int(each[week][1]),
        )
        for week in range(weeks)
    )


def _binding(plan: replenishment.OrderPlan, term: pd.Series, row: int) -> tuple[str, ...]:
    """Rules that made the order other than ideal."""
    ideal, units = plan.ideal_units[row], plan.units[row]
    rules: list[str] = []
    if term["raised"]:
        rules.append("supplier_minimum")
    elif units != np.ceil(ideal) and term["pack"] > 1:
        rules.append("pack")
    if 0 < ideal < term["minimum"] <= units:
        rules.append("minimum")
    return tuple(rules)


def _money(value: float, digits: int) -> Decimal:
    return rounded(Decimal(str(round(value, digits))), digits)


def _round(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))
