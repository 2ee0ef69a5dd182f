"""A thousand random newsvendors against stockpyl's: demand Poisson, negative binomial or normal-like, an order at once.

What our order costs is compared with what stockpyl's costs, under the same demand.
"""

from typing import Final

import numpy as np
from scipy import stats
from stockpyl.newsvendor import newsvendor_discrete, newsvendor_poisson

from bench.lib.report import Target, arguments, finish
from shopify_app.analytics.demand import SPANS, DemandForecast
from shopify_app.analytics.orders.replenishment import order_quantities

CASES: Final = 1_000
TOLERANCE: Final = 1e-3


def main() -> int:
    """Count the cases within the tolerance."""
    options = arguments(__doc__ or "")
    rng = np.random.default_rng(options.seed)
    rate = np.exp(rng.uniform(-1.5, 4.5, CASES))
    spread = rng.choice([0.0, 0.2, 1.0, 3.0], CASES)
    holding, shortage = np.exp(rng.uniform(-3, 0, CASES)), np.exp(rng.uniform(-1, 4, CASES))
    plan = order_quantities(
        DemandForecast(
            np.arange(CASES),
            rate[:, None],
            np.repeat(spread[:, None], len(SPANS), axis=1),
            np.ones(CASES),
        ),
        on_hand=np.zeros(CASES),
        incoming=np.zeros(CASES),
        lead_time=np.asarray(0),
        review_periods=np.asarray(1),
        holding_cost=holding,
        shortage_cost=shortage,
    )
    gaps = np.array(
        [
            _gap(plan.units[row], rate[row], spread[row], holding[row], shortage[row])
            for row in range(CASES)
        ]
    )
    print(
        f"{CASES} newsvendors: {np.sum(gaps <= TOLERANCE)} within {TOLERANCE}, worst {gaps.max():.2e}"
    )
    targets = [
        Target(
            "newsvendors within 1e-3 of stockpyl",
            float(np.sum(gaps <= TOLERANCE)),
            low=CASES,
        )
    ]
    return finish("order quantities against stockpyl", targets, seed=options.seed)


def _gap(units: float, rate: float, spread: float, holding: float, shortage: float) -> float:
    """By what share our order costs more than stockpyl's; negative where it costs less."""
    if spread == 0.0:
        demand = stats.poisson(rate)
        theirs = newsvendor_poisson(holding, shortage, rate)[0]
    else:
        demand = stats.nbinom(1 / spread, 1 / (1 + spread * rate))
        top = int(demand.ppf(1 - 1e-9)) + 2
        pmf = {units_: float(chance) for units_, chance in enumerate(demand.pmf(np.arange(top)))}
        theirs = newsvendor_discrete(holding, shortage, demand_pmf=pmf)[0]
    wanted = np.arange(int(demand.ppf(1 - 1e-10)) + 2)
    chance = demand.pmf(wanted)

    def cost(stock: float) -> float:
        left, short = np.maximum(stock - wanted, 0), np.maximum(wanted - stock, 0)
        return float(chance @ (holding * left + shortage * short))

    return cost(units) / cost(float(theirs)) - 1.0


if __name__ == "__main__":
    raise SystemExit(main())
