"""What the tables allow."""

import re

import psycopg2


def allowed(database, table, column="state"):
    """The words of a CHECK of a table, as Postgres has them."""
    conn = psycopg2.connect(database)
    try:
        with conn.cursor() as cur:
            cur.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s",
                (table, f"{table}_{column}_check"),
            )
            (text,) = cur.fetchone()
    finally:
        conn.close()
    return set(re.findall(r"'(\w+)'::text", text))
