"""When suggestions are worked out anew: once however often asked, by one worker, after the history."""

from shopify_app.db import backfills, refresh_requests
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import rows


def act(shop, what, *args, **named):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args, **named)


def due():
    with sweep_transaction() as conn:
        return refresh_requests.due_shops(conn)


def test_asked_twice_it_is_due_at_the_earlier_time(acme):
    act(acme, refresh_requests.ask)
    act(acme, refresh_requests.ask, in_seconds=900)

    assert due() == [acme.shop_id]


def test_one_worker_takes_it_and_what_is_asked_meanwhile_stays(acme):
    act(acme, refresh_requests.ask)
    receipt = act(acme, refresh_requests.claim, lease_seconds=60)
    assert act(acme, refresh_requests.claim, lease_seconds=60) is None
    assert due() == []

    act(acme, refresh_requests.ask)
    act(acme, refresh_requests.finish, receipt)
    assert due() == [acme.shop_id]

    act(acme, refresh_requests.finish, act(acme, refresh_requests.claim, lease_seconds=60))
    assert due() == []


def test_half_a_history_makes_no_suggestions(acme):
    act(acme, backfills.start, install_epoch=1)
    act(acme, refresh_requests.ask)
    assert due() == []

    rows(acme, "UPDATE backfills SET state = 'done' WHERE step <> 'decisions' RETURNING 1")
    assert due() == [acme.shop_id]


def test_the_rivals_request_is_not_taken_by_us(acme, rival):
    act(rival, refresh_requests.ask)

    assert act(acme, refresh_requests.claim, lease_seconds=60) is None
    with transaction(acme.shop_id) as conn:
        assert refresh_requests.claim(conn, rival.shop_id, lease_seconds=60) is None
    assert due() == [rival.shop_id]
