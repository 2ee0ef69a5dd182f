"""Real parts for every test: an embedded Postgres a test process, migrated once, emptied between tests."""

import base64
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from launch.postgres import EmbeddedPostgres, start_postgres
from launch.valkey import EmbeddedValkey, start_valkey
from shopify_app import config
from shopify_app.db import connection
from shopify_app.db.migrate import migrate
from shopify_app.domain.shop import Shop
from tests.factories import make_shop

CLIENT_ID = "0123456789abcdef0123456789abcdef"
CLIENT_SECRET = "shpss_0123456789abcdef0123456789abcdef"
TOKEN_KEY = "k1:" + base64.b64encode(b"0" * 32).decode()


def settings_of(database_url: str) -> dict[str, str]:
    """The settings of a test: real Postgres, nobody at Redis' port, the vectors' client id and secret."""
    return {
        "APP_ENV": "test",
        "APP_URL": "http://127.0.0.1:5999",
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "TOKEN_KEYS": TOKEN_KEY,
        "SHOPIFY_API_KEY": CLIENT_ID,
        "SHOPIFY_API_SECRET": CLIENT_SECRET,
        "SHOPIFY_API_VERSION": "2026-10",
        "METRICS_PORT": "0",
        "LEDGER_WAIT_SECONDS": "0",
    }


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="keel-test-pg-") as folder:
        Path(folder).chmod(0o755)
        server = start_postgres(Path(folder) / "postgres", losable=True)
        migrate(server.url)
        yield server
        connection.close_pool()
        server.stop()


@pytest.fixture(scope="module")
def database_of_module(postgres: EmbeddedPostgres, request: pytest.FixtureRequest) -> str:
    """A migrated database that no other module's tests leave anything in; its owner's URL.

    For worlds that live as long as their module: what is due there is theirs.
    """
    url = new_database(postgres, re.sub(r"\W", "_", request.module.__name__)[-60:])
    migrate(url)
    return url


def new_database(postgres: EmbeddedPostgres, name: str) -> str:
    """The owner's URL of a database of that name, with nothing in it."""
    owner = psycopg2.connect(postgres.url_of("postgres"))
    owner.autocommit = True
    with owner.cursor() as cur:
        cur.execute(f"DROP DATABASE IF EXISTS {name}")
        cur.execute(f"CREATE DATABASE {name}")
    owner.close()
    return postgres.url_of(name)


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedValkey]:
    with tempfile.TemporaryDirectory(prefix="keel-test-vk-") as folder:
        server = start_valkey(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def settings_env(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in settings_of(postgres.url).items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    yield
    config.settings.cache_clear()


@pytest.fixture
def database(settings_env: None, postgres: EmbeddedPostgres) -> str:
    """The migrated database, empty; its owner's URL."""
    _empty(postgres.url)
    return postgres.url


@pytest.fixture
def acme(database: str) -> Shop:
    """Our shop."""
    return make_shop("acme.myshopify.com")


@pytest.fixture
def rival(database: str) -> Shop:
    """The shop that must see nothing of ours, and we nothing of its."""
    return make_shop("rival.myshopify.com", currency="JPY", timezone="Asia/Tokyo")


def _empty(url: str) -> None:
    conn = psycopg2.connect(url)
    conn.autocommit = True
    with conn.cursor() as cur:
        cur.execute(
            "SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"
        )
        tables = cur.fetchone()[0]
        cur.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    conn.close()


os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A simulated `tiny` shop beside the app; see tests/simulated.py."""
    from tests.simulated import simulated_world

    with simulated_world(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def home(world: object) -> Shop:
    """The world's shop with its history read; ask for it before a rival."""
    from tests.kept_worlds import installed

    return installed(world)


@pytest.fixture
def apron(world: object) -> tuple[int, int]:
    """(variant, suggestion): the one open decision of a simulated shop; see tests/price_writes.py."""
    from tests.price_writes import price_suggestion

    return price_suggestion(world)


@pytest.fixture
def stall(acme: Shop) -> tuple[Shop, list[int], list[int]]:
    """(shop, suggestions, variants): a shop whose decisions can be measured; see tests/stall.py."""
    from tests.stall import make_stall

    return make_stall(acme)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: a file stays with one process, and the last one shall be a short one."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
