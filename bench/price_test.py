"""Whether a price test in a living shop costs no more than was said, tells the truth and gives every price back.

`./run bench price_test [--shop noise:SEED]`.

In: a simulated shop whose prices never moved, its history read through the real install path.
Method: the test that Keel proposes is started; week by week its prices are set through the outbox in the simulated
    store, shoppers buy by the simulator's true elasticity, webhooks bring the orders back, Keel reads the weeks that are
    over, until the test ends by itself; then every price is compared with the one before.
Out: what was stated, what it truly cost (mean demand at the price that stood against that at the price before), what it
    showed beside the truth, prices not given back, and one JSON line.
Weak: one shop is one draw of an 80 % range; `./run bench learning` draws many, without a store.
"""

import argparse
import os
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg2

from bench.lib import living_shop, report
from bench.lib.report import Target
from launch.demo import SHOPS
from launch.simulated import Simulated

HISTORY_SECONDS: Final = 1_200
WRITE_SECONDS: Final = 300
DRAIN_SECONDS: Final = 900
MOST_ROUNDS: Final = 8


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 if every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", default="noise", help=f"KIND or KIND:SEED, of {', '.join(SHOPS)}")
    parser.add_argument("--port", type=int, help="the app's port (any free pair)")
    parser.add_argument("--data", type=Path, help="not read: the shop is simulated")
    arguments = parser.parse_args(argv)
    return living_shop.unless_stopped(lambda stop: _run(arguments, stop))


def _run(arguments: argparse.Namespace, stop: threading.Event) -> int:
    with living_shop.started("price-test", arguments.shop, stop, port=arguments.port) as running:
        os.environ.update(running.children.environment)  # noqa: TID251 -- it becomes a process of that shop
        living_shop.read_history(running, stop, HISTORY_SECONDS)
        before = _store_prices(running)
        shop_id, test = _begun(running)
        _live(running, stop, shop_id, test)
        ended = _newest(shop_id)
        figures = _figures(running, ended) | {
            "prices_not_given_back": sum(
                _store_prices(running)[one] != price for one, price in before.items()
            ),
            "writes": _writes(running, shop_id),
        }
    for name, value in figures.items():
        print(f"{name:<28}{value}")
    targets = _targets(ended, figures)
    return report.finish("price_test", targets, shop=arguments.shop, figures=figures)


def _targets(test: Any, figures: dict[str, Any]) -> list[Target]:
    low, high = test.reading.low, test.reading.high
    return [
        Target("true cost", figures["true_cost"], high=float(test.maximum_cost)),
        Target("true elasticity", figures["true_elasticity"], low=low, high=high),
        Target("prices not given back", figures["prices_not_given_back"], high=0),
    ]


def _begun(running: Simulated) -> tuple[int, Any]:
    """The proposed test, agreed to; the pump leaves it alone: its days come from here."""
    from shopify_app.usecases.price_tests import decide as price_test_decisions  # noqa: PLC0415 -- its settings are known only now

    shop_id = running.rows("SELECT shop_id FROM shops WHERE domain = %s", running.domain)[0][0]
    proposed = _newest(shop_id)
    if proposed is None:
        raise RuntimeError("no price test is proposed in this shop")
    price_test_decisions.start(shop_id, proposed.id, started_by="bench")
    _change(running, "UPDATE price_tests SET due_at = now() + interval '1 year'")
    return shop_id, _newest(shop_id)


def _change(running: Simulated, statement: str, *values: Any) -> None:
    """Let the database know of days that only the simulator lives through."""
    conn = psycopg2.connect(running.children.environment["DATABASE_URL"])
    conn.autocommit = True
    with conn.cursor() as cur:
        cur.execute(statement, values)
    conn.close()


def _live(running: Simulated, stop: threading.Event, shop_id: int, test: Any) -> None:
    """Week by week until the test has ended."""
    running.control("advance", days=1)  # a test begins on the day after it was agreed to
    day: date = test.first_on
    while day <= test.last_on + timedelta(days=7):
        living_shop.until(running, stop, lambda: living_shop.is_quiet(running), DRAIN_SECONDS)
        if _carried_on(running, stop, shop_id, test.id, day):
            return
        running.control("advance", days=7)
        day += timedelta(days=7)
        print(f"week {(day - test.first_on).days // 7} of {test.weeks} is over", flush=True)
    raise RuntimeError("the test did not end")


