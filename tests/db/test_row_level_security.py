"""The last guard between shops: each table by its catalogue, and each act on each table by trying it."""

import json

import psycopg2
import pytest

from shopify_app.db.connection import ingest_transaction, sweep_transaction, transaction
from tests.factories import make_shop, rows
from tests.kept_worlds import installed
from tests.web.page_rows import price_row, restock_row, trend_row


@pytest.fixture
def owner(database):
    """The migrated database as its owner sees it."""
    conn = psycopg2.connect(database)
    conn.autocommit = True
    with conn.cursor() as cur:
        yield cur
    conn.close()


def tables_of_a_shop(cur):
    cur.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id'"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    return [row[0] for row in cur.fetchall()]


def test_every_table_of_a_shop_forces_security_by_one_policy_of_its_own_shop(owner):
    tables = tables_of_a_shop(owner)
    owner.execute(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = ANY (%s) AND relkind IN ('r', 'p')",
        (tables,),
    )
    flags = {name: (on, forced) for name, on, forced in owner.fetchall()}
    owner.execute(
        "SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE 'keel_app' = ANY (roles) AND tablename = ANY (%s)",
        (tables,),
    )
    policies = {}
    for table, *policy in owner.fetchall():
        policies.setdefault(table, []).append(tuple(policy))

    assert len(tables) >= 26
    own = "(shop_id = current_shop_id())"
    assert {name: pair for name, pair in flags.items() if pair != (True, True)} == {}
    assert {
        name: policies.get(name) for name in tables if policies.get(name) != [("ALL", own, own)]
    } == {}


def test_what_other_tables_there_are_is_known_and_guarded_too(owner):
    owner.execute(
        "SELECT tablename, rowsecurity FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s)",
        (tables_of_a_shop(owner),),
    )

    assert dict(owner.fetchall()) == {
        "webhook_inbox": True,
        "redactions": False,
        "schema_migrations": False,
    }
    owner.execute(
        "SELECT grantee, table_name FROM information_schema.role_table_grants"
        " WHERE grantee IN ('keel_app', 'keel_ingest') AND table_name IN ('redactions', 'schema_migrations')"
    )
    assert owner.fetchall() == []


def test_the_roles_of_a_transaction_can_bypass_nothing_and_own_nothing(owner):
    owner.execute(
        "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname LIKE 'keel\\_%' ORDER BY 1"
    )
    assert owner.fetchall() == [
        (name, False, False, False, False, False)
        for name in ("keel_app", "keel_ingest", "keel_sweeper")
    ]
    owner.execute(
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname LIKE 'keel\\_%'"
    )
    assert owner.fetchone() == (0,)
    owner.execute(
        "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee LIKE 'keel\\_%' AND privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER')"
    )
    assert owner.fetchall() == []


def test_every_key_begins_with_its_shop(owner):
    owner.execute(
        "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, a.attname FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indisunique AND i.indrelid::regclass::text = ANY (%s)",
        (tables_of_a_shop(owner),),
    )
    first = {index: column for _, index, column in owner.fetchall()}

    assert {index: column for index, column in first.items() if column != "shop_id"} == {
        "shops_domain_key": "domain"
    }


def test_no_view_and_no_function_walks_around_the_policies(owner):
    owner.execute("SELECT count(*) FROM pg_views WHERE schemaname = 'public'")
    assert owner.fetchone() == (0,)
    owner.execute("SELECT count(*) FROM pg_matviews WHERE schemaname = 'public'")
    assert owner.fetchone() == (0,)
    owner.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    # It reads no row: it has tables analysed, which only their owner may; no shop's role can ask for it.
    assert owner.fetchall() == [("know_sizes",)]


@pytest.fixture
def two_shops(world, owner):
    """A shop with rows in most tables, and a rival with a few."""
    ours = installed(world)
    rival = make_shop("rival.myshopify.com")
    for make in (price_row, restock_row, trend_row):
        make(ours)
        make(rival)
    with transaction(ours.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "INSERT INTO vendor_lead_times VALUES (%s, 'Northmill', 9, 1, 0)", (ours.shop_id,)
        )
        cur.execute(
            "INSERT INTO refetches (shop_id, kind, resource_id) VALUES (%s, 'order', 1)",
            (ours.shop_id,),
        )
        cur.execute(
            "INSERT INTO touched_days (shop_id, sold_on) VALUES (%s, '2026-01-01')", (ours.shop_id,)
        )
        cur.execute("INSERT INTO refunded_orders VALUES (%s, 1)", (ours.shop_id,))
        cur.execute(
            "INSERT INTO due_work (shop_id, what, due_at) VALUES (%s, 'suggestions', now()) ON CONFLICT DO NOTHING",
            (ours.shop_id,),
        )
    return ours, rival


def contents(shop, table):
    return rows(
        shop,
        f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')), count(*) FROM {table} t",
    )[0]


