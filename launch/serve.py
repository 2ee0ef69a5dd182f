"""`./run serve`: the Procfile's processes against DATABASE_URL and REDIS_URL, embedded servers where unset."""

import contextlib
import os
import sys
from typing import Final

import psycopg2

from launch.folder import FOLDER, held
from launch.keel import start_keel
from launch.ports import is_free
from launch.postgres import start_postgres
from launch.processes import Children, stop_on_signals
from launch.valkey import start_valkey
from shopify_app.config import read_settings
from shopify_app.errors import AppError, MissingSettingsError

PORT: Final = "5000"


def main() -> int:
    """Start, watch, stop on Ctrl-C; 1 with a reason if it cannot start or a process ended by itself."""
    stop = stop_on_signals()
    environment = {name: value for name, value in os.environ.items() if value}
    environment.setdefault("PORT", PORT)
    try:
        _refuse_what_cannot_work(environment)
        with contextlib.ExitStack() as stack:
            _embed_what_is_unset(environment, stack)
            children = Children(FOLDER / "logs", environment)
            stack.callback(children.stop)
            start_keel(children)
            print(
                f"Keel serves on port {environment['PORT']}; logs are in {children.logs}. Ctrl-C stops it.",
                flush=True,
            )
            while not stop.wait(1):
                children.raise_if_fallen()
    except MissingSettingsError as error:
        return _give_up(f"these settings are missing (see .env.example): {error}")
    except (AppError, RuntimeError, TimeoutError, psycopg2.OperationalError) as error:
        return _give_up(str(error).strip())
    print("Everything is stopped.", flush=True)
    return 0


def _give_up(words: str) -> int:
    print(f"Stopped: {words}", file=sys.stderr, flush=True)
    return 1


def _refuse_what_cannot_work(environment: dict[str, str]) -> None:
    """Name every missing setting before anything starts."""
    read_settings(
        {"DATABASE_URL": "embedded", "REDIS_URL": "embedded"} | environment
    )  # what is unset is started here
    if not is_free(int(environment["PORT"])):
        raise RuntimeError(f"port {environment['PORT']} is taken; set PORT to another one")


def _embed_what_is_unset(environment: dict[str, str], stack: contextlib.ExitStack) -> None:
    if "DATABASE_URL" in environment and "REDIS_URL" in environment:
        return
    stack.enter_context(held(FOLDER))
    if "DATABASE_URL" not in environment:
        postgres = start_postgres(FOLDER / "postgres")
        stack.callback(postgres.stop)
        environment["DATABASE_URL"] = postgres.url
    if "REDIS_URL" not in environment:
        valkey = start_valkey(FOLDER / "valkey")
        stack.callback(valkey.stop)
        environment["REDIS_URL"] = valkey.url


if __name__ == "__main__":
    raise SystemExit(main())
