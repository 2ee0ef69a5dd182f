"""What a purse buys: profit of one order per product, as a share of a clairvoyant's with the same money.

Peers in the same run: the rivals' order scaled to the purse, products by revenue until it is empty (ABC), and our
own expected demand scaled. Then 100 random small cases against the best of all plans.
"""

import itertools
from typing import Final

import numpy as np
import pandas as pd

from bench.lib import data, report, stock_sets
from bench.lib.report import Target
from shopify_app.analytics import demand
from shopify_app.analytics.orders import budget, replenishment
from shopify_app.analytics.orders.rules import Choices

LEAD: Final = 4
REVIEW: Final = 1
SPAN: Final = LEAD + REVIEW
ORIGINS: Final = 5
GAP: Final = 6
MOST_SERIES: Final = 3_000
SHARES: Final = {0.3: 0.83, 0.6: 0.82, 1.0: 0.82}
"""Purse as a share of what the clairvoyant needs -> target."""

HOLDING: Final = stock_sets.HOLDING_A_WEEK
MARGIN: Final = stock_sets.MARGIN


def main() -> int:
    """Buy once at each origin with each purse."""
    arguments = report.arguments(__doc__ or "")
    folder = arguments.data
    table = stock_sets.wide(data.retail_orders(folder))
    lines = data.read(folder, "online_retail_2_lines")
    prices = lines[lines["unit_price"] > 0].groupby("stock_code")["unit_price"].median()
    shares: dict[float, list[dict[str, float]]] = {share: [] for share in SHARES}
    steps: list[float] = []
    for number in range(ORIGINS):
        now = table.shape[1] - SPAN - GAP * number
        for share, found, step in _origin(table, prices, now, arguments.seed):
            shares[share].append(found)
            steps.append(step)
    print(f"{'purse':<10}" + "".join(f"{name:>22}" for name in shares[0.3][0]))
    means: dict[float, float] = {}
    for share, rows in shares.items():
        mean = pd.DataFrame(rows).mean()
        print(f"{share:<10}" + "".join(f"{value:>22.3f}" for value in mean))
        means[share] = float(mean["keel"])
    worst = _small_cases(arguments.seed)
    targets = [
        Target(
            f"share of clairvoyant profit at {share:g} of the need",
            means[share],
            low=limit,
        )
        for share, limit in SHARES.items()
    ]
    targets.append(Target("small cases: worst value / best of all plans", worst, low=0.98))
    targets.append(Target("largest rise of the curve's slope", max(steps), high=1e-9))
    return report.finish("budget", targets, seed=arguments.seed)


def _origin(
    table: pd.DataFrame, prices: pd.Series, now: int, seed: int
) -> list[tuple[float, dict[str, float], float]]:
    """(purse's share, share of clairvoyant profit by policy, largest rise of the curve's slope)."""
    past = table.iloc[:, :now]
    alive = np.flatnonzero(past.to_numpy()[:, -26:].sum(axis=1) > 0)
    rows = np.sort(np.random.default_rng(seed).permutation(alive)[:MOST_SERIES])
    past = past.iloc[rows]
    wanted = table.iloc[rows, now : now + SPAN].to_numpy().sum(axis=1)
    cost = prices.reindex(past.index).fillna(float(prices.median())).to_numpy(float)
    orders = _Orders(past, cost)
    need = float((wanted * cost).sum())
    found: list[tuple[float, dict[str, float], float]] = []
    for share in SHARES:
        purse = share * need
        best = _profit(_by_worth(wanted, cost, purse), wanted, cost)
        plan = orders.keel(purse)
        slopes = (
            np.diff(plan.curve.value) / np.diff(plan.curve.money) if plan.curve else np.zeros(2)
        )
        policies = {
            "keel": plan.units,
            "rival's order scaled": _scaled(orders.rival, cost, purse),
            "rival's by revenue": _by_worth(orders.rival, cost, purse, orders.revenue),
            "our mean scaled": _scaled(orders.mean, cost, purse),
        }
        shares = {name: _profit(units, wanted, cost) / best for name, units in policies.items()}
        found.append((share, shares, float(np.diff(slopes).max(initial=0.0))))
    return found


