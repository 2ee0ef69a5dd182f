"""Suggested prices inside a merchant's limits, and the reason where none is suggested.

In:  a `PriceResponse`, a catalogue, `PriceLimits`, optionally stock.
Out: a frame: one row a series, with a price where it is likely to earn more, else the reason why not.
Method: for each price inside the limits the gain in monthly gross profit is computed under every
elasticity of the posterior. Of all products together those prices are chosen that gain most, so that
no more than one in ten is expected to lose (average false sign rate, with one Lagrange multiplier
for all products). Gains come from posteriors shrunk toward their group and shop, which takes out most of
the winner's curse: of gains foreseen with more than 80 % chance 1.0 came, on simulated shops of other seeds than
the benchmark's.
Source: Stephens (2017), "False discovery rates: a new deal", Biostatistics 18, 275-294; Andrews, Kitagawa & McCloskey
(2024), "Inference on winners", QJE 139, 305-358; Everett (1963), Operations Research 11, 399-417.
Weak: so far as the prior is wrong; other products' sales are taken as given.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from shopify_app.analytics.prices import rules as price_rules
from shopify_app.analytics.prices.elasticity import GRID, PriceResponse
from shopify_app.analytics.prices.profit import StockView, monthly_profit
from shopify_app.analytics.prices.rules import Bound, PriceLimits

__all__ = ["PriceLimits", "suggest_prices"]

LEAST_EVENTS: Final = 1
"""Fewest own price changes from which a price is suggested."""

LEAST_INFORMATION: Final = 0.05
"""Least information (1 / variance) of a series' own weeks on its elasticity."""

REVERSED_CHANCE: Final = 0.25
"""Probability of a positive elasticity from which no price is proposed: such a response is not understood."""

SHOP_REVERSED: Final = -0.4
"""Mean elasticity of a shop above which it does not respond to prices as shops do."""

BELIEVED: Final = 0.9
"""Calibration slope on the log odds that a price helps. Of chances over 70 %, in thin, mid and rich histories,
raises held as if it were 1, cuts 1.4; but what is wrong of a type or a shop is wrong of all its products at
once, so that shops scatter around what was said, and one that loses more than was said is worse than one
that gains less."""

LEVEL_NODES, LEVEL_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
"""Gauss-Hermite nodes and weights of a Gaussian log level, for the range of a gain."""

WISH_RANGE: Final = 0.3
"""Share by which a wish may be from today's price before limits are applied."""

WISH_STEPS: Final = 41
"""Prices tried for the wish."""

TENTHS: Final = (0.1, 0.9)
"""Levels of the 80 % range."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Prices (k,), gains, units a month and their weights (k, g) under each elasticity, mean gain and probability of a gain (k,)."""

    prices: np.ndarray
    gain: np.ndarray
    units: np.ndarray
    weights: np.ndarray
    mean: np.ndarray
    chance: np.ndarray


@dataclass(frozen=True, slots=True)
class _Belief:
    """A series' posteriors (g,): the one a rise is judged by, and the one a cut is.

    Endogenous prices make demand seem less elastic, and the correction for it may be too much: each move is judged
    by the posterior that is the worse one for it.
    """

    rise: np.ndarray
    cut: np.ndarray

    def of(self, prices: np.ndarray, today: float) -> np.ndarray:
        """Weights (k, g) of the elasticities for prices (k,)."""
        return np.where((prices < today)[:, None], self.cut[None], self.rise[None])


@dataclass(slots=True)
class _Case:
    """A series with something to propose: `found` is its row, `allowed` (k,) the prices sure enough and worth it."""

    found: dict[str, Any]
    row: Any
    belief: _Belief
    answer: _Answer
    allowed: np.ndarray
    rules: list[Bound]
    stock: StockView | None


