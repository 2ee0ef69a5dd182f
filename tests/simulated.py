"""A simulator and the app on real loopback sockets inside the test process; work is done when asked for."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg2
from werkzeug.serving import BaseWSGIServer, make_server

from launch.processes import ROOT
from shopify_app import config
from shopify_app.db import shops
from shopify_app.db.connection import sweep_transaction
from shopify_app.domain.shop import Shop
from simulator.app import create_app as create_simulator
from simulator.config import SimConfig
from simulator.state import Simulator, make_simulator
from simulator.world import kinds
from tests.conftest import CLIENT_ID, CLIENT_SECRET
from workers.pump import pump_once

PATIENCE = 60
"""Quiet turns after which an operation under way is waited for no longer."""


@dataclass
class World:
    """A simulated shop, Keel installed into it, and the means to let things happen."""

    sim: Simulator
    http: httpx.Client
    app_url: str
    domain: str

    def shop(self) -> Shop:
        with sweep_transaction() as conn:
            found = shops.by_domain(conn, self.domain)
        assert found is not None
        return found

    def control(self, act: str, **body: Any) -> Any:
        answer = self.http.post(f"/_sim/{self.domain}/{act}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, what: str, **query: Any) -> Any:
        return self.http.get(f"/_sim/{self.domain}/{what}", params=query).json()

    def faults(self, **switches: Any) -> None:
        self.http.put("/_sim/faults", json=switches)

    def behave(self) -> None:
        self.http.delete("/_sim/faults")

    def open_app(self) -> httpx.Response:
        return httpx.get(self.look("launch-url")["url"], timeout=30)

    def deliver(self) -> None:
        """Every webhook to its end, then everything that follows from it."""
        assert (
            self.http.post("/_sim/flush", json={"timeout_seconds": 60}, timeout=90).json()[
                "pending"
            ]
            == 0
        )
        self.work()

    def work(self, turns: int = 200) -> None:
        """Do what is due until nothing is, as the pump and its workers would."""
        quiet = 0
        for _ in range(turns):
            due = [
                task for task in pump_once(inline=True) if task != "workers.housekeeping.keep_house"
            ]
            quiet = 0 if due else quiet + 1
            # On a busy machine an operation of Shopify's may take longer than it is quiet.
            if quiet >= (PATIENCE if awaits_an_operation() else 3):
                return
            if not due:
                threading.Event().wait(0.35)
        raise AssertionError("the work does not end")


@contextmanager
def owner() -> Iterator[Any]:
    """A transaction of the tables' owner, who sees every shop."""
    conn = psycopg2.connect(config.settings().database_url)
    try:
        with conn:
            yield conn
    finally:
        conn.close()


def awaits_an_operation() -> bool:
    """Whether a step of an import waits for its bulk operation, to be looked at again within seconds."""
    with owner() as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT EXISTS (SELECT FROM backfills WHERE state = 'running' AND bulk_operation_id IS NOT NULL"
            " AND due_at < now() + interval '10 seconds')"
            " OR EXISTS (SELECT FROM due_work JOIN full_counts USING (shop_id) WHERE what = 'full_count'"
            " AND greatest(due_at, next_try_at) < now() + interval '10 seconds')"
        )
        row = cur.fetchone()
    return bool(row and row[0])


def serve(app: Any, door: socket.socket) -> BaseWSGIServer:
    """Answer on a socket that listens already: nobody can take its port meanwhile."""
    host, port = door.getsockname()
    server = make_server(host, port, app, threaded=True, fd=door.fileno())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@contextmanager
def simulated_world(
    folder: Path, monkeypatch: Any, kind: str = "tiny", *, last_days: int | None = None
) -> Iterator[World]:
    """A world with one shop of a kind; nothing is installed yet."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    sim_port, app_port = (door.getsockname()[1] for door in doors)
    app_url = f"http://127.0.0.1:{app_port}"
    for name, value in {
        "APP_URL": app_url,
        "SHOPIFY_BASE_URL_TEMPLATE": f"http://127.0.0.1:{sim_port}/{{shop}}",
        "APP_BRIDGE_URL": f"http://localhost:{sim_port}/app-bridge.js",
        "SHOPIFY_ADMIN_ORIGIN": f"http://localhost:{sim_port}",
    }.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    from shopify_app.web import create_app

    sim_config = SimConfig(
        folder, sim_port, app_url, ROOT / "shopify.app.toml", CLIENT_ID, CLIENT_SECRET
    )
    sim = make_simulator(sim_config)
    made = kinds.create_shop(sim.store, kind, last_days=last_days)
    servers = [serve(create_simulator(sim_config, sim), doors[0]), serve(create_app(), doors[1])]
    sim.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{sim_port}", timeout=60) as http:
        try:
            yield World(sim, http, app_url, made["shop"])
        finally:
            sim.stop()
            for server in servers:
                server.shutdown()
                server.server_close()
            for door in doors:
                door.close()


def install(world: World) -> Shop:
    """Grant, open, read the whole history, work out the first suggestions."""
    world.control("install")
    opened = world.open_app()
    assert opened.status_code == 200, opened.text[:500]
    world.work()
    return world.shop()