class _Orders:
    """What each policy would buy at an origin."""

    def __init__(self, past: pd.DataFrame, cost: np.ndarray) -> None:
        units = past.to_numpy(float)
        self._cost = cost
        recent = units[:, -13:]
        deviation = recent.std(axis=1) * np.sqrt(SPAN)
        self.rival = np.ceil(SPAN * recent.mean(axis=1) + 1.65 * deviation)
        self.revenue = recent.sum(axis=1) * cost
        first = (units > 0).argmax(axis=1)
        row, column = np.nonzero(np.arange(units.shape[1])[None, :] >= first[:, None])
        history = pd.DataFrame(
            {
                "series_id": row,
                "period": past.columns.to_numpy()[column],
                "units": units[row, column],
            }
        )
        self._forecast = demand.forecast_demand(history, horizon=2 * SPAN)
        self.mean = self._forecast.mean[:, :SPAN].sum(axis=1)

    def keel(self, purse: float) -> replenishment.OrderPlan:
        """One order that must last the whole span: there at once, reviewed at its end."""
        return replenishment.order_quantities(
            self._forecast,
            on_hand=np.zeros(len(self._cost)),
            incoming=np.zeros(len(self._cost)),
            lead_time=np.asarray(0),
            review_periods=np.asarray(SPAN),
            holding_cost=HOLDING * self._cost,
            shortage_cost=MARGIN * self._cost,
            unit_cost=self._cost,
            budget=purse,
        )


def _profit(units: np.ndarray, wanted: np.ndarray, cost: np.ndarray) -> float:
    """Margin of what sells, less the holding of what is left over for the span."""
    sold = np.minimum(units, wanted)
    return float((cost * (MARGIN * sold - HOLDING * SPAN * (units - sold))).sum())


def _scaled(units: np.ndarray, cost: np.ndarray, purse: float) -> np.ndarray:
    """Every order cut by the same share, whole units, the rest spent from the largest cut on."""
    share = min(purse / max(float((units * cost).sum()), 1e-9), 1.0)
    whole = np.floor(units * share)
    left = purse - float((whole * cost).sum())
    for row in np.argsort(-(units * share - whole)):
        if whole[row] < units[row] and cost[row] <= left:
            whole[row], left = whole[row] + 1, left - cost[row]
    return whole


def _by_worth(
    units: np.ndarray, cost: np.ndarray, purse: float, worth: np.ndarray | None = None
) -> np.ndarray:
    """Whole orders from the worthiest on; all units earn the same per money, so any order of them is best."""
    order = np.argsort(cost if worth is None else -worth, kind="stable")
    found, left = np.zeros(len(units)), purse
    for row in order:
        found[row] = min(units[row], np.floor(left / cost[row] + 1e-9))
        left -= found[row] * cost[row]
    return found


def _small_cases(seed: int) -> float:
    """Worst share of the best plan's value over 100 random cases of packs, minimums and prices."""
    rng = np.random.default_rng(seed)
    worst = 1.0
    for _ in range(100):
        choices = _case(rng)
        purse = rng.uniform(0.1, 0.9) * float(choices.at(choices.best(), choices.money).sum())
        chosen = budget.within_budget(choices, purse)
        every = np.array(list(itertools.product(range(choices.units.shape[1]), repeat=5)))
        line = np.arange(5)
        money = choices.money[line, every].sum(axis=1)
        best = float(choices.value[line, every].sum(axis=1)[money <= purse + 1e-9].max())
        worst = min(
            worst, float(choices.at(chosen, choices.value).sum()) / best if best > 0 else 1.0
        )
    return worst


def _case(rng: np.random.Generator) -> Choices:
    units, value, money = np.zeros((3, 5, 6))
    for line in range(5):
        pack, least = rng.integers(1, 7), rng.integers(0, 3)
        steps = np.arange(1, 6) + least
        gains = np.sort(rng.exponential(10.0, 5 + least) - 2.0)[::-1]
        units[line, 1:] = pack * steps
        value[line, 1:] = gains.cumsum()[steps - 1]
        money[line] = units[line] * rng.uniform(0.5, 30.0)
    return Choices(units, value, money)


if __name__ == "__main__":
    raise SystemExit(main())
