"""Which price to move: `analytics.prices.elasticity` and `analytics.prices.pricing` in the shop's own terms.

A raise that is made only because stock is short, so that with stock for all nothing would be raised, says until when
(`PriceEvidence.shortage`): then, or once stock has come, its way back is suggested (`advice.way_back`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.advice import way_back as way_back_advice
from shopify_app.advice.before_tax import tax_evidence, tax_rates
from shopify_app.advice.inputs import Inputs
from shopify_app.advice.lead_times import vendor_times
from shopify_app.advice.on_offer import sells_on
from shopify_app.analytics.prices import elasticity, pricing
from shopify_app.analytics.prices import profit as price_profit
from shopify_app.analytics.prices.elasticity import PriceResponse
from shopify_app.domain.currency import exact, rounded
from shopify_app.domain.evidence import (
    ClampStep,
    CurvePoint,
    PriceEvidence,
    PriceProposal,
    PriceTried,
    Shortage,
    SuggestionKind,
)
from shopify_app.domain.suggestion import NewSuggestion

MOST: Final = 30
"""Price suggestions at most."""

UNKNOWN: Final = ["series_id", "price", "unit_cost", "tax_rate", "units_per_week", "units_each"]
"""Columns of variants whose prices never moved."""

ORDER_SIZE_WEEKS: Final = 26
"""Weeks over which the units of a usual order are averaged."""

WEEKS_PER_MONTH: Final = 52 / 12
"""Weeks in a month."""

LEAST_SHORT_UNITS: Final = 1.0
"""Expected lost units until more can come, below which stock is not called short."""

LEAST_GAIN: Final = 1.0
"""Gain a month, in whole currency units, below which a price is not worth a merchant's minute."""


NEVER_MOVED: Final = "too_few_price_changes"
"""Reason for abstaining that a price test is for. Where prices moved and advice is only not sure, a year with
a test brought no more than a year without."""


@dataclass(frozen=True, slots=True)
class PriceAdvice:
    """What a run says of prices.

    Attributes
    ----------
    suggestions : prices to move, and ways back
    not_sure : how many variants got none, by reason
    unknown : series_id, price, unit_cost, tax_rate, units_per_week (orders), units_each, of variants whose prices
        never moved and of which nothing else is said: what a test could be made of (`advice.price_test`)
    """

    suggestions: list[NewSuggestion]
    not_sure: Counter[str]
    unknown: pd.DataFrame


def suggest(inputs: Inputs, *, seed: int) -> PriceAdvice:
    """Price suggestions, and of which variants too little is known."""
    back = way_back_advice.suggest(inputs, seed=seed)
    panel = _panel(inputs)
    if panel.empty:
        return PriceAdvice(back, Counter(), pd.DataFrame(columns=UNKNOWN))
    response = elasticity.fit_price_response(panel, seed=seed)
    catalogue = _catalogue(inputs, response.table)
    allowed, stock = limits(inputs), _stock(inputs, catalogue)
    proposed = pricing.suggest_prices(response, catalogue, allowed, stock=stock)
    resting = inputs.settings.rests(SuggestionKind.PRICE) | way_back_advice.standing(inputs)
    reasons = Counter(proposed.loc[proposed["abstained_because"].notna(), "abstained_because"])
    good = proposed[
        proposed["abstained_because"].isna()
        & (proposed["gain_mid"] >= LEAST_GAIN)
        & ~proposed["series_id"].isin(resting)
    ]
    good = good.sort_values("gain_mid", ascending=False).head(MOST)
    short = _shortages(inputs, good, stock, response, catalogue, allowed)
    table = response.table.set_index("series_id")
    variants = inputs.variants.set_index("variant_id")
    tried = _tried(inputs, set(good["series_id"]))
    found = [
        _suggestion(
            inputs,
            row,
            variants.loc[row["series_id"]],
            table.loc[row["series_id"]],
            catalogue,
            tried,
            short,
            seed,
        )
        for _, row in good.iterrows()
    ]
    is_unknown = (proposed["abstained_because"] == NEVER_MOVED).to_numpy()
    unknown = catalogue.loc[is_unknown & ~proposed["series_id"].isin(resting).to_numpy(), UNKNOWN]
    return PriceAdvice(
        [*back, *found],
        Counter({str(reason): int(count) for reason, count in reasons.items()}),
        unknown.reset_index(drop=True),
    )


