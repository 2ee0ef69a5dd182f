"""Due work: once however often asked, by one worker, failures kept, the next time when it is done; each shop has its own."""

import shutil
import threading
from datetime import UTC, datetime

import psycopg2
import pytest

from shopify_app.db import backfills, due_work
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.db.migrate import FOLDER, migrate
from tests.conftest import new_database
from tests.factories import make_shop, rows

WHAT = "suggestions"
DAY = 86_400


def act(shop, call, *given, what=WHAT, shop_id=None, **named):
    with transaction(shop.shop_id) as conn:
        return call(conn, shop_id or shop.shop_id, what, *given, **named)


def sure(shop, *whats):
    with transaction(shop.shop_id) as conn:
        due_work.make_sure_of(conn, shop.shop_id, whats or [WHAT])


def due(what=WHAT, states=("installed",), needs_history=True):
    with sweep_transaction() as conn:
        return due_work.due_shops(conn, what, states=states, needs_history=needs_history)


def failed(shop):
    act(shop, due_work.fail, error_type="KeyError")
    return act(shop, due_work.failed_runs)


def passes(shop, minutes):
    """Time goes by: every moment of the work lies further back."""
    rows(
        shop,
        "UPDATE due_work SET due_at = due_at - make_interval(mins => %(m)s), lease_until = lease_until - make_interval(mins => %(m)s),"
        " next_try_at = next_try_at - make_interval(mins => %(m)s) RETURNING 1",
        m=minutes,
    )


def test_asked_twice_it_is_due_at_the_earlier_time(acme):
    act(acme, due_work.ask)
    act(acme, due_work.ask, in_seconds=900)

    assert due() == [acme.shop_id]
    assert due("replay") == []


def test_one_worker_takes_it_and_what_is_asked_meanwhile_stays(acme):
    act(acme, due_work.ask)
    receipt = act(acme, due_work.claim, lease_seconds=60)
    assert act(acme, due_work.claim, lease_seconds=60) is None
    assert due() == []

    act(acme, due_work.ask)
    act(acme, due_work.finish, receipt)
    assert due() == [acme.shop_id]

    act(acme, due_work.finish, act(acme, due_work.claim, lease_seconds=60))
    assert due() == []
    assert rows(acme, "SELECT count(*) FROM due_work") == [(0,)]


def test_work_that_sets_its_next_time_keeps_it_when_it_is_finished(acme):
    sure(acme)
    receipt = act(acme, due_work.claim, lease_seconds=60)
    act(acme, due_work.again, in_seconds=7 * DAY)
    act(acme, due_work.finish, receipt)
    sure(acme)  # it has its time already

    assert due() == []
    assert rows(acme, "SELECT due_at > now() + interval '6 days', lease_until FROM due_work") == [
        (True, None)
    ]


def test_a_lease_that_was_left_behind_runs_out(acme):
    sure(acme)
    act(acme, due_work.claim, lease_seconds=-1)

    assert due() == [acme.shop_id]
    assert act(acme, due_work.claim, lease_seconds=60)


def test_half_a_history_is_waited_for_by_what_needs_it_whole(acme):
    act(acme, backfills_start)
    act(acme, due_work.ask)
    assert due() == []
    assert due(needs_history=False) == [acme.shop_id]

    rows(acme, "UPDATE backfills SET state = 'done' WHERE step <> 'decisions' RETURNING 1")
    assert due() == [acme.shop_id]


def backfills_start(conn, shop_id, _):
    backfills.start(conn, shop_id, install_epoch=1)


@pytest.mark.parametrize("state", ["uninstalled", "frozen", "needs_open"])
def test_a_shop_in_another_state_waits(database, state):
    shop = make_shop("gone.myshopify.com", state=state)
    sure(shop)

    assert due() == []
    assert due(states=["installed", state]) == [shop.shop_id]


