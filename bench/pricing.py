"""`./run bench pricing`: one round of price advice on simulated shops with thin, mid and rich histories.

Every cell is a history (how often prices moved) and an endogeneity (how far past prices followed demand), `--shops` shops of 400
products and 104 weeks each. Advice may move a price by 15 %. Peers: log-log least squares of each product with the
best price at its slope; the same at the literature's elasticity; cost-plus (every product at the shop's median
markup). Gains are true expected gross profit over the next 13 weeks, over the oracle's. False confidence: shops
whose prices never moved, whose demand does not answer, or rises with the price.
"""

import time
from typing import Any, Final

import numpy as np
import pandas as pd

from bench.lib.price_shops import CHANGES, RANGE, WEEKS_PER_MONTH, PriceShop, make_shop
from bench.lib.report import Target, arguments, finish
from shopify_app.analytics.prices.elasticity import PriceResponse, fit_price_response
from shopify_app.analytics.prices.pricing import PriceLimits, suggest_prices
from shopify_app.analytics.prices.prior import PRIOR_MEAN

CELLS: Final = tuple((history, k) for history in ("thin", "mid", "rich") for k in (0.0, 0.8))
FALSE_CELLS: Final = (
    ("unmoved", 0.0, "usual"),
    *(
        (history, k, response)
        for response in ("flat", "reversed")
        for history in ("thin", "rich")
        for k in (0.0, 0.8)
    ),
)
ORACLE_SHARE: Final = {"thin": 0.20, "mid": 0.35, "rich": 0.45}
LOSS_CAP: Final = 0.005
"""Of a shop's gross profit: what advice may cost a shop whose prices say nothing."""

LIMITS: Final = PriceLimits(max_step=RANGE, margin_floor=0.0)


def advice(shop: PriceShop) -> tuple[PriceResponse, pd.DataFrame]:
    """Ours: the response, and the suggestions at the level it sees."""
    response = fit_price_response(shop.panel())
    level = response.table["units_per_week"].to_numpy() * WEEKS_PER_MONTH
    catalogue = shop.catalogue().assign(
        units_per_month=level, level_sd=response.table["level_sd"].to_numpy()
    )
    return response, suggest_prices(response, catalogue, LIMITS)


def best_at(shop: PriceShop, elasticity: np.ndarray) -> np.ndarray:
    """The best price within the step if these were the elasticities, (n,)."""
    ratio = np.linspace(1 - RANGE, 1 + RANGE, 61)
    price = shop.price_now[:, None] * ratio
    profit = (price - shop.unit_cost[:, None]) * ratio ** elasticity[:, None]
    return np.take_along_axis(price, profit.argmax(axis=1)[:, None], axis=1)[:, 0]


def own_slopes(shop: PriceShop) -> np.ndarray:
    """Log-log least squares of each product; the literature's where a price never moved."""
    x, y = np.log(shop.price), np.log(shop.units + 0.5)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    squares = (x**2).sum(axis=1)
    return np.where(squares > 1e-4, (x * y).sum(axis=1) / np.maximum(squares, 1e-4), PRIOR_MEAN[0])


def cost_plus(shop: PriceShop) -> np.ndarray:
    """Every product at the shop's median markup, within the step."""
    markup = np.median(shop.price_now / shop.unit_cost)
    return np.clip(
        shop.unit_cost * markup, shop.price_now * (1 - RANGE), shop.price_now * (1 + RANGE)
    )


def gains(shop: PriceShop, price: np.ndarray) -> np.ndarray:
    """True change of monthly gross profit of every product, (n,)."""
    return shop.monthly_profit(price) - shop.monthly_profit(shop.price_now)


def score(shop: PriceShop) -> dict[str, dict[str, float]]:
    """Every method on one shop."""
    response, found = advice(shop)
    made = found["price"].notna().to_numpy()
    price = np.where(made, found["price"].fillna(0.0), shop.price_now)
    oracle = gains(shop, shop.best_price()).sum()
    table = response.table
    gain = gains(shop, price)
    truth = shop.elasticity
    result = {
        "ours": _line(gain, made, oracle)
        | {
            "predicted": float(found["gain_mid"].sum()),
            "realised": float(gain[made].sum()),
            "cover": float(((table["low"] <= truth) & (truth <= table["high"])).mean()),
            "rmse": float(np.sqrt(((table["elasticity"] - truth) ** 2).mean())),
            "of_profit": float(gain.sum() / shop.monthly_profit(shop.price_now).sum()),
        }
    }
    peers = {
        "own regression": best_at(shop, own_slopes(shop)),
        "prior alone": best_at(shop, np.full(len(truth), PRIOR_MEAN[0])),
        "cost-plus": cost_plus(shop),
    }
    for name, proposed in peers.items():
        moved = np.abs(proposed / shop.price_now - 1) > 0.005
        result[name] = _line(gains(shop, proposed), moved, oracle)
    return result