def test_the_matrix_no_act_on_any_table_reaches_the_other_shop(two_shops, owner):
    ours, rival = two_shops
    tables = tables_of_a_shop(owner)
    before = {table: contents(ours, table) for table in tables}
    filled = [table for table in tables if before[table][1]]
    assert len(filled) >= 22, sorted(set(tables) - set(filled))

    for table in tables:
        # reading, changing and deleting find nothing; not even under our shop's own number
        assert rows(rival, f"SELECT count(*) FROM {table} WHERE shop_id = {ours.shop_id}") == [
            (0,)
        ], table
        with transaction(rival.shop_id) as conn, conn.cursor() as cur:
            cur.execute(
                f"UPDATE {table} SET {'name = name' if table == 'shops' else 'shop_id = shop_id'} WHERE shop_id = %s",
                (ours.shop_id,),
            )
            assert cur.rowcount == 0, table
        with transaction(rival.shop_id) as conn, conn.cursor() as cur:
            cur.execute(f"DELETE FROM {table} WHERE shop_id = %s", (ours.shop_id,))
            assert cur.rowcount == 0, table
        # writing a row of ours as the rival, or giving a row away, is refused
        with (
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
            transaction(rival.shop_id) as conn,
            conn.cursor() as cur,
        ):
            cur.execute(
                f"INSERT INTO {table} (shop_id) OVERRIDING SYSTEM VALUE VALUES (%s)",
                (ours.shop_id,),
            )
    for table in filled:
        if table == "shops":
            continue  # its number is made by Postgres and never given
        with (
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
            transaction(ours.shop_id) as conn,
            conn.cursor() as cur,
        ):
            cur.execute(f"UPDATE {table} SET shop_id = %s", (rival.shop_id,))
    assert {table: contents(ours, table) for table in tables} == before


def test_a_whole_row_of_ours_cannot_be_written_again_by_the_rival(two_shops, owner):
    ours, rival = two_shops
    for table in ("variants", "orders", "suggestions", "offline_tokens", "shop_settings"):
        row = rows(ours, f"SELECT to_jsonb(t) FROM {table} t LIMIT 1")[0][0]
        with (
            pytest.raises(psycopg2.errors.InsufficientPrivilege),
            transaction(rival.shop_id) as conn,
            conn.cursor() as cur,
        ):
            cur.execute(
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_record(NULL::{table}, %s)"
                " ON CONFLICT DO NOTHING",
                (json.dumps(row),),
            )


def test_without_a_shop_there_are_no_rows_and_an_emptied_setting_is_no_error(
    two_shops, owner, database
):
    for value in (None, ""):
        for table in tables_of_a_shop(owner):
            conn = psycopg2.connect(database)
            try:
                with conn, conn.cursor() as cur:
                    cur.execute("SET LOCAL ROLE keel_app")
                    if value is not None:
                        cur.execute("SELECT set_config('app.shop_id', '', true)")
                    cur.execute(f"SELECT count(*) FROM {table}")
                    assert cur.fetchone() == (0,), table
            finally:
                conn.close()


def test_the_sweeper_and_the_door_see_no_facts_of_any_shop(two_shops, owner):
    facts = ["products", "variants", "price_history", "inventory_levels", "orders", "order_lines", "refunds", "daily_sales", "suggestions",
             "suggestion_runs", "purchase_order_lines", "decision_log", "shop_settings", "vendor_lead_times"]  # fmt: skip
    for table in facts:
        for begin in (sweep_transaction, ingest_transaction):
            with (
                pytest.raises(psycopg2.errors.InsufficientPrivilege),
                begin() as conn,
                conn.cursor() as cur,
            ):
                cur.execute(f"SELECT 1 FROM {table}")


MUTANTS = {
    "a policy is dropped": "DROP POLICY own_shop ON variants; CREATE POLICY open ON variants TO keel_app USING (true)",
    "security is not on": "ALTER TABLE variants DISABLE ROW LEVEL SECURITY",
    "the role bypasses": "ALTER ROLE keel_app BYPASSRLS",
}
REPAIRS = {
    "a policy is dropped": "DROP POLICY open ON variants; CREATE POLICY own_shop ON variants TO keel_app"
    " USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id())",
    "security is not on": "ALTER TABLE variants ENABLE ROW LEVEL SECURITY",
    "the role bypasses": "ALTER ROLE keel_app NOBYPASSRLS",
}


@pytest.mark.parametrize("mutant", list(MUTANTS))
def test_the_matrix_would_notice(acme, rival, owner, mutant):
    """The guard broken on purpose: a rival's look must then find something, or the test above proves nothing."""
    price_row(acme)
    look = f"SELECT count(*) FROM variants WHERE shop_id = {acme.shop_id}"
    assert rows(rival, look) == [(0,)]
    owner.execute(MUTANTS[mutant])
    try:
        assert rows(rival, look) == [(1,)]
    finally:
        owner.execute(REPAIRS[mutant])
    assert rows(rival, look) == [(0,)]