def suggest_prices(
    response: PriceResponse,
    catalogue: pd.DataFrame,
    limits: PriceLimits,
    *,
    stock: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row a series: a price where it is likely to earn more, else the reason why not.

    Parameters
    ----------
    response : posteriors; its series must hold every `series_id` of the catalogue.
    catalogue : DataFrame
        `series_id, price, unit_cost` (NaN: unknown), `units_per_month` and optional, NaN where unknown:
        `floor_price, ceiling_price, minimum_advertised_price, recommended_price, compare_at_price,
        lowest_price_30_days, changes_last_30_days, tried_low, tried_high, level_sd` (of the log of the units),
        `tax_rate` (tax in the price over the rest, which gains and margins are of; unknown: none is in it).
    limits : what the merchant allows.
    stock : DataFrame, optional
        `series_id` and optional `is_short` (the price is not lowered), `available, weeks_to_delivery,
        sell_by_weeks, salvage`: see `profit.StockView`.

    Returns
    -------
    DataFrame `series_id, price, old_price, gain_low, gain_mid, gain_high` (money a month),
    `chance_it_helps, binding_limit, clamp_trail, units_then, compare_at_price` (that may stand beside the price;
    NaN: none), `abstained_because, curve`.

    Raises
    ------
    ValueError
        If a series of the catalogue was not fitted.

    Examples
    --------
    At an elasticity near -2.2 and a cost of 14 the best price is 14 x 2.2 / 1.2 = 25.7; the merchant allows
    steps of a tenth:

    >>> from shopify_app.analytics.prices.elasticity import fit_price_response
    >>> weeks = np.datetime64("2025-01-06", "s") + np.arange(24) * np.timedelta64(7, "D")
    >>> price = np.full((6, 24), 20.0)
    >>> for row in range(6):
    ...     price[row, 6 + 2 * row : 14 + row] = 18.0
    >>> panel = pd.DataFrame({"series_id": np.repeat([f"p{n}" for n in range(6)], 24)})
    >>> panel["period"], panel["price"] = np.tile(weeks, 6), price.ravel()
    >>> panel["units"], panel["unit_cost"] = np.round(400 * (panel["price"] / 20) ** -2), 14.0
    >>> catalogue = pd.DataFrame({"series_id": [f"p{n}" for n in range(6)], "price": 20.0})
    >>> catalogue["unit_cost"], catalogue["units_per_month"] = 14.0, 1733.0
    >>> found = suggest_prices(fit_price_response(panel), catalogue, PriceLimits(max_step=0.1))
    >>> found["price"].tolist(), found["binding_limit"].unique().tolist()
    ([22.0, 22.0, 22.0, 22.0, 22.0, 22.0], ['max_price_step'])
    """
    row_of = {series: number for number, series in enumerate(response.table["series_id"])}
    if missing := [series for series in catalogue["series_id"] if series not in row_of]:
        raise ValueError(f"not fitted: {missing[:3]}")
    stocks = (
        {}
        if stock is None
        else {row.series_id: StockView.of(row) for row in stock.itertuples(index=False)}
    )
    cases = [
        _case(response, row_of[row.series_id], row, limits, stocks.get(row.series_id))
        for row in catalogue.itertuples(index=False)
    ]
    _choose_together([one for one in cases if isinstance(one, _Case)], catalogue, limits)
    return pd.DataFrame([one.found if isinstance(one, _Case) else one for one in cases])


def _case(
    response: PriceResponse,
    number: int,
    row: Any,
    limits: PriceLimits,
    stock: StockView | None,
) -> _Case | dict[str, Any]:
    """The `_Case` of one series, or its row with the reason for nothing."""
    found = _nothing(row)
    found["abstained_because"] = _reason_to_abstain(response, number, row, limits)
    if found["abstained_because"]:
        return found
    rules = price_rules.bounds(row, limits, may_fall=stock is None or not stock.is_short)
    prices = price_rules.candidates(row.price, rules, limits)
    if limits.keeps_compare_at:
        prices = prices[[_keeps(float(price), row, limits) for price in prices]]
        if not len(prices):
            return {**found, "abstained_because": "would_show_a_false_reduction"}
    if not len(prices):
        return {**found, "abstained_because": "no_room_inside_limits"}
    belief = _Belief(response.posterior[number], response.flatter[number])
    answer = _answer(prices, row, belief, stock)
    found["curve"] = _curve(answer, row, stock)
    margin = row.price / price_rules.taxed_share(row) - row.unit_cost
    least = limits.min_gain_share * row.units_per_month * max(margin, 0.01)
    # One by one a price may be less sure than the average must be: the average is held in
    # `_sure_together`.
    allowed = (answer.chance >= min(limits.least_chance, limits.min_chance)) & (
        answer.mean >= least
    )
    if not allowed.any():
        return {**found, "abstained_because": "not_sure_enough"}
    return _Case(found, row, belief, answer, allowed, rules, stock)


def _nothing(row: Any) -> dict[str, Any]:
    """A row that proposes nothing."""
    return {
        "series_id": row.series_id,
        "price": np.nan,
        "old_price": row.price,
        "gain_low": 0.0,
        "gain_mid": 0.0,
        "gain_high": 0.0,
        "chance_it_helps": 0.0,
        "binding_limit": None,
        "clamp_trail": [],
        "units_then": row.units_per_month,
        "compare_at_price": np.nan,
        "abstained_because": None,
        "curve": [],
    }


def _answer(prices: np.ndarray, row: Any, belief: _Belief, stock: StockView | None) -> _Answer:
    """The gains of some prices under each elasticity."""
    # Constant elasticity: units x (new / old) ^ elasticity, for every elasticity of the grid.
    units = row.units_per_month * (prices[:, None] / row.price) ** GRID[None, :]
    net = prices / price_rules.taxed_share(row)
    gain = monthly_profit(net, units, row.unit_cost, stock) - _profit_today(row, stock)
    weights = belief.of(prices, row.price)
    # P(gain > 0) under the posterior of the elasticity.
    chance = _believed(((gain > 0) * weights).sum(axis=1))
    return _Answer(prices, gain, units, weights, (gain * weights).sum(axis=1), chance)


def _profit_today(row: Any, stock: StockView | None) -> float:
    """Gross profit a month at today's price."""
    price = np.array([row.price / price_rules.taxed_share(row)])
    units = np.full((1, 1), row.units_per_month)
    return float(monthly_profit(price, units, row.unit_cost, stock)[0, 0])


def _believed(chance: np.ndarray) -> np.ndarray:
    """Calibrated probabilities of a gain; those below one half are left."""
    # Platt-style recalibration: slope on the log odds, only where a gain is likelier than not.
    odds = BELIEVED * logit(np.clip(chance, 1e-9, 1 - 1e-9))
    return np.where(chance > 0.5, expit(odds), chance)


def _proposal(case: _Case, best: int, limits: PriceLimits) -> dict[str, Any]:
    """The columns of a price that is proposed."""
    answer, row = case.answer, case.row
    weights = answer.weights[best]
    price, mean = float(answer.prices[best]), float(answer.mean[best])
    low, high = _tenths(*_with_level(answer.gain[best], weights, row))
    binding, steps = price_rules.trail(
        _wish(row, case.belief, case.stock), price, case.rules, limits.minor_digits
    )
    return {
        "price": price,
        "gain_mid": mean,
        "gain_low": min(low, mean),
        "gain_high": max(high, mean),
        "chance_it_helps": float(answer.chance[best]),
        "binding_limit": binding,
        "clamp_trail": steps,
        "units_then": float(answer.units[best] @ weights),
        "compare_at_price": price_rules.lawful_compare_at(
            price,
            price_rules.value_of(row, "compare_at_price"),
            price_rules.value_of(row, "lowest_price_30_days"),
            limits,
        ),
    }


def _wish(row: Any, belief: _Belief, stock: StockView | None) -> float:
    """The price of largest expected gain if nothing held it."""
    wide = row.price * np.linspace(1 - WISH_RANGE, 1 + WISH_RANGE, WISH_STEPS)
    return float(wide[int(np.argmax(_answer(wide, row, belief, stock).mean))])


def _keeps(price: float, row: Any, limits: PriceLimits) -> bool:
    """True if the compare-at price as it is would be true beside a price."""
    shown = price_rules.value_of(row, "compare_at_price")
    if not shown > price:
        return True
    lawful = price_rules.lawful_compare_at(
        price, shown, price_rules.value_of(row, "lowest_price_30_days"), limits
    )
    return abs(lawful - shown) < 1e-9


def _reason_to_abstain(
    response: PriceResponse, number: int, row: Any, limits: PriceLimits
) -> str | None:
    """A code where nothing should be said, the plainest reason first; else None."""
    if limits.is_closed:
        return "prices_frozen"
    if not np.isfinite(row.unit_cost):
        return "no_cost"
    if row.price <= 0 or row.units_per_month <= 0:
        return "no_sales"
    if price_rules.value_of(row, "changes_last_30_days") >= limits.changes_per_month:
        return "changed_lately"
    return _unknown(response, number)


def _unknown(response: PriceResponse, number: int) -> str | None:
    """A code where a response cannot be built on; else None."""
    if response.table["events"].to_numpy()[number] < LEAST_EVENTS:
        return "too_few_price_changes"
    if response.table["information"].to_numpy()[number] < LEAST_INFORMATION:
        return "too_few_sales"
    rising = float(response.posterior[number][GRID > 0].sum())
    if response.shop_elasticity > SHOP_REVERSED or rising > REVERSED_CHANCE:
        return "response_not_understood"
    return None


def _choose_together(cases: list[_Case], catalogue: pd.DataFrame, limits: PriceLimits) -> None:
    """Nothing; fills in the prices that together gain most, are sure enough, and keep the shop's limits."""
    revenues = (catalogue["price"] * catalogue["units_per_month"]).to_numpy(float)
    revenue_of = dict(zip(catalogue["series_id"], revenues.tolist(), strict=True))
    whole = max(float(np.nansum(revenues)), 1e-9)
    kept: list[_Case] = []
    for case, best in zip(cases, _sure_together(cases, 1 - limits.min_chance), strict=True):
        if best is None:
            case.found["abstained_because"] = "not_sure_enough"
        else:
            case.found.update(_proposal(case, best, limits))
            kept.append(case)
    # The shop's caps are filled greedily, the largest gains first.
    kept.sort(key=lambda one: -one.found["gain_mid"])
    changed, count = 0.0, 0
    for case in kept:
        revenue = revenue_of[case.row.series_id]
        if limits.max_changes is not None and count >= limits.max_changes:
            _withdraw(case.found, "enough_changes_at_once")
        elif changed + revenue > limits.max_revenue_share * whole + 1e-9:
            _withdraw(case.found, "enough_revenue_under_change")
        else:
            changed, count = changed + revenue, count + 1


def _sure_together(cases: list[_Case], most_harm: float) -> list[int | None]:
    """Index of the price chosen of each case, None for none: most gain with a mean probability of harm within `most_harm`.

    Harm above `most_harm` is charged, and below it credited, at one multiplier for all products (Everett 1963);
    the lowest multiplier at which the whole is sure enough is taken.
    """

    def chosen(charge: float) -> tuple[list[int | None], float]:
        picks: list[int | None] = []
        over = 0.0
        for case in cases:
            harm = 1 - case.answer.chance - most_harm
            # Lagrangian: gain - lambda (P(harm) - allowed), maximised product by product.
            worth = np.where(case.allowed, case.answer.mean - charge * harm, -np.inf)
            best = int(np.argmax(worth))
            picks.append(best if worth[best] > 0 else None)
            over += float(harm[best]) if worth[best] > 0 else 0.0
        return picks, over

    picks, over = chosen(0.0)
    if over <= 0:
        return picks
    # Bracket of the multiplier: at the upper end even one per mille of harm outweighs the best
    # gain.
    low, high = 0.0, 1e3 * max(float(case.answer.mean.max()) for case in cases)
    for _ in range(50):
        middle = (low + high) / 2 if low else high * 1e-6
        low, high = (middle, high) if chosen(middle)[1] > 0 else (low, middle)
        if high - low < 1e-3 * high:
            break
    return chosen(high)[0]


def _withdraw(one: dict[str, Any], reason: str) -> None:
    """Nothing; takes a proposal back, with the reason."""
    curve = one["curve"]
    one |= {
        "price": np.nan,
        "gain_low": 0.0,
        "gain_mid": 0.0,
        "gain_high": 0.0,
        "chance_it_helps": 0.0,
        "binding_limit": None,
        "clamp_trail": [],
        "compare_at_price": np.nan,
        "abstained_because": reason,
        "curve": curve,
    }


def _with_level(
    gains: np.ndarray, posterior: np.ndarray, row: Any
) -> tuple[np.ndarray, np.ndarray]:
    """(gains (g x nodes,), their weights) with the uncertainty of the level of demand."""
    spread = price_rules.value_of(row, "level_sd")
    if not spread > 0:
        return gains, posterior
    # Log-normal level of mean 1: exp(s z - s^2 / 2).
    factors = np.exp(spread * LEVEL_NODES - spread**2 / 2)
    weights = LEVEL_WEIGHTS / LEVEL_WEIGHTS.sum()
    return np.outer(gains, factors).ravel(), np.outer(posterior, weights).ravel()


def _tenths(gains: np.ndarray, posterior: np.ndarray) -> tuple[float, float]:
    """(10 %, 90 %) quantiles of gains (g,)."""
    order = np.argsort(gains)
    cumulative = posterior[order].cumsum()
    low, high = (
        gains[order][min(int(np.searchsorted(cumulative, level)), len(gains) - 1)]
        for level in TENTHS
    )
    return float(low), float(high)


def _curve(answer: _Answer, row: Any, stock: StockView | None) -> list[dict[str, float]]:
    """Monthly gross profit along the candidate prices, with its 80 % range."""
    base = _profit_today(row, stock)
    points: list[dict[str, float]] = []
    for price, gains, weights, mean in zip(
        answer.prices, answer.gain, answer.weights, answer.mean, strict=True
    ):
        low, high = _tenths(gains, weights)
        points.append(
            {
                "price": float(price),
                "profit": round(float(base + mean), 2),
                "profit_low": round(base + low, 2),
                "profit_high": round(base + high, 2),
            }
        )
    return points
