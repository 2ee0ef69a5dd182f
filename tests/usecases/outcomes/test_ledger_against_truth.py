"""Sixty simulated days after accepting: the ledger beside what the simulator knows was true, over the whole road."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app.db import ledgers, registrations
from shopify_app.db.connection import transaction
from shopify_app.usecases.decisions import decide, price_outbox
from shopify_app.usecases.outcomes import judge as judging
from tests.factories import make_run, make_suggestion
from tests.simulated import install, simulated_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

RISE = Decimal("1.10")
"""Too dear for customers as price-minded as these: most of these rises lose money, and the ledger must say so."""


def history_is_in(world, shop):
    for _ in range(60):
        world.work()
        with transaction(shop.shop_id) as conn, conn.cursor() as cur:
            cur.execute("SELECT count(*) FROM backfills WHERE state <> 'done'")
            if cur.fetchone()[0] == 0:
                return
        time.sleep(1)
    raise AssertionError("the history does not come in")


def suggest_rises(shop):
    """Sixty rises of a tenth, whatever the models think of them."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE suggestions SET state = 'superseded' WHERE state = 'open'")
        cur.execute(
            "SELECT v.id, v.price, i.unit_cost FROM variants v JOIN inventory_items i"
            " ON (i.shop_id, i.id) = (v.shop_id, v.inventory_item_id) ORDER BY v.id LIMIT 60"
        )
        rows = cur.fetchall()
    run_id = make_run(shop)
    return {
        make_suggestion(
            shop,
            variant,
            run_id=run_id,
            evidence={"unit_cost": str(cost)},
            proposal={
                "price": f"{price * RISE:.2f}",
                "old_price": f"{price:.2f}",
                "compare_at_price": None,
                "old_compare_at_price": None,
            },
        ): (variant, float(price), float(cost))
        for variant, price, cost in rows
    }


def true_profit(world, rises, days):
    """What the rises changed in the simulator's own model of demand, over so many days."""
    truth = {row["variant_id"]: row for row in world.look("truth")}
    gained = 0.0
    for variant, price, cost in rises:
        one, new = truth[variant], float(f"{price * float(RISE):.2f}")
        before, after = (
            one["base_per_day"] * (at / float(one["reference_price"])) ** one["elasticity"]
            for at in (price, new)
        )
        gained += ((new - cost) * after - (price - cost) * before) * days
    return gained


def test_the_ledger_finds_the_true_loss_and_the_brake_stops_the_kind(
    database, tmp_path, monkeypatch
):
    with simulated_world(tmp_path, monkeypatch, "noise") as world:
        shop = install(world)
        history_is_in(world, shop)
        rises = suggest_rises(shop)
        for number in rises:
            decide.accept_suggestion(shop.shop_id, number, accepted_by="42")
        while price_outbox.send_shop_price_changes(shop.shop_id):
            pass
        for _ in range(4):
            world.control("advance", days=15)
            world.deliver()
        end = datetime.now(UTC).astimezone(shop.zone).date() + timedelta(days=59)
        judged = judging.judge_shop(shop.shop_id, as_of=end)

        with transaction(shop.shop_id) as conn:
            ledger = ledgers.of_shop(conn, shop.shop_id)
            stopped = ledgers.brakes_on(conn, shop.shop_id)
            rows = registrations.measured(conn, shop.shop_id)
        truth = true_profit(world, [rises[row.suggestion_id] for row in rows], 42)

    assert judged == len(rows) >= 50
    spread = (ledger.total.profit_high - ledger.total.profit_low) / 2.56
    assert abs(ledger.total.profit - truth) < 3 * spread
    assert ledger.total.profit < 0
    assert [brake.kind for brake in stopped] == ["price_rise"]