def _panel(inputs: Inputs) -> pd.DataFrame:
    """Orders a week at the week's usual price, from a variant's first sale on; a week without a sale keeps the price before it.

    Orders, not units: one wholesale order of a hundred says nothing of a price; and only orders that saw it. The price
    is the shelf's, tax and all: that is what a shopper answers to. The cost is put beside it as that shelf price
    which leaves just the cost before tax.
    """
    weekly = inputs.weekly[inputs.weekly["variant_id"].isin(inputs.variants["variant_id"])]
    priced = weekly[weekly["price"].notna()]
    if priced.empty:
        return pd.DataFrame(columns=["series_id", "period", "units", "price"])
    orders = weekly.pivot_table(
        index="variant_id", columns="weeks_ago", values=_answering(weekly), aggfunc="sum"
    ).sort_index(axis=1, ascending=False)
    every_week = range(int(orders.columns.max()), -1, -1)
    orders = orders.reindex(columns=every_week).loc[np.sort(priced["variant_id"].unique())]
    price = priced.pivot_table(index="variant_id", columns="weeks_ago", values="price").reindex(
        index=orders.index, columns=every_week
    )
    stock = (
        weekly.pivot_table(index="variant_id", columns="weeks_ago", values="in_stock")
        .reindex(index=orders.index, columns=every_week)
        .fillna(1.0)
    )
    drawn, mixed = _tested(inputs, stock)
    stock = stock.mask(mixed, 0.0)
    price = price.ffill(axis=1)
    known = price.notna().to_numpy()
    series, ago = np.nonzero(known)
    starts = np.array([np.datetime64(inputs.week_start(week), "s") for week in every_week])
    variants = inputs.variants.set_index("variant_id").reindex(orders.index)
    groups = variants["product_type"].to_numpy(str)
    return pd.DataFrame(
        {
            "series_id": orders.index.to_numpy()[series],
            "period": starts[ago],
            "units": np.nan_to_num(orders.to_numpy())[known],
            "price": price.to_numpy()[known],
            "in_stock": stock.to_numpy()[known],
            "randomised": drawn[known],
            "group": groups[series],
            "unit_cost": (variants["unit_cost"].to_numpy(float) * (1 + tax_rates(variants)))[
                series
            ],
        }
    )


def _answering(weekly: pd.DataFrame) -> str:
    """The column of orders that saw the shop's price; all of them in runs from before those were told apart."""
    return "priced_orders" if "priced_orders" in weekly else "orders"


