"""What advice that learns earns in a year, whether a test costs what was said, whether the brake holds.

`./run bench learning [--shops N] [--products N]`. Simulated shops with known truth (`bench.lib.price_shops`), so no data set
is read. Peers in the same run: keep prices (0 by definition), greedy and Thompson on the same posterior.
"""

import time
from typing import Any, Final

import numpy as np
import pandas as pd

from bench.lib.brake_years import BrakeYear, live_with_brake
from bench.lib.price_shops import PriceShop, make_shop
from bench.lib.price_years import Advice, Greedy, Policy, live, profit
from bench.lib.report import Target, arguments, finish
from shopify_app.analytics.price_tests.experiments import (
    SwitchbackPlan,
    evaluate_switchback,
    plan_switchback,
)
from shopify_app.analytics.prices.pricing import PriceLimits

HISTORIES: Final = ("thin", "mid", "rich", "unmoved")
ENDOGENEITY: Final = 0.5
BELIEF_SD: Final = 0.6
"""How far an adviser that truly helps is off in a product's elasticity."""


def main() -> int:
    """Print the tables, then one JSON line."""
    chosen = arguments(
        __doc__ or "",
        shops=(int, 3, "shops a cell"),
        products=(int, 120, "of a shop"),
        tests=(int, 40, "price tests a response"),
        brakes=(int, 24, "shops a kind"),
        seed=(int, 50, "of the first shop"),
    )
    started = time.process_time()
    values = {
        "year": years(chosen.shops, chosen.products, chosen.seed),
        "tests": price_tests(chosen.tests, chosen.seed),
        "brake": brakes(chosen.brakes, chosen.seed),
    }
    seconds = round(time.process_time() - started)
    _print(values)
    return finish("learning", _targets(values), figures=values, cpu_seconds=seconds)


# ---------------------------------------------------------------- a year


def years(shops: int, products: int, seed: int) -> list[dict[str, Any]]:
    """One row a history and policy."""
    policies: dict[str, Policy] = {
        "advice with a test first": Advice(tests=True),
        "advice alone": Advice(tests=False),
        "greedy": Greedy(),
        "Thompson": Greedy(draws=True),
    }
    rows: list[dict[str, Any]] = []
    for history in HISTORIES:
        made = [
            make_shop(history, seed=seed + k, n=products, endogeneity=ENDOGENEITY)
            for k in range(shops)
        ]
        for name, policy in policies.items():
            lived = [live(shop, policy, seed + k) for k, shop in enumerate(made)]
            moves = sum(year.moves for year in lived)
            tests = [test for year in lived for test in year.tests]
            rows.append(
                {
                    "history": history,
                    "policy": name,
                    "oracle_share": sum(y.gained for y in lived) / sum(y.oracle for y in lived),
                    "gain": sum(y.gained for y in lived) / sum(y.kept for y in lived),
                    "moves": moves / shops,
                    "losing": sum(y.losing for y in lived) / moves if moves else 0.0,
                    "test_cost_kept": (
                        float(np.mean([t.cost <= t.plan.maximum_cost for t in tests]))
                        if tests
                        else None
                    ),
                }
            )
    return rows


# ---------------------------------------------------------------- price tests


def price_tests(count: int, seed: int) -> list[dict[str, Any]]:
    """Tests of shops whose prices never moved: cost kept, ranges, precision."""
    rows: list[dict[str, Any]] = []
    for response in ("usual", "flat", "reversed"):
        found = [_one_test(response, seed + k) for k in range(count)]
        tests = [test for test in found if test is not None]
        frame = pd.DataFrame(tests)
        rows.append(
            {
                "response": response,
                "planned": len(tests) / count,
                "weeks": float(frame["weeks"].mean()),
                "cost_kept": float(frame["kept"].mean()),
                "cost_to_maximum": float((frame["cost"] / frame["maximum"]).mean()),
                "maximum_to_profit": float((frame["maximum"] / frame["profit"]).mean()),
                "drawn_cover_80": float(frame["covered"].mean()),
                "rmse": float(np.sqrt((frame["error"] ** 2).mean())),
                "says_no_answer": float((frame["p_value"] > 0.1).mean()),
            }
        )
    return rows


