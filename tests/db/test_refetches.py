"""What must be asked again: once a resource, later after a failure, kept if it is asked again meanwhile."""

from shopify_app.db import refetches
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import rows


def act(shop, what, *args, **named):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args, **named)


def due(shop):
    return act(shop, refetches.due, limit=9)


def test_asking_twice_is_asking_once(acme):
    act(acme, refetches.ask, "order", [1, 2])
    act(acme, refetches.ask, "order", [2])
    act(acme, refetches.ask, "product", [])

    assert sorted((kind, number) for kind, number, _ in due(acme)) == [("order", 1), ("order", 2)]


def test_what_is_asked_again_while_it_is_served_stays(acme):
    act(acme, refetches.ask, "order", [1])
    ((kind, number, receipt),) = due(acme)
    act(acme, refetches.ask, "order", [1])
    act(acme, refetches.finish, kind, number, receipt)
    ((_, _, receipt),) = due(acme)
    act(acme, refetches.finish, kind, number, receipt)

    assert due(acme) == []


def test_a_failure_waits_twice_as_long_each_time_up_to_an_hour(acme):
    act(acme, refetches.ask, "order", [1])
    waits = []
    for _ in range(12):
        act(acme, refetches.postpone, "order", 1)
        waits.append(
            rows(acme, "SELECT round(extract(epoch FROM due_at - now()))::int FROM refetches")[0][0]
        )

    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 3_600
    assert due(acme) == []


def test_what_is_not_shown_is_asked_so_many_times_and_not_if_it_was_asked_anew_meanwhile(
    acme, rival
):
    act(acme, refetches.ask, "order", [1])
    ((*which, receipt),) = due(acme)
    again = [act(acme, refetches.ask_once_more, *which, receipt, tries=3) for _ in range(3)]
    assert again == [True, True, False]
    assert due(acme) == []

    act(acme, refetches.ask, "order", [1])
    assert not act(acme, refetches.ask_once_more, *which, receipt, tries=3)
    asked_at = due(acme)[0][2]
    with transaction(rival.shop_id) as conn:
        assert not refetches.ask_once_more(conn, acme.shop_id, *which, asked_at, tries=3)
    assert len(due(acme)) == 1


def test_the_rivals_are_its_own_and_a_resting_shop_is_not_due(acme, rival):
    act(rival, refetches.ask, "order", [1])

    assert due(acme) == []
    with transaction(acme.shop_id) as conn:
        assert refetches.due(conn, rival.shop_id, limit=9) == []
        refetches.postpone(conn, rival.shop_id, "order", 1)
    assert len(due(rival)) == 1
    with sweep_transaction() as conn, conn.cursor() as cur:
        assert refetches.due_shops(conn) == [rival.shop_id]
        cur.execute("UPDATE shops SET state = 'needs_open'")
        assert refetches.due_shops(conn) == []