def _line(gain: np.ndarray, made: np.ndarray, oracle: float) -> dict[str, float]:
    return {
        "made": float(made.sum()),
        "losing": float((gain[made] < 0).sum()),
        "products": float(len(gain)),
        "gain": float(gain[made].sum()),
        "oracle": float(oracle),
    }


def cell(
    history: str, endogeneity: float, response: str, shops: int
) -> dict[str, dict[str, float]]:
    """Means over a cell's shops."""
    scores = [
        score(make_shop(history, seed=seed, endogeneity=endogeneity, response=response))
        for seed in range(shops)
    ]
    result: dict[str, dict[str, float]] = {}
    for name in scores[0]:
        lines = pd.DataFrame([one[name] for one in scores])
        total = lines.sum()
        result[name] = {
            "suggests": total["made"] / total["products"],
            "losing_share": total["losing"] / max(total["made"], 1),
            "oracle_share": float((lines["gain"] / lines["oracle"]).mean()),
        }
        if name == "ours":
            result[name] |= {
                "realised_over_predicted": total["realised"] / max(total["predicted"], 1e-9),
                "cover": float(lines["cover"].mean()),
                "rmse": float(lines["rmse"].mean()),
                "within_cap": float((lines["of_profit"] >= -LOSS_CAP).mean()),
            }
    return result


def _targets(name: str, history: str, ours: dict[str, float]) -> list[Target]:
    share, ratio = ours["oracle_share"], ours["realised_over_predicted"]
    least = ORACLE_SHARE[history]
    return [
        Target(f"{name}: losing share", ours["losing_share"], high=0.10),
        Target(f"{name}: of the oracle's gain", share, low=least),
        Target(f"{name}: 80 % ranges cover", ours["cover"], low=0.77, high=0.85),
        Target(f"{name}: realised / predicted", ratio, low=0.8, high=1.25),
    ]


def report(shops: int) -> tuple[dict[str, Any], list[Target]]:
    """All values, and the targets."""
    values: dict[str, Any] = {}
    targets: list[Target] = []
    print(
        f"{'':34}{'suggests':>9}{'losing':>8}{'oracle':>8}{'real/pred':>10}{'cover':>7}{'rmse':>6}"
    )
    for history, k in CELLS:
        started = time.monotonic()
        name = f"{history}, endogeneity {k}"
        values[name] = found = cell(history, k, "usual", shops)
        for method, line in found.items():
            more = (
                f"{line['realised_over_predicted']:10.2f}{line['cover']:7.2f}{line['rmse']:6.2f}"
                if method == "ours"
                else ""
            )
            print(
                f"{name if method == 'ours' else '':18}{method:>16}{line['suggests']:9.2f}"
                f"{line['losing_share']:8.2f}{line['oracle_share']:8.2f}{more}"
            )
        print(f"{'':18}({time.monotonic() - started:.0f} s)", flush=True)
        targets += _targets(name, history, found["ours"])
    within = []
    for history, k, response in FALSE_CELLS:
        name = f"{history}, endogeneity {k}, {response}"
        values[name] = found = cell(history, k, response, max(shops // 2, 2))
        within.append(found["ours"]["within_cap"])
        print(
            f"{name:40} suggests {found['ours']['suggests']:.3f}, within the cap {within[-1]:.2f}"
        )
    kept = float(np.mean(within))
    targets.append(Target("false confidence: shops within the cap", kept, low=0.95))
    return values, targets


def main() -> int:
    """Run the benchmark; 0 if every target is met."""
    chosen = arguments(__doc__ or "", shops=(int, 6, "shops a cell"))
    print("price changes a product:", CHANGES)
    values, targets = report(chosen.shops)
    return finish("pricing", targets, figures=values)


if __name__ == "__main__":
    raise SystemExit(main())