def _tested(inputs: Inputs, weeks: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """By variant and weeks ago: (whether a price test set the price, whether it changed it within the week).

    A price that a lot drew is nobody's answer to demand; a week with two prices tells nothing of either.
    """
    drawn, mixed = np.zeros(weeks.shape, dtype=bool), np.zeros(weeks.shape, dtype=bool)
    row = {int(str(variant)): place for place, variant in enumerate(weeks.index)}
    column = {int(str(ago)): place for place, ago in enumerate(weeks.columns)}
    for variant, day, is_back in inputs.settings.price_switches:
        days_ago = (inputs.last_day - day).days
        # On a week's first day (six days before its last) the price is that of the whole week.
        ago, is_first_day = days_ago // 7, days_ago % 7 == 6
        if variant not in row or ago not in column:
            continue
        drawn[row[variant], column[ago] :] = not is_back
        mixed[row[variant], column[ago]] |= not is_first_day
    return drawn & ~mixed, mixed


def _catalogue(inputs: Inputs, fitted: pd.DataFrame) -> pd.DataFrame:
    """Today's price and cost, and the units a month of the coming weeks, of every fitted variant.

    The answer's own level, not what was sold of late: after a holiday that would promise another one. It
    counts orders; a usual order's units are those of the last half year, or one.
    """
    recent = inputs.weekly[inputs.weekly["weeks_ago"] < ORDER_SIZE_WEEKS]
    sums = recent.groupby("variant_id")[["units", "orders"]].sum()
    each = (sums["units"] / sums["orders"]).where(sums["orders"] > 0, 1.0).clip(lower=1.0)
    known = fitted.set_index("series_id")
    variants = inputs.variants[inputs.variants["variant_id"].isin(known.index)]
    number = variants["variant_id"]
    orders = number.map(known["units_per_week"]) * WEEKS_PER_MONTH
    return pd.DataFrame(
        {
            "series_id": number.to_numpy(),
            "price": variants["price"].to_numpy(),
            "unit_cost": variants["unit_cost"].to_numpy(),
            "tax_rate": tax_rates(variants),
            "units_per_month": (orders * number.map(each).fillna(1.0)).to_numpy(),
            "level_sd": number.map(known["level_sd"]).to_numpy(),
            "units_per_week": number.map(known["units_per_week"]).to_numpy(),
            "units_each": number.map(each).fillna(1.0).to_numpy(),
        }
    )


def limits(inputs: Inputs) -> pricing.PriceLimits:
    """What the merchant allows."""
    chosen = inputs.settings
    first, last = chosen.prices_frozen_first, chosen.prices_frozen_last
    return pricing.PriceLimits(
        margin_floor=float(chosen.margin_floor),
        max_step=float(chosen.max_price_step),
        price_ending=chosen.price_ending,
        minor_digits=chosen.minor_digits,
        is_frozen=first is not None and last is not None and first <= inputs.as_of <= last,
    )


def _stock(inputs: Inputs, catalogue: pd.DataFrame) -> pd.DataFrame:
    """What there is to sell until an order placed today would come.

    What is on its way counts as there, for its day is not known: so a price is rather left than raised. Where
    what is on the shelf would not last two weeks the price is not lowered. Untracked stock is unknown; what sells
    on without stock is never short.
    """
    variants = inputs.variants.set_index("variant_id").loc[catalogue["series_id"]]
    tracked = variants["is_tracked"].to_numpy() & ~sells_on(variants)
    shelf = np.maximum(variants["available_units"].to_numpy(float), 0.0)
    weekly = np.maximum(catalogue["units_per_month"].to_numpy() / WEEKS_PER_MONTH, 1e-9)
    coming = np.maximum(variants["incoming_units"].to_numpy(float), 0.0)
    weeks = vendor_times(inputs).weeks_of(variants["vendor"]).astype(float)
    return pd.DataFrame(
        {
            "series_id": catalogue["series_id"].to_numpy(),
            "available": np.where(tracked, shelf + coming, np.nan),
            "weeks_to_delivery": np.where(tracked, weeks, np.nan),
            "is_short": (shelf / weekly < 2) & tracked,
        }
    )


def _shortages(
    inputs: Inputs,
    good: pd.DataFrame,
    stock: pd.DataFrame,
    response: PriceResponse,
    catalogue: pd.DataFrame,
    allowed: pricing.PriceLimits,
) -> dict[int, Shortage]:
    """Of the raises those that stock for all would not ask for: how short it is, and until when.

    All prices are chosen once more, as if these products had enough; the others as they are.
    """
    raised = set(good.loc[good["price"] > good["old_price"], "series_id"])
    units = dict(zip(catalogue["series_id"], catalogue["units_per_month"], strict=True))
    found: dict[int, Shortage] = {}
    told = stock[stock["series_id"].isin(raised) & stock["available"].notna()]
    columns = (told[name].tolist() for name in ("series_id", "available", "weeks_to_delivery"))
    for series_id, there, weeks in zip(*columns, strict=True):
        wanted = np.array([units[series_id] * weeks / WEEKS_PER_MONTH])
        if float((wanted - price_profit.sold(there, wanted))[0]) >= LEAST_SHORT_UNITS:
            found[series_id] = Shortage(
                until=inputs.as_of + timedelta(weeks=weeks),
                there_units=int(there),
                needed_units=round(float(wanted[0])),
            )
    if not found:
        return {}
    is_one = stock["series_id"].isin(found)
    ample = stock.assign(
        available=stock["available"].mask(is_one), is_short=stock["is_short"] & ~is_one
    )
    again = pricing.suggest_prices(response, catalogue, allowed, stock=ample)
    anyway = again.loc[again["price"] > again["old_price"], "series_id"]
    return {one: shortage for one, shortage in found.items() if one not in set(anyway)}


def _tried(inputs: Inputs, chosen: set[int]) -> dict[int, list[PriceTried]]:
    """Prices that each variant was sold at: weeks and units a week, the newest first."""
    weekly = inputs.weekly[
        inputs.weekly["variant_id"].isin(chosen) & inputs.weekly["price"].notna()
    ]
    digits = inputs.settings.minor_digits
    found: dict[int, list[PriceTried]] = {variant: [] for variant in chosen}
    for _, weeks in weekly.groupby(["variant_id", "price"]):
        variant, price = weeks["variant_id"].iloc[0], weeks["price"].iloc[0]
        if len(weeks) >= elasticity.LEAST_WEEKS:
            found[int(variant)].append(
                PriceTried(
                    price=_as_sent(float(price), digits),
                    units_per_week=round(float(weeks["units"].mean()), 2),
                    orders_per_week=round(float(weeks["orders"].mean()), 2),
                    weeks=len(weeks),
                    last_week=inputs.week_start(int(weeks["weeks_ago"].min())),
                )
            )
    return {
        variant: sorted(entries, key=lambda one: one.last_week or inputs.as_of, reverse=True)
        for variant, entries in found.items()
    }


def _suggestion(
    inputs: Inputs,
    row: pd.Series,
    variant: pd.Series,
    fitted: pd.Series,
    catalogue: pd.DataFrame,
    tried: dict[int, list[PriceTried]],
    short: Mapping[int, Shortage],
    seed: int,
) -> NewSuggestion:
    variant_id, digits = int(row["series_id"]), inputs.settings.minor_digits
    units_now = float(
        catalogue.loc[catalogue["series_id"] == variant_id, "units_per_month"].iloc[0]
    )
    price, old = _price(float(row["price"]), digits), _as_sent(float(row["old_price"]), digits)
    compare_at = variant["compare_at_price"]
    has_compare_at = bool(pd.notna(compare_at))
    then_compare_at = _price(float(compare_at), digits) if has_compare_at else None
    keeps_compare_at = then_compare_at is not None and then_compare_at > price
    cost = float(variant["unit_cost"])
    tax = tax_evidence(variant)
    taxed = 1 + float(tax.get("tax_rate", 0.0))
    shortage = {"shortage": short[variant_id]} if variant_id in short else {}
    return NewSuggestion(
        kind=SuggestionKind.PRICE,
        variant_id=variant_id,
        proposal=PriceProposal(
            price=price,
            compare_at_price=then_compare_at if keeps_compare_at else None,
            old_price=old,
            old_compare_at_price=_as_sent(float(compare_at), digits) if has_compare_at else None,
        ),
        evidence=PriceEvidence(
            elasticity=round(float(fitted["elasticity"]), 3),
            elasticity_low=round(float(fitted["low"]), 3),
            elasticity_high=round(float(fitted["high"]), 3),
            chance_it_helps=round(float(row["chance_it_helps"]), 4),
            units_per_month_now=round(units_now, 1),
            units_per_month_then=round(float(row["units_then"]), 1),
            margin_now=round(1 - cost * taxed / float(old), 4),
            margin_then=round(1 - cost * taxed / float(price), 4),
            unit_cost=_as_sent(cost, digits),
            prices_tried=tuple(tried[variant_id][:6]),
            curve=tuple(CurvePoint.of_json(point) for point in row["curve"]),
            binding_limit=row["binding_limit"],
            clamp_trail=tuple(ClampStep.of_json(step) for step in row["clamp_trail"]),
            events=int(fitted["events"]),
            information=float(fitted["information"]),
            window_first=inputs.week_start(int(inputs.weekly["weeks_ago"].max())),
            window_last=inputs.last_day,
            model="price response 2: regression with wandering demand, pooled",
            seed=seed,
        ).with_changes(**tax, **shortage),
        value_low=_round(float(row["gain_low"])),
        value_mid=_round(float(row["gain_mid"])),
        value_high=_round(float(row["gain_high"])),
        value_unit="profit_a_month",
        currency=inputs.settings.currency,
        rank_score=float(row["gain_mid"]),
        is_urgent=False,
        as_of=inputs.as_of,
    )


def _as_sent(value: float, digits: int) -> Decimal:
    """A price or cost of the store's, with all decimals that it has."""
    return exact(Decimal(str(value)), digits)


def _price(value: float, digits: int) -> Decimal:
    """A price that we would write."""
    return rounded(Decimal(str(round(value, digits))), digits)


def _round(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))
