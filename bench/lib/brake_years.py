"""A kind of price suggestion taken again and again in a simulated shop, with the brake at the table.

In:  a `PriceShop`, what the adviser believes of elasticities.
Out: what was accepted, what it truly earned, when the brake stopped it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bench.lib.price_shops import FIRST_WEEK, PriceShop
from shopify_app.analytics.outcomes import (
    WINDOW_PERIODS,
    Decision,
    Registration,
    judge,
    register,
)
from shopify_app.analytics.outcomes.brake import judge_kind, worst_loss

WEEKS: Final = 36
STEP: Final = 0.10
A_WEEK: Final = 2
"""Suggestions a merchant accepts a week, if the brake lets him."""

LOOK_WEEKS: Final = 2
CAP_SHARE: Final = 0.05
"""The cap, as a share of the shop's monthly gross profit."""

WEEK: Final = np.timedelta64(7, "D")


@dataclass
class Accepted:
    """A decision, its product, its prices; what it truly gained so far."""

    registration: Registration
    row: int
    new_price: float
    loses: bool


@dataclass
class BrakeYear:
    """What came of a kind."""

    accepted: int
    losers: int
    gained: float
    cap: float
    stopped_in: int | None
    reason: str
    waited_weeks: int
    helps: bool


def live_with_brake(shop: PriceShop, believed: np.ndarray, kind: str, seed: int) -> BrakeYear:
    """Accept what an adviser who believes elasticities (n,) suggests, as long as the brake allows."""
    rng = np.random.default_rng(seed)
    queue = _suggestions(shop, believed, kind)
    price, units = shop.price_now.copy(), shop.units.copy()
    cap = CAP_SHARE * float(shop.monthly_profit(shop.price_now).sum())
    accepted: list[Accepted] = []
    year = BrakeYear(0, 0, 0.0, cap, None, "", 0, helps=_helps(shop, queue))
    for week in range(WEEKS):
        now = shop.weeks + week
        if year.stopped_in is None and week % LOOK_WEEKS == 0:
            ruling = judge_kind(
                kind,
                _running(units, accepted),
                loss_cap=cap,
                open_risks=[_risk(shop, units, a.row, a.new_price, LOOK_WEEKS) for a in accepted],
            )
            year.waited_weeks += LOOK_WEEKS * (ruling.ruling == "wait")
            if ruling.ruling == "stop":
                year.stopped_in, year.reason = week, ruling.reason
                price = shop.price_now.copy()
            fitting = [
                (row, new)
                for row, new in queue
                if _risk(shop, units, row, new, WINDOW_PERIODS) <= ruling.risk_room
            ]
            for row, new in fitting[: min(ruling.may_open, LOOK_WEEKS * A_WEEK)]:
                accepted.append(_accept(shop, units, accepted, row, new, kind))
                price[row] = new
                queue.remove((row, new))
        year.gained += float(
            (shop.expected(now, price) * (price - shop.unit_cost)).sum()
            - (shop.expected(now, shop.price_now) * (shop.price_now - shop.unit_cost)).sum()
        )
        units = np.c_[units, shop.sell(now, price, rng)]
    year.accepted, year.losers = len(accepted), sum(a.loses for a in accepted)
    return year


def _gain(shop: PriceShop, row: int, new: float, elasticity: float) -> float:
    old, cost = shop.price_now[row], shop.unit_cost[row]
    return float((new / old) ** elasticity * (new - cost) / (old - cost) - 1)


def _suggestions(shop: PriceShop, believed: np.ndarray, kind: str) -> list[tuple[int, float]]:
    """(product, new price), the products with most believed gain in money first."""
    factor = 1 + STEP if kind == "price_rise" else 1 - STEP
    new = np.round(shop.price_now * factor, 2)
    worth = shop.units[:, -13:].mean(axis=1) * (shop.price_now - shop.unit_cost)
    share = np.array([_gain(shop, row, new[row], believed[row]) for row in range(len(new))])
    able = np.flatnonzero((share > 0.01) & (new > shop.unit_cost * 1.03) & (worth > 0))
    order = able[np.argsort(-(share * worth)[able])]
    return [(int(row), float(new[row])) for row in order]


def _helps(shop: PriceShop, queue: list[tuple[int, float]]) -> bool:
    """Whether the kind truly earns, over all it would suggest."""
    weight = shop.units[:, -13:].mean(axis=1) * (shop.price_now - shop.unit_cost)
    return sum(weight[row] * _gain(shop, row, new, shop.elasticity[row]) for row, new in queue) > 0


def _history(units: np.ndarray) -> pd.DataFrame:
    since = max(units.shape[1] - 80, 0)
    row, column = np.nonzero(units[:, since:])
    return pd.DataFrame(
        {
            "series_id": row.astype(str),
            "period": FIRST_WEEK + (since + column) * WEEK,
            "units": units[row, since + column],
        }
    )


def _accept(
    shop: PriceShop,
    units: np.ndarray,
    accepted: list[Accepted],
    row: int,
    new: float,
    kind: str,
) -> Accepted:
    cost = shop.unit_cost[row]
    decision = Decision(
        f"{kind}/{row}", str(row), kind, float(shop.price_now[row] - cost), float(new - cost)
    )
    (registration,) = register(
        _history(units),
        [decision],
        first_on=FIRST_WEEK + units.shape[1] * WEEK,
        under_change=[str(a.row) for a in accepted],
    )
    return Accepted(registration, row, new, _gain(shop, row, new, shop.elasticity[row]) < 0)


def _running(units: np.ndarray, accepted: list[Accepted]) -> list:  # type: ignore[type-arg]
    if not accepted:
        return []
    return judge(
        _history(units),
        [a.registration for a in accepted],
        as_of=FIRST_WEEK + units.shape[1] * WEEK,
        changed=[str(a.row) for a in accepted],
        is_running=True,
    )


def _risk(shop: PriceShop, units: np.ndarray, row: int, new: float, weeks: int) -> float:
    """What a decision may lose over some weeks at worst."""
    old, cost = shop.price_now[row], shop.unit_cost[row]
    weekly = float(units[row, -13:].mean() * (old - cost))
    return worst_loss(weekly, weeks, price_change=new / old - 1, margin_share=(old - cost) / old)
