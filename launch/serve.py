"""`./run serve`: the Procfile's processes against DATABASE_URL and REDIS_URL, embedded servers where unset."""

import contextlib
import os
import signal
import threading

from launch.demo import FOLDER
from launch.keel import start_keel
from launch.postgres import start_postgres
from launch.processes import Children, last_words
from launch.valkey import start_valkey


def main() -> int:
    """Start, watch, stop on Ctrl-C; 1 if a process ended by itself."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    environment = dict(os.environ)
    environment.setdefault("PORT", "5000")
    with contextlib.ExitStack() as stack:
        if "DATABASE_URL" not in environment:
            postgres = start_postgres(FOLDER / "postgres")
            stack.callback(postgres.stop)
            environment["DATABASE_URL"] = postgres.url
        if "REDIS_URL" not in environment:
            valkey = start_valkey(FOLDER / "valkey")
            stack.callback(valkey.stop)
            environment["REDIS_URL"] = valkey.url
        children = Children(FOLDER / "logs", environment)
        stack.callback(children.stop)
        start_keel(children)
        print(
            f"Keel serves on port {environment['PORT']}; logs are in {FOLDER.name}/logs. Ctrl-C stops it.",
            flush=True,
        )
        while not stop.wait(1):
            if fallen := children.fallen():
                print(f"{fallen.name} ended:\n{last_words(fallen)}", flush=True)
                return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
