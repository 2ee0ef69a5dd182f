"""Two clocks, and each is asked where it belongs: the machine's in `clock` alone, a shop's by `clock` and `shop_now()`."""

import re

import pytest

from launch.processes import ROOT

ASKS = re.compile(
    r"\b(?:datetime|date)\.(?:now|today|utcnow)\(|\btime\.(?:time|time_ns|localtime|gmtime)\("
)
CODE = [
    path for folder in ("shopify_app", "workers") for path in sorted((ROOT / folder).rglob("*.py"))
]
SQL = re.compile(
    r"(?<![\w.])(?:now\(\)|clock_timestamp\(\)|statement_timestamp\(\)|transaction_timestamp\(\)"
    r"|current_date\b|current_timestamp\b|localtimestamp\b)",
    re.IGNORECASE,
)
SHIFTED = re.compile(r"\(shop_now\(\) - now\(\)\)|now\(\) \+ make_interval\(secs => s\.clock_ahead_seconds\)")  # fmt: skip
"""A moment of the machine brought to the shop's clock, and the shop's clock as the sweeper asks it."""

MACHINES = {
    "backfills.py": "leases and waits of the history",
    "daily_sales.py": "the receipt of a day that is to be counted",
    "due_work.py": "leases and waits after a failure",
    "migrate.py": "when a file ran",
    "offline_tokens.py": "tokens' lives",
    "price_changes.py": "leases of the outbox",
    "reconciliations.py": "when we compared; pages bring it to the shop's clock",
    "redactions.py": "deadlines of the law",
    "refetches.py": "waits of what is asked for again",
    "shops.py": "installs, and how far a clock is ahead",
    "waiting_work.py": "leases",
    "webhook_inbox.py": "receipt and waits of deliveries",
}
"""Tables' rooms that may ask the machine's clock, and what for."""


def clocks_of_the_machine(text):
    """Lines that ask the machine for the time in SQL, where it is not brought to the shop's clock."""
    plain = SHIFTED.sub("", text)
    return [line.strip() for line in plain.splitlines() if SQL.search(line)]


def test_the_machine_is_asked_for_the_time_in_one_module():
    asking = [path.relative_to(ROOT).as_posix() for path in CODE if ASKS.search(path.read_text())]
    assert asking == ["shopify_app/clock.py"]


def test_sql_asks_the_machine_only_in_rooms_that_say_what_for():
    asking = {
        path.name
        for path in (ROOT / "shopify_app/db").glob("*.py")
        if clocks_of_the_machine(path.read_text())
    }
    assert asking == set(MACHINES)


def test_the_outbox_asks_the_machine_for_its_leases_only():
    text = (ROOT / "shopify_app/db/price_changes.py").read_text()
    assert [line for line in clocks_of_the_machine(text) if "lease_until" not in line] == []


@pytest.mark.parametrize(
    "planted",
    ["UPDATE x SET decided_at = now()", "WHERE day < CURRENT_DATE", "sent_at = clock_timestamp()"],
)
def test_a_business_time_of_the_machine_would_be_found(planted):
    assert clocks_of_the_machine(planted)
    assert ASKS.search("day = date.today()") and ASKS.search("now = datetime.now(UTC)")
    assert not clocks_of_the_machine("decided_at = shop_now(), seen = r.at + (shop_now() - now())")


def test_columns_that_say_when_a_shop_decided_have_its_clock_by_default(database):
    import psycopg2

    conn = psycopg2.connect(database)
    with conn.cursor() as cur:
        cur.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_default = 'now()' ORDER BY 1, 2"
        )
        machines = {f"{table}.{column}" for table, column in cur.fetchall()}
    conn.close()
    assert machines == {
        "backfills.due_at",
        "due_work.asked_at",
        "offline_tokens.refreshed_at",
        "reconciliations.started_at",
        "redactions.received_at",
        "refetches.asked_at",
        "refetches.due_at",
        "schema_migrations.applied_at",
        "shops.created_at",
        "shops.installed_at",
        "touched_days.touched_at",
        "webhook_inbox.due_at",
        "webhook_inbox.received_at",
    }
