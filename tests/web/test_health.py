"""A process is ready where Postgres answers and is migrated; without Redis it still is."""

import pytest

from shopify_app.errors import TransientError
from shopify_app.web import create_app, health


@pytest.fixture
def client(database):
    return create_app().test_client()


def test_it_is_ready_with_a_migrated_database_and_nobody_at_redis_port(client):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {
        "status": "ready",
        "database": "ok",
        "pending_migrations": [],
        "redis": "unreachable",
    }


def test_it_is_not_ready_while_a_migration_waits_and_says_which(client, monkeypatch):
    monkeypatch.setattr(health, "pending_migrations", lambda: ["0099_to_come"])
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json["pending_migrations"]) == (503, ["0099_to_come"])


def test_it_lives_but_is_not_ready_while_postgres_is_away(client, monkeypatch):
    def away():
        raise TransientError("no connection")

    monkeypatch.setattr(health, "pending_migrations", away)

    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "unreachable")
