"""The app's books held against the shop's own, field by field: after the history, and after days of lost, doubled and late news."""

import pytest

from bench.lib.odd_orders import OddOrders, books_differ
from shopify_app.usecases.history import backfill, facts, proof, reconcile
from tests.factories import rows
from tests.simulated import install


def odd_orders(world):
    return OddOrders(world.control, world.look("variants"), world.look("state"))


def differences(world):
    return books_differ(facts.facts(world.shop().shop_id), world.look("ledger"))


def proved(world):
    found = proof.prove_shop(world.shop().shop_id).proof
    every = "SELECT count(*) FROM orders WHERE NOT is_test AND deleted_at IS NULL"
    assert rows(world.shop(), every) == [(found.orders,)], "a total was told of each"
    return [
        (one.name, one.of, one.ours, one.theirs) for one in found.disagreements
    ], found.orders - found.agreeing


@pytest.mark.slow
@pytest.mark.parametrize(
    ("most_by_id", "is_refused"),
    [(200, False), (0, False), (0, True)],
    ids=["by their ids", "in bulk", "bulk refused"],
)
def test_the_books_are_the_shops_own_after_its_history_was_read(
    world, monkeypatch, most_by_id, is_refused
):
    monkeypatch.setattr(backfill, "MOST_LEDGERS_BY_ID", most_by_id)
    world.faults(bulk_agreements_refused=is_refused)
    made = odd_orders(world)
    made.place()
    made.change()
    made.delete()
    install(world)

    assert (differences(world), proved(world)) == ([], ([], 0))
    assert rows(world.shop(), "SELECT count(*) > 20 FROM sales") == [(True,)]
    assert rows(
        world.shop(), "SELECT bulk_operation_id IS NOT NULL FROM backfills WHERE step = 'ledger'"
    ) == [(most_by_id == 0 and not is_refused,)]


@pytest.mark.slow
def test_the_books_are_the_shops_own_after_news_that_came_twice_late_or_never(world):
    install(world)
    made = odd_orders(world)
    world.faults(webhook_duplicate=0.2, webhook_reorder=0.3, webhook_drop=0.1)
    made.place()
    world.control("advance", days=1)
    made.change()
    world.control("advance", days=1)
    world.behave()
    made.delete()
    world.deliver()
    reconcile.reconcile_shop(world.shop())
    world.work()

    assert (differences(world), proved(world)) == ([], ([], 0))
