"""Static files and probes."""

import gzip

import psycopg2
import pytest

from shopify_app.web import create_app
from shopify_app.web.assets import FOLDER, asset, assets


@pytest.fixture
def client(database):
    return create_app().test_client()


def test_a_hashed_file_is_kept_for_ever_and_compressed_once(client):
    answer = client.get(asset("app.css"), headers={"Accept-Encoding": "gzip, br"})

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == assets()["app.css"].raw


def test_an_old_hash_is_not_answered_with_newer_bytes(client):
    assert client.get("/static/000000000000/app.css").status_code == 404


def test_the_stylesheet_asks_for_the_hashed_font():
    assert asset("inter.woff2").encode() in assets()["app.css"].raw


def test_the_first_visit_is_small():
    small = sum(len(a.gzipped or a.raw) for a in assets().values())

    assert small < 60_000
    assert (FOLDER / "app.js").stat().st_size < 6_144


def test_ready_needs_the_database_but_not_redis(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json["redis"]) == (200, "unreachable")


def test_not_ready_while_a_migration_is_missing(client, database):
    conn = psycopg2.connect(database)
    conn.autocommit = True
    with conn.cursor() as cur:
        cur.execute("UPDATE schema_migrations SET checksum = checksum || 'x' WHERE number = 1")
        try:
            assert client.get("/readyz").status_code == 503
        finally:
            cur.execute(
                "UPDATE schema_migrations SET checksum = left(checksum, 64) WHERE number = 1"
            )
    conn.close()
