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


def failed(shop, **columns):
    return act(shop, refresh_requests.fail, error_type="KeyError", **columns)


def passes(shop, minutes):
    """Time goes by: every moment of the request lies further back."""
    rows(
        shop,
        "UPDATE refresh_requests SET due_at = due_at - make_interval(mins => %(m)s), lease_until = lease_until - make_interval(mins => %(m)s),"
        " next_try_at = next_try_at - make_interval(mins => %(m)s) RETURNING 1",
        m=minutes,
    )


def test_each_failure_doubles_the_wait_up_to_six_hours_and_nobody_asking_shortens_it(acme, rival):
    act(acme, refresh_requests.ask)
    waits = []
    for attempt in range(1, 9):
        assert act(acme, refresh_requests.claim, lease_seconds=900)
        found = failed(acme)
        assert (found.attempts, found.error_type) == (attempt, "KeyError")
        waits.append(round((found.next_try_at - found.failed_at).total_seconds() / 60))
        act(acme, refresh_requests.ask)
        passes(acme, waits[-1] - 1)
        assert due() == []
        assert act(acme, refresh_requests.claim, lease_seconds=900) is None
        passes(acme, 2)
        assert due() == [acme.shop_id]

    assert waits == [15, 30, 60, 120, 240, 360, 360, 360]
    assert act(acme, refresh_requests.failed_runs).attempts == 8
    with transaction(rival.shop_id) as conn:
        assert refresh_requests.failed_runs(conn, acme.shop_id) is None
        assert refresh_requests.fail(conn, acme.shop_id, error_type="X") is None


def test_a_run_that_was_killed_counts_as_failed_and_is_not_tried_for_ever_without_a_word(acme):
    act(acme, refresh_requests.ask)
    act(acme, refresh_requests.claim, lease_seconds=900)
    assert act(acme, refresh_requests.failed_runs) is None

    passes(acme, 16)
    assert act(acme, refresh_requests.claim, lease_seconds=900)  # once more at once, as before
    found = act(acme, refresh_requests.failed_runs)
    assert (found.attempts, found.error_type) == (1, refresh_requests.NO_ANSWER)

    passes(acme, 16)
    assert due() == []  # this one was killed too: now it waits


def test_a_good_run_forgets_the_failures_before_it(acme):
    act(acme, refresh_requests.ask)
    act(acme, refresh_requests.claim, lease_seconds=900)
    failed(acme)
    passes(acme, 16)
    receipt = act(acme, refresh_requests.claim, lease_seconds=900)
    act(acme, refresh_requests.ask)
    act(acme, refresh_requests.finish, receipt)

    assert act(acme, refresh_requests.failed_runs) is None
    assert due() == [acme.shop_id]


def test_the_operator_sees_who_fails_but_not_who_left(acme, rival):
    for shop in (acme, rival):
        act(shop, refresh_requests.ask)
        failed(shop)
    rows(rival, "UPDATE shops SET state = 'uninstalled', uninstalled_at = now() RETURNING 1")

    with sweep_transaction() as conn:
        assert [one.shop_id for one in refresh_requests.every_failed(conn)] == [acme.shop_id]
