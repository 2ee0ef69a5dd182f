"""A simulated Shopify with Keel installed into it, on embedded servers: what the demo and the benchmarks start.

In: a folder of one's own (data and logs stay there between two starts), a port, a kind of shop.
Out: `Simulated`, which knows the processes, the simulator's controls and the database.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg2

from launch.keel import environment, local_secrets, start_keel
from launch.ports import is_free, wait_for
from launch.postgres import EmbeddedPostgres, start_postgres
from launch.processes import Children, python
from launch.valkey import EmbeddedValkey, start_valkey
from simulator.cases import reading

Say = Callable[[str], None]

SHOP_SECONDS: Final = 180
"""How long the simulated shop may take to be made (sixteen months of orders are unpacked once)."""

APP_SECONDS: Final = 60


class StoppedError(Exception):
    """We were asked to stop while something was still coming up."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A running simulated shop and Keel beside it."""

    children: Children
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    sim: httpx.Client
    domain: str

    def install(self, scopes: list[str] | None = None) -> None:
        """Go the real install path: the merchant grants (all unless told), the admin opens the app's URL with a signed ID token.

        Raises
        ------
        RuntimeError
            If the app did not open.
        """
        asked = {} if scopes is None else {"scopes": scopes}
        url = self.control("install", **asked)["launch_url"]
        answer = httpx.get(url, timeout=60)
        if answer.status_code != 200:
            raise RuntimeError(f"the app did not open: HTTP {answer.status_code}")

    def control(self, act: str, **body: Any) -> Any:
        """Do something in the shop, by the simulator's controls; its answer."""
        answer = self.sim.post(f"_sim/{self.domain}/{act}", json=body)
        if answer.status_code != 200:
            raise RuntimeError(f"the simulator refused {act}: {answer.text}")
        return answer.json()

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Rows of Keel's own database (its owner sees every shop)."""
        conn = psycopg2.connect(self.children.environment["DATABASE_URL"])
        try:
            with conn.cursor() as cur:
                cur.execute(query, values)
                return cur.fetchall()
        finally:
            conn.close()


@contextlib.contextmanager
def simulated_shop(
    folder: Path, *, port: int, shop: str, stop: threading.Event, say: Say
) -> Iterator[Simulated]:
    """Servers, simulator and Keel's processes; all stopped on the way out.

    Raises
    ------
    RuntimeError
        If a port is taken, or a process ended by itself.
    StoppedError
        If `stop` was set before everything was up.
    """
    for wanted in (port, port + 1):
        if not is_free(wanted):
            raise RuntimeError(f"port {wanted} is taken; try --port {port + 10}")
    with contextlib.ExitStack() as stack:
        logs = folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        postgres = start_postgres(folder / "postgres", log=logs / "postgres.log")
        stack.callback(postgres.stop)
        valkey = start_valkey(folder / "valkey")
        stack.callback(valkey.stop)
        say("Postgres and Valkey are up.")
        secret = local_secrets(folder)
        settings = environment(
            app_port=port,
            simulator_port=port + 1,
            database_url=postgres.url,
            redis_url=valkey.url,
            secret=secret,
        )
        children = Children(logs, settings)
        stack.callback(children.stop)
        _keep_settings(folder, settings)
        _start_simulator(children, folder, shop)
        sim = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port + 1}/", timeout=60, trust_env=False)
        )
        running = Simulated(children, postgres, valkey, sim, domain_of(shop))
        _await(running, sim, "_sim/health", stop, what="the simulated shop", seconds=SHOP_SECONDS)
        say(f"The simulated shop is open ({running.domain}).")
        start_keel(children)
        with httpx.Client(base_url=settings["APP_URL"], timeout=10, trust_env=False) as app:
            _await(running, app, "readyz", stop, what="the app", seconds=APP_SECONDS)
        say("Web, workers and pump are up.")
        yield running


def domain_of(shop: str) -> str:
    """The domain of a shop named KIND, KIND:SEED or by a case's file."""
    if shop.endswith(".json"):
        return reading.domain_of(Path(shop))
    return f"{shop.partition(':')[0]}.myshopify.com"


def _start_simulator(children: Children, folder: Path, shop: str) -> None:
    settings = children.environment
    children.start(
        "simulator",
        *python("simulator"),
        *("--data", str(folder / "simulator")),
        *("--port", str(int(settings["PORT"]) + 1)),
        *("--app-url", settings["APP_URL"]),
        *("--client-id", settings["SHOPIFY_API_KEY"]),
        *("--client-secret", settings["SHOPIFY_API_SECRET"]),
        *("--case" if shop.endswith(".json") else "--shop", shop),
    )


def _keep_settings(folder: Path, settings: dict[str, str]) -> None:
    """Leave the settings where `./run keel` finds them, readable by their owner only."""
    path = folder / "environment.json"
    path.touch(mode=0o600)
    ours = {name: value for name, value in settings.items() if os.environ.get(name) != value}
    path.write_text(json.dumps(ours))


def _await(
    running: Simulated,
    client: httpx.Client,
    path: str,
    stop: threading.Event,
    *,
    what: str,
    seconds: float,
) -> None:
    def answers() -> bool:
        if stop.is_set():
            raise StoppedError
        running.children.raise_if_fallen()
        with contextlib.suppress(httpx.HTTPError):
            return client.get(path).status_code == 200
        return False

    wait_for(answers, what=what, seconds=seconds)
