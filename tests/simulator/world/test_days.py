"""The simulated shops: deterministic, answering to price and stock, with books that add up."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from simulator.store import Store
from simulator.world import days, kinds, merchant
from simulator.world.ledger import ledger
from simulator.world.pack import lines

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def shop(tmp_path, kind="tiny", name="a", **more):
    store = Store(tmp_path / f"{name}.sqlite3")
    made = kinds.create_shop(store, kind, 1, now=NOW, **more)
    return store, made["shop"], made


def rows(store, query, *params):
    return store.connection().execute(query, params).fetchall()


@pytest.mark.parametrize("kind", sorted(set(kinds.KINDS) - {"uk-gifts"}))
def test_every_kind_can_be_made_and_lives_a_day(tmp_path, kind):
    store, domain, made = shop(tmp_path, kind)

    assert made["orders"] > 0
    assert days.advance(store, domain, 1)["days"] == 1
    assert kinds.create_shop(store, kind, 1)["is_new"] is False


def test_the_same_seed_gives_the_same_world(tmp_path):
    worlds = []
    for name in ("a", "b"):
        store, domain, _ = shop(tmp_path, name=name)
        days.advance(store, domain, 5)
        worlds.append(
            [
                tuple(row)
                for row in rows(
                    store,
                    "SELECT day, variant_id, demand, sold FROM truth_days WHERE shop = ? ORDER BY 1, 2",
                    domain,
                )
            ]
        )
    assert worlds[0] == worlds[1]


def test_demand_answers_to_price_and_nothing_is_sold_that_is_not_there(tmp_path):
    store, domain, _ = shop(tmp_path)
    variant = rows(store, "SELECT * FROM truth WHERE shop = ? ORDER BY variant_id", domain)[0]
    assert days.price_factor("48.00", "24.00", variant["elasticity"]) == pytest.approx(
        2 ** variant["elasticity"]
    )
    days.advance(store, domain, 10)

    assert (
        rows(store, "SELECT min(available) FROM inventory_levels WHERE shop = ?", domain)[0][0] >= 0
    )
    for row in rows(store, "SELECT * FROM truth_days WHERE shop = ?", domain):
        assert row["demand"] == row["sold"] + row["lost"]
    sold = rows(store, "SELECT sum(sold) FROM truth_days WHERE shop = ?", domain)[0][0]
    assert (
        rows(
            store,
            "SELECT sum(quantity) FROM order_lines l JOIN orders o ON o.shop = l.shop AND o.id = l.order_id WHERE o.processed_at >= '2026-11-20'",
        )[0][0]
        == sold
    )


def test_a_planted_change_holds_from_its_first_day_to_its_last():
    trend = '[{"from": "2026-12-01", "factor": 2.0, "until": "2026-12-10"}]'
    assert [
        days.planted_factor(trend, datetime(2026, *day).date())
        for day in ((11, 30), (12, 1), (12, 9), (12, 10))
    ] == [1, 2, 2, 1]


def test_the_real_history_is_all_there_and_its_books_are_the_packs(tmp_path):
    store, domain, made = shop(tmp_path, "uk-gifts", last_days=60)
    pack = lines()
    recent = pack.minute // 1440 > pack.minute[-1] // 1440 - 60
    sale = recent & ~pack.is_cancel
    books = ledger(store, domain, None, None)

    assert made["orders"] == len(set(pack.invoice[sale].tolist()))
    assert sum(day["units"] for day in books["days"]) == int(pack.quantity[sale].sum())
    paid = [
        units * pence
        for units, pence in zip(
            pack.quantity[sale].tolist(), pack.price_pence[sale].tolist(), strict=True
        )
    ]
    assert sum(Decimal(day["gross"]) for day in books["days"]) == Decimal(
        sum(pence - round(pence / 6) for pence in paid)  # a sixth of a price with VAT of 20 %
    ) / Decimal(100)
    assert books["days"][-1]["day"] == "2026-11-19"


def test_refunds_never_give_back_more_than_was_sold_and_stand_on_their_own_day(tmp_path):
    store, domain, _ = shop(tmp_path, "uk-gifts", last_days=90)
    assert (
        rows(store, "SELECT min(current_quantity) FROM order_lines WHERE shop = ?", domain)[0][0]
        >= 0
    )
    given_back = Counter()
    for row in rows(
        store, "SELECT line_item_id, quantity FROM refund_lines WHERE shop = ?", domain
    ):
        given_back[row["line_item_id"]] += row["quantity"]
    for row in rows(
        store, "SELECT id, quantity, current_quantity FROM order_lines WHERE shop = ?", domain
    ):
        assert row["quantity"] - row["current_quantity"] == given_back[row["id"]]


def test_every_price_change_is_logged_with_who_made_it_and_a_change_to_the_same_is_none(tmp_path):
    store, domain, _ = shop(tmp_path)
    variant_id = rows(store, "SELECT id FROM variants WHERE shop = ? ORDER BY id", domain)[0][0]
    with store.transaction() as conn:
        assert merchant.set_price(conn, store, domain, variant_id, "25.00", None, actor="merchant")
        assert not merchant.set_price(conn, store, domain, variant_id, "25.00", None, actor="app")

    assert [
        tuple(row)
        for row in rows(store, "SELECT actor, before_price, after_price FROM price_writes")
    ] == [("merchant", "24.00", "25.00")]