def test_the_rival_neither_asks_nor_takes_nor_ends_ours(acme, rival):
    sure(acme)
    before = rows(acme, "SELECT * FROM due_work")

    for call in (due_work.claim, due_work.failed_runs, due_work.forget_failures):
        given = {"lease_seconds": 60} if call is due_work.claim else {}
        assert act(rival, call, **given) is None
        assert act(rival, call, shop_id=acme.shop_id, **given) is None
    assert act(rival, due_work.fail, shop_id=acme.shop_id, error_type="X") is None
    act(rival, due_work.finish, before[0][4].isoformat(), shop_id=acme.shop_id)
    act(rival, due_work.again, in_seconds=DAY)
    for call in (due_work.ask, due_work.again):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            act(rival, call, shop_id=acme.shop_id, in_seconds=0)

    assert rows(acme, "SELECT * FROM due_work") == before
    assert due() == [acme.shop_id]


def test_each_failure_doubles_the_wait_up_to_six_hours_and_nobody_asking_shortens_it(acme, rival):
    act(acme, due_work.ask)
    waits = []
    for attempt in range(1, 9):
        assert act(acme, due_work.claim, lease_seconds=900)
        found = failed(acme)
        assert (found.attempts, found.error_type) == (attempt, "KeyError")
        waits.append(round((found.next_try_at - found.failed_at).total_seconds() / 60))
        act(acme, due_work.ask)
        passes(acme, waits[-1] - 1)
        assert due() == []
        assert act(acme, due_work.claim, lease_seconds=900) is None
        passes(acme, 2)
        assert due() == [acme.shop_id]

    assert waits == [15, 30, 60, 120, 240, 360, 360, 360]
    assert act(acme, due_work.failed_runs).attempts == 8
    assert act(acme, due_work.failed_runs, what="replay") is None


def test_a_run_that_was_killed_counts_as_failed_and_is_not_tried_for_ever_without_a_word(acme):
    act(acme, due_work.ask)
    act(acme, due_work.claim, lease_seconds=900)
    assert act(acme, due_work.failed_runs) is None

    passes(acme, 16)
    assert act(acme, due_work.claim, lease_seconds=900)  # once more at once
    found = act(acme, due_work.failed_runs)
    assert (found.attempts, found.error_type) == (1, due_work.NO_ANSWER)

    passes(acme, 16)
    assert due() == []  # this one was killed too: now it waits


@pytest.mark.parametrize("ends", ["finish", "again"])
def test_a_good_run_forgets_the_failures_before_it(acme, ends):
    act(acme, due_work.ask)
    act(acme, due_work.claim, lease_seconds=900)
    failed(acme)
    passes(acme, 16)
    receipt = act(acme, due_work.claim, lease_seconds=900)
    act(acme, due_work.ask)
    if ends == "again":
        act(acme, due_work.again, in_seconds=0)
    act(acme, due_work.finish, receipt)

    assert act(acme, due_work.failed_runs) is None
    assert due() == [acme.shop_id]


def test_the_operator_sees_who_fails_of_what_but_not_who_left(acme, rival):
    for shop in (acme, rival):
        act(shop, due_work.ask)
        failed(shop)
    rows(rival, "UPDATE shops SET state = 'uninstalled', uninstalled_at = now() RETURNING 1")

    with sweep_transaction() as conn:
        assert [one.shop_id for one in due_work.every_failed(conn, WHAT)] == [acme.shop_id]
        assert due_work.every_failed(conn, "replay") == []


# The service's own work has no shop.


def of_service(*whats):
    with sweep_transaction() as conn:
        return due_work.due_of_service(conn, whats)


def make(*whats):
    with sweep_transaction() as conn:
        due_work.make_sure_of(conn, None, whats)


def take(what):
    with sweep_transaction() as conn:
        return due_work.claim(conn, None, what, lease_seconds=60)


def test_the_services_jobs_are_due_at_once_and_then_after_their_time(database):
    make("sweep", "look")
    make("sweep")
    assert of_service("look", "sweep", "unknown") == ["look", "sweep"]

    assert take("sweep")
    assert not take("sweep")
    assert of_service("look", "sweep") == ["look"]
    with sweep_transaction() as conn:
        due_work.again(conn, None, "sweep", in_seconds=60)
    assert of_service("sweep") == []
    with sweep_transaction() as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE due_work SET due_at = due_at - interval '2 minutes' WHERE shop_id IS NULL"
        )
    assert of_service("sweep") == ["sweep"]


