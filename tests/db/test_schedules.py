"""Periodic jobs: each due once however many pumps look; a changed rhythm is taken over."""

import threading

from shopify_app.db import schedules
from shopify_app.db.connection import sweep_transaction


def due():
    with sweep_transaction() as conn:
        return sorted(schedules.take_due(conn))


def make(**every):
    with sweep_transaction() as conn:
        schedules.make_sure_of(conn, every)


def test_a_job_is_due_at_once_and_then_after_its_time(database):
    make(sweep=60, look=3_600)

    assert due() == ["look", "sweep"]
    assert due() == []
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("UPDATE schedules SET next_at = next_at - interval '2 minutes'")
        assert schedules.any_due(conn)
    assert due() == ["sweep"]


def test_making_sure_again_changes_the_rhythm_and_not_the_time(database):
    make(sweep=60)
    due()
    make(sweep=9)

    assert due() == []
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute("SELECT every_seconds FROM schedules")
        assert cur.fetchall() == [(9,)]


def test_of_eight_pumps_one_gets_each_job(database):
    make(**{f"job{n}": 60 for n in range(20)})
    taken, gate = [], threading.Barrier(8)

    def pump():
        gate.wait()
        taken.extend(due())

    pumps = [threading.Thread(target=pump) for _ in range(8)]
    for one in pumps:
        one.start()
    for one in pumps:
        one.join()
    taken.extend(due())  # what a pump skipped because another held it

    assert sorted(taken) == sorted(f"job{n}" for n in range(20))