def _one_test(response: str, seed: int) -> dict[str, float] | None:
    shop = make_shop("unmoved", seed=seed, response=response, n=200)
    rng = np.random.default_rng(seed)
    catalogue = shop.catalogue().assign(units_per_week=shop.units[:, -13:].mean(axis=1))
    plan = plan_switchback(
        catalogue, PriceLimits(margin_floor=0.05, changes_per_month=2), seed=seed
    )
    if plan.abstained_because is not None:
        return None
    price = np.tile(shop.price_now[:, None].astype(float), (1, plan.weeks))
    for series, first, weeks, at in plan.schedule():
        price[int(series), first : first + weeks] = at
    cost, kept, reading, week = 0.0, 0.0, None, 0
    observed: list[pd.DataFrame] = []
    while week < plan.weeks:
        for _ in range(plan.block_weeks):
            now = shop.weeks + week
            kept += profit(shop, now, shop.price_now)
            cost += profit(shop, now, shop.price_now) - profit(shop, now, price[:, week])
            units = shop.sell(now, price[:, week], rng)
            observed.append(
                pd.DataFrame({"series_id": np.arange(200), "week": week, "units": units})
            )
            week += 1
        reading = evaluate_switchback(plan, pd.concat(observed))
        if reading.stop_because is not None:
            break
    return _test_row(shop, plan, reading, cost, kept)


def _test_row(
    shop: PriceShop, plan: SwitchbackPlan, reading: Any, cost: float, kept: float
) -> dict[str, float]:
    truth = float(np.mean([shop.elasticity[int(s.series_id)] for s in plan.series]))
    return {
        "weeks": reading.weeks_seen,
        "kept": cost <= plan.maximum_cost,
        "cost": cost,
        "maximum": plan.maximum_cost,
        "profit": kept,
        "covered": reading.drawn_low is not None
        and reading.drawn_low <= truth <= reading.drawn_high,
        "error": reading.elasticity - truth,
        "p_value": reading.p_value_no_answer if reading.p_value_no_answer is not None else 1.0,
    }


# ---------------------------------------------------------------- the brake


def brakes(count: int, seed: int) -> list[dict[str, Any]]:
    """A kind that loses (reversed shops, an adviser who believes the literature), kinds that help."""
    rows: list[dict[str, Any]] = []
    for response, kind in (
        ("reversed", "price_cut"),
        ("usual", "price_cut"),
        ("usual", "price_rise"),
    ):
        lived = [_one_brake(response, kind, seed + k) for k in range(count)]
        lived = [year for year in lived if year.helps == (response == "usual")]
        losses = [-year.gained / year.cap for year in lived]
        rows.append(
            {
                "shops": response,
                "kind": kind,
                "stopped": float(np.mean([year.stopped_in is not None for year in lived])),
                "at_most_4_losers": float(np.mean([year.losers <= 4 for year in lived])),
                "accepted": float(np.mean([year.accepted for year in lived])),
                "weeks_waiting": float(np.mean([year.waited_weeks for year in lived])),
                "loss_within_cap": float(np.mean([loss <= 1 for loss in losses])),
                "worst_loss_to_cap": float(max(losses)),
            }
        )
    return rows


def _one_brake(response: str, kind: str, seed: int) -> BrakeYear:
    shop = make_shop("unmoved", seed=seed, response=response, n=150)
    rng = np.random.default_rng(seed)
    believed = (
        rng.normal(-2.2, 0.7, 150)
        if response == "reversed"
        else shop.elasticity + rng.normal(0, BELIEF_SD, 150)
    )
    return live_with_brake(shop, believed, kind, seed)


# ---------------------------------------------------------------- what it says


def _targets(values: dict[str, Any]) -> list[Target]:
    ours = [row for row in values["year"] if row["policy"] == "advice with a test first"]
    share = float(np.mean([row["oracle_share"] for row in ours if row["history"] != "unmoved"]))
    moves = sum(row["moves"] for row in ours)
    losing = sum(row["moves"] * row["losing"] for row in ours) / max(moves, 1e-9)
    kept = float(np.mean([row["cost_kept"] for row in values["tests"]]))
    bad, *good = values["brake"]
    false_stops = float(np.mean([row["stopped"] for row in good]))
    return [
        Target("share of the oracle's gain in a year", share, low=0.35),
        Target("moves at a loss", losing, high=0.12),
        Target("stated test cost kept", kept, low=0.95),
        Target("reversed: at most 4 accepted losers", bad["at_most_4_losers"], low=0.95),
        Target("reversed: loss within the cap", bad["loss_within_cap"], low=0.95),
        Target("helping kinds stopped", false_stops, high=0.05),
    ]


def _print(values: dict[str, Any]) -> None:
    for name, rows in values.items():
        print(f"\n{name}")
        print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    raise SystemExit(main())
