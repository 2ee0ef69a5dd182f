"""Steps of the history: one after the other, one worker each, resumable, never for an install that is over."""

import pytest

from shopify_app.db import backfills
from shopify_app.db.connection import sweep_transaction, transaction
from tests.factories import rows


def act(shop, what, *args, **named):
    with transaction(shop.shop_id) as conn:
        return what(conn, shop.shop_id, *args, **named)


def start(shop):
    act(shop, backfills.start, install_epoch=1)


def claim(shop):
    found = act(shop, backfills.claim, lease_seconds=60)
    return found and found.step


def due():
    with sweep_transaction() as conn:
        return backfills.due_shops(conn)


def test_steps_come_in_order_and_only_when_the_one_before_is_done(acme):
    start(acme)
    came = []
    while step := claim(acme):
        assert claim(acme) is None  # somebody has it
        came.append(step)
        act(acme, backfills.finish, step)

    assert tuple(came) == backfills.STEPS
    assert due() == []


def test_a_step_whose_worker_died_is_taken_again_where_it_was(acme):
    start(acme)
    claim(acme)
    assert act(
        acme,
        backfills.note_progress,
        "shop",
        loaded_bytes=100,
        rows_loaded=7,
        rows_expected=9,
        lease_seconds=60,
    )
    rows(
        acme,
        "UPDATE backfills SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL RETURNING 1",
    )

    assert due() == [acme.shop_id]
    again = act(acme, backfills.claim, lease_seconds=60)
    assert (again.step, again.loaded_bytes, again.rows_loaded, again.rows_expected) == (
        "shop",
        100,
        7,
        9,
    )


def test_a_failure_waits_longer_each_time_and_at_last_says_so(acme):
    start(acme)
    for _ in range(3):
        act(acme, backfills.fail, "shop", error="x" * 900, tries=3)

    (step, *_) = act(acme, backfills.progress)
    assert (step.state, step.attempts, len(step.error)) == ("failed", 3, 500)
    assert claim(acme) is None
    assert due() == []


@pytest.mark.parametrize("attempts", [3, 1_000])
def test_a_step_that_failed_is_tried_again_hours_later_as_the_page_says(acme, rival, attempts):
    start(acme)
    act(acme, backfills.fail, "shop", error="x", tries=1)
    rows(
        acme,
        "UPDATE backfills SET attempts = %(n)s, due_at = due_at - interval '6 hours' WHERE state = 'failed' RETURNING 1",
        n=attempts,
    )

    assert due() == [acme.shop_id]
    assert claim(acme) == "shop"
    act(acme, backfills.fail, "shop", error="x", tries=8 if attempts > 8 else 3)
    (step, *_) = act(acme, backfills.progress)
    assert (step.state, due()) == ("failed", [])


def test_a_webhook_shortens_the_wait_for_an_operation(acme):
    start(acme)
    claim(acme)
    act(acme, backfills.wait, "shop", seconds=3_600)
    assert claim(acme) is None
    act(acme, backfills.poke)
    assert claim(acme) == "shop"


def test_progress_of_an_install_that_is_over_is_refused(acme):
    start(acme)
    claim(acme)
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE shops SET install_epoch = 2 WHERE shop_id = %s", (acme.shop_id,))

    assert not act(
        acme,
        backfills.note_progress,
        "shop",
        loaded_bytes=1,
        rows_loaded=1,
        rows_expected=None,
        lease_seconds=60,
    )
    rows(acme, "UPDATE backfills SET lease_until = NULL RETURNING 1")
    assert claim(acme) is None


def test_the_rivals_history_is_not_read_on_by_us(acme, rival):
    start(rival)

    assert claim(acme) is None
    assert act(acme, backfills.progress) == []
    with transaction(acme.shop_id) as conn:
        assert backfills.claim(conn, rival.shop_id, lease_seconds=60) is None
        backfills.finish(conn, rival.shop_id, "shop")
        backfills.fail(conn, rival.shop_id, "shop", error="", tries=1)
    assert {step.state for step in act(rival, backfills.progress)} == {"waiting"}