def test_a_shop_sees_no_job_of_the_service_and_the_sweeper_changes_no_shops_work(acme):
    make(WHAT)
    sure(acme)

    assert rows(acme, "SELECT shop_id FROM due_work") == [(acme.shop_id,)]
    with sweep_transaction() as conn:
        assert due_work.claim(conn, acme.shop_id, WHAT, lease_seconds=60) is None
    with (
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
        sweep_transaction() as conn,
    ):
        due_work.ask(conn, acme.shop_id, "other")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), transaction(acme.shop_id) as conn:
        due_work.make_sure_of(conn, None, ["other"])
    assert of_service(WHAT) == [WHAT]
    assert due() == [acme.shop_id]


def test_of_eight_workers_one_gets_each_job(database):
    whats = [f"job_{letter}" for letter in "abcdefghijklmnopqrst"]
    make(*whats)
    taken, gate = [], threading.Barrier(8)

    def worker():
        gate.wait()
        taken.extend(what for what in whats if take(what))

    workers = [threading.Thread(target=worker) for _ in range(8)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()

    assert sorted(taken) == whats


BEFORE = """
INSERT INTO shops (shop_id, domain, state) OVERRIDING SYSTEM VALUE VALUES (1, 'a.myshopify.com', 'installed');
INSERT INTO refresh_requests (shop_id, asked_at, due_at, attempts, failing_since, failed_at, error_type, next_try_at)
VALUES (1, '2026-01-01Z', '2026-01-02Z', 2, '2026-01-03Z', '2026-01-04Z', 'KeyError', '2026-01-05Z');
INSERT INTO look_backs (shop_id, what, due_at) VALUES (1, 'replay', '2026-02-01Z');
INSERT INTO ledgers (shop_id, total, due_at, lease_until) VALUES (1, '{"profit": "9"}', '2026-03-01Z', '2026-03-02Z');
INSERT INTO schedules (name, every_seconds, next_at) VALUES ('retention', 3600, '2026-04-01Z');
"""


def at(month, day):
    return datetime(2026, month, day, tzinfo=UTC)


def test_what_was_due_in_the_tables_of_before_is_due_in_this_one(postgres, tmp_path):
    """Moved by an owner who is no superuser, as a hosted database's is: what is forced on owners must hide nothing."""
    url = new_database(postgres, "moved")
    for path in FOLDER.glob("0*.sql"):
        if path.name < "0022":
            shutil.copy(path, tmp_path)
    migrate(url, tmp_path)
    conn = psycopg2.connect(url)
    with conn, conn.cursor() as cur:
        cur.execute(BEFORE)
        cur.execute("DROP ROLE IF EXISTS plain_owner; CREATE ROLE plain_owner NOSUPERUSER")
        cur.execute("GRANT ALL ON SCHEMA public TO plain_owner")
        cur.execute("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cur.fetchall():
            cur.execute(f"ALTER TABLE {table} OWNER TO plain_owner")
        cur.execute("SET ROLE plain_owner")
        cur.execute((FOLDER / "0022_due_work.sql").read_text())
        cur.execute("RESET ROLE")
        cur.execute("SET LOCAL timezone = 'UTC'")
        cur.execute(
            "SELECT shop_id, what, due_at, lease_until, attempts, failing_since, failed_at, error_type, next_try_at"
            " FROM due_work ORDER BY due_at"
        )
        found = cur.fetchall()
        cur.execute("SELECT total FROM ledgers")
        assert cur.fetchall() == [({"profit": "9"},)]
        cur.execute("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'ledgers'")
        assert cur.fetchall() == [(True,)]
        conn.rollback()
    with conn, conn.cursor() as cur:
        cur.execute("DROP ROLE IF EXISTS plain_owner")
    conn.close()

    none = (0, None, None, None, None)
    assert found == [
        (1, "suggestions", at(1, 2), None, 2, at(1, 3), at(1, 4), "KeyError", at(1, 5)),
        (1, "replay", at(2, 1), None, *none),
        (1, "ledger", at(3, 1), at(3, 2), *none),
        (None, "retention", at(4, 1), None, *none),
    ]
