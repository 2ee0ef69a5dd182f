"""Runs a simulator: `python -m simulator --data DIR --port P --app-url URL --client-id X --client-secret Y`."""

import argparse
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from simulator.app import create_app
from simulator.cases.reading import domain_of, read_case
from simulator.config import SimConfig
from simulator.graphql.schema import schema
from simulator.state import Simulator, make_simulator
from simulator.world import described, kinds


class Server(BaseApplication):
    """gunicorn with one worker: the shops' state and threads are in one process."""

    def __init__(self, app: Flask, state: Simulator, port: int) -> None:
        self._app, self._state, self._port = app, state, port
        super().__init__()

    def load_config(self) -> None:
        """One worker, threads, loopback."""
        options: dict[str, Any] = {
            "bind": f"127.0.0.1:{self._port}",
            "workers": 1,
            "threads": 16,
            "worker_class": "gthread",
            "timeout": 300,
            "graceful_timeout": 5,
            "loglevel": "warning",
            "post_worker_init": lambda _: self._state.start(),
            "worker_exit": lambda _server, _worker: self._state.stop(),
            "proc_name": "keel-simulator",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The app."""
        return self._app


def main() -> None:
    """Make the shops that were asked for, then serve."""
    arguments = _arguments().parse_args()
    config = SimConfig(
        Path(arguments.data),
        arguments.port,
        arguments.app_url.rstrip("/"),
        Path(arguments.app_toml),
        arguments.client_id,
        arguments.client_secret,
        arguments.old_client_secret,
    )
    schema()  # takes a second: nobody's first request shall wait for it
    state = make_simulator(config)
    for wanted in arguments.shop:
        kind, _, seed = wanted.partition(":")
        made = kinds.create_shop(state.store, kind, int(seed or 0))
        print(
            f"shop {made['shop']}: {made['orders']} orders, {made['order_lines']} lines, {made['seconds']} s",
            flush=True,
        )
    for path in arguments.case:
        told = described.make(state.store, domain_of(path), read_case(path).shop)
        print(
            f"shop {told['shop']}: {told['orders']} orders, {told['variants']} variants", flush=True
        )
    state.store.connection().close()
    state = make_simulator(config)
    Server(create_app(config, state), state, arguments.port).run()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--data", required=True, help="folder of the simulated shops")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--app-url", required=True, help="where the app answers")
    parser.add_argument("--app-toml", default="shopify.app.toml")
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--client-secret", required=True)
    parser.add_argument("--old-client-secret", default="")
    parser.add_argument(
        "--shop", action="append", default=[], help="KIND[:SEED], made unless it is there"
    )
    parser.add_argument(
        "--case",
        action="append",
        default=[],
        type=Path,
        help="a file whose shop is made unless it is there",
    )
    return parser


if __name__ == "__main__":
    main()
