"""The app's books held against the shop's own, field by field: after the history, and after days of lost, doubled and late news."""

from datetime import datetime

import pytest

from bench.lib.odd_orders import OddOrders, books_differ
from shopify_app.usecases.history import facts, proof, reconcile
from tests.simulated import install


def odd_orders(world):
    now = datetime.fromisoformat(world.look("state")["now"])
    return OddOrders(world.control, world.look("variants"), now)


def differences(world):
    return books_differ(facts.facts(world.shop().shop_id), world.look("ledger"))


def proved(world):
    found = proof.prove_shop(world.shop().shop_id).proof
    return [
        (one.name, one.of, one.ours, one.theirs) for one in found.disagreements
    ], found.orders - found.agreeing


@pytest.mark.slow
def test_the_books_are_the_shops_own_after_its_history_was_read(world):
    made = odd_orders(world)
    made.place()
    made.change()
    install(world)

    assert differences(world) == []
    assert proved(world) == ([], 0)


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
    world.deliver()
    reconcile.reconcile_shop(world.shop())
    world.work()

    assert differences(world) == []
    assert proved(world) == ([], 0)