def _carried_on(
    running: Simulated, stop: threading.Event, shop_id: int, test_id: int, day: date
) -> bool:
    """Carry the test on until nothing of it is under way; whether it has ended."""
    from shopify_app.usecases.price_tests import carry_on as carry_on_tests  # noqa: PLC0415 -- as above

    for _ in range(MOST_ROUNDS):
        _change(
            running,
            "UPDATE price_changes SET finished_at = %s + time '15:00' WHERE finished_at <= now()",
            day,
        )
        if carry_on_tests.carry_on(shop_id, test_id, today=day) is None:
            return True
        if _is_settled(running):
            return False
        living_shop.until(running, stop, lambda: _is_settled(running), WRITE_SECONDS)
    return False


def _is_settled(running: Simulated) -> bool:
    under_way = "SELECT 1 FROM price_changes WHERE state IN ('approved', 'sending') LIMIT 1"
    return not running.rows(under_way)


def _newest(shop_id: int) -> Any:
    from shopify_app.db import price_tests  # noqa: PLC0415 -- as above
    from shopify_app.db.connection import transaction  # noqa: PLC0415 -- as above

    with transaction(shop_id) as conn:
        found = price_tests.newest(conn, shop_id)
    return found[0] if found else None


def _store_prices(running: Simulated) -> dict[int, str]:
    """As the store has them, not as Keel knows them."""
    found = running.sim.get(f"_sim/{running.domain}/variants", params={"limit": 5_000}).json()
    return {int(one["id"]): one["price"] for one in found}


def _writes(running: Simulated, shop_id: int) -> int:
    applied = "SELECT count(*) FROM price_changes WHERE shop_id = %s AND state = 'applied'"
    return int(running.rows(applied, shop_id)[0][0])


def _figures(running: Simulated, test: Any) -> dict[str, Any]:
    from shopify_app.analytics.price_tests.experiments import plan_from  # noqa: PLC0415 -- as above

    plan, reading = plan_from(test.plan.as_json()), test.reading.as_json()
    told = running.sim.get(f"_sim/{running.domain}/truth").json()
    truths = {one["variant_id"]: one for one in told}
    variant_of = dict(running.rows("SELECT product_id, variant_id FROM tested_prices"))
    weeks = int(reading["weeks_seen"])
    costs, sold = 0.0, []
    for series in plan.series:
        truth = truths[variant_of[int(series.series_id)]]
        means = _means(running, truth["variant_id"], test.first_on, 7 * weeks)
        elasticity = float(truth["elasticity"])
        costs += sum(
            mean * _given_up(series, series.price_in(number // 7 // plan.block_weeks), elasticity)
            for number, mean in enumerate(means)
        )
        sold.append((sum(means), elasticity))
    return {
        "products": len(plan.series),
        "weeks_planned": test.weeks,
        "weeks_read": weeks,
        "ended_because": str(test.stop_because),
        "maximum_stated": float(test.maximum_cost),
        "true_cost": round(costs, 2),
        "cost_read": round(reading["cost_so_far"], 2),
        "cost_read_high": round(reading["cost_high"], 2),
        "true_elasticity": round(sum(n * e for n, e in sold) / sum(n for n, _ in sold), 3),
        "elasticity_read": round(reading["elasticity"], 3),
        "low": round(reading["low"], 3),
        "high": round(reading["high"], 3),
    }


def _means(running: Simulated, variant_id: int, first: date, days: int) -> list[float]:
    """The simulator's mean demand of each day of the test, at the price that stood."""
    found = running.sim.get(
        f"_sim/{running.domain}/truth/days",
        params={
            "variant_id": variant_id,
            "since": first.isoformat(),
            "until": (first + timedelta(days=days - 1)).isoformat(),
        },
    ).json()
    by_day = {date.fromisoformat(one["day"]): float(one["mean"]) for one in found}
    return [by_day.get(first + timedelta(days=number), 0.0) for number in range(days)]


def _given_up(series: Any, price: float, elasticity: float) -> float:
    """Gross profit a unit of mean demand at `price` gives up against the price before."""
    was = (series.old_price / price) ** elasticity
    return was * (series.old_price - series.unit_cost) - (price - series.unit_cost)


if __name__ == "__main__":
    raise SystemExit(main())
