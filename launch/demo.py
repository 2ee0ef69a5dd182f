"""`./run demo`: a real shop's history in a simulated Shopify, Keel installed into it, one URL."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import threading
import time
import webbrowser
from collections.abc import Iterator
from typing import Any, Final

import httpx
import psycopg2

from launch.keel import environment, local_secrets, start_keel
from launch.ports import is_free, wait_for
from launch.postgres import forget_data, start_postgres
from launch.processes import ROOT, Children, last_words, python
from launch.valkey import start_valkey

FOLDER: Final = ROOT / ".keel"
HISTORY_MINUTES: Final = 20
STEP_WORDS: Final = {
    "shop": "shop and locations",
    "products": "products and costs",
    "inventory": "stock",
    "orders": "orders",
    "refunds": "refunds",
    "sales": "sales a day",
    "decisions": "asking for decisions",
}


def main(argv: list[str] | None = None) -> int:
    """Start everything, show how the history comes in, print the URL, wait for Ctrl-C."""
    arguments = _arguments().parse_args(argv)
    if arguments.reset:
        forget_data(FOLDER / "postgres")
        shutil.rmtree(FOLDER, ignore_errors=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    began = time.monotonic()
    try:
        with _everything(arguments.port, arguments.shop) as (children, sim):
            domain = f"{arguments.shop.partition(':')[0]}.myshopify.com"
            _install(sim, domain)
            _show_progress(children, domain, stop)
            if not stop.is_set():
                url = f"{sim.base_url.copy_with(host='localhost')}store/{domain.split('.', maxsplit=1)[0]}/apps/keel"
                _say(
                    f"Home shows {_open_decisions(children, domain)} decisions, {time.monotonic() - began:.0f} s after the start."
                )
                _say(
                    f"\n  Keel in the simulated admin:  {url}\n\n  Ctrl-C stops everything; the next start goes on from here."
                )
                if not arguments.no_browser:
                    webbrowser.open(url)
                _wait(children, stop)
    except (RuntimeError, TimeoutError) as error:
        _say(f"Stopped: {error}")
        return 1
    _say("Everything is stopped.")
    return 0


@contextlib.contextmanager
def _everything(port: int, shop: str) -> Iterator[tuple[Children, httpx.Client]]:
    """Servers, simulator and Keel; all stopped on the way out."""
    app_port, simulator_port = port, port + 1
    for wanted in (app_port, simulator_port):
        if not is_free(wanted):
            raise RuntimeError(f"port {wanted} is taken; try --port {wanted + 10}")
    logs = FOLDER / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        postgres = start_postgres(FOLDER / "postgres", log=logs / "postgres.log")
        stack.callback(postgres.stop)
        valkey = start_valkey(FOLDER / "valkey")
        stack.callback(valkey.stop)
        _say("Postgres and Valkey are up.")
        secret = local_secrets(FOLDER)
        children = Children(
            logs,
            environment(
                app_port=app_port,
                simulator_port=simulator_port,
                database_url=postgres.url,
                redis_url=valkey.url,
                secret=secret,
            ),
        )
        stack.callback(children.stop)
        _keep_settings(children)
        simulator = children.start(
            "simulator",
            *python(
                "simulator",
                "--data",
                str(FOLDER / "simulator"),
                "--port",
                str(simulator_port),
                "--app-url",
                f"http://127.0.0.1:{app_port}",
                "--client-id",
                secret.api_key,
                "--client-secret",
                secret.api_secret,
                "--shop",
                shop,
            ),
        )
        sim = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{simulator_port}/", timeout=60)
        )
        _await_url(sim, "_sim/health", children, what="the simulated shop", seconds=180)
        _say(f"The simulated shop is open ({simulator.name}).")
        start_keel(children)
        with httpx.Client(base_url=f"http://127.0.0.1:{app_port}/", timeout=10) as app:
            _await_url(app, "readyz", children, what="the app", seconds=60)
        _say("Web, workers and pump are up.")
        yield children, sim


def _keep_settings(children: Children) -> None:
    """Leave the settings where `./run keel` finds them, readable by their owner only."""
    path = FOLDER / "environment.json"
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                name: value
                for name, value in children.environment.items()
                if os.environ.get(name) != value
            }
        )
    )


def _await_url(
    client: httpx.Client, path: str, children: Children, *, what: str, seconds: float
) -> None:
    def answers() -> bool:
        if fallen := children.fallen():
            raise RuntimeError(f"{fallen.name} ended:\n{last_words(fallen)}")
        with contextlib.suppress(httpx.HTTPError):
            return client.get(path).status_code == 200
        return False

    wait_for(answers, what=what, seconds=seconds)


def _install(sim: httpx.Client, domain: str) -> None:
    """The real install path: the merchant grants, the admin opens the app's URL with a signed ID token."""
    url = sim.post(f"_sim/{domain}/install", json={}).json()["launch_url"]
    answer = httpx.get(url, timeout=60)
    if answer.status_code != 200:
        raise RuntimeError(f"the app did not open: HTTP {answer.status_code}")
    _say(f"Installed into {domain}.")


def _show_progress(children: Children, domain: str, stop: threading.Event) -> None:
    """Say of each step of the history when it is done and how long it took, until decisions are there."""
    said: set[str] = set()
    deadline = time.monotonic() + HISTORY_MINUTES * 60
    while not stop.is_set():
        if fallen := children.fallen():
            raise RuntimeError(f"{fallen.name} ended:\n{last_words(fallen)}")
        steps = _rows(
            children,
            domain,
            "SELECT b.step, b.state, b.rows_loaded, extract(epoch FROM b.finished_at - b.started_at), b.error"
            " FROM backfills b JOIN shops s USING (shop_id) WHERE s.domain = %s ORDER BY b.position",
        )
        for step, state, rows, seconds, error in steps:
            if state == "done" and step not in said:
                said.add(step)
                _say(
                    f"  {STEP_WORDS[step]:<22} {f'{rows:,} rows' if rows else '':>14}   {float(seconds or 0):6.1f} s"
                )
            if state == "failed":
                raise RuntimeError(f"reading {STEP_WORDS[step]} failed: {error}")
        runs = _rows(
            children,
            domain,
            "SELECT extract(epoch FROM r.finished_at - s.installed_at) FROM suggestion_runs r"
            " JOIN shops s USING (shop_id) WHERE s.domain = %s ORDER BY r.id LIMIT 1",
        )
        if steps and all(step[1] == "done" for step in steps) and runs:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"the history was not in after {HISTORY_MINUTES} minutes; see {children.logs.name}/"
            )
        stop.wait(0.5)


def _open_decisions(children: Children, domain: str) -> int:
    rows = _rows(
        children,
        domain,
        "SELECT count(*) FROM suggestions g JOIN shops s USING (shop_id) WHERE s.domain = %s AND g.state = 'open'",
    )
    return int(rows[0][0])


def _rows(children: Children, domain: str, query: str) -> list[Any]:
    """Rows of the demo's own database (its owner sees every shop)."""
    conn = psycopg2.connect(children.environment["DATABASE_URL"])
    try:
        with conn.cursor() as cur:
            cur.execute(query, (domain,))
            return cur.fetchall()
    finally:
        conn.close()


def _wait(children: Children, stop: threading.Event) -> None:
    while not stop.wait(1):
        if fallen := children.fallen():
            raise RuntimeError(f"{fallen.name} ended:\n{last_words(fallen)}")


def _say(words: str) -> None:
    print(words, flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument(
        "--shop",
        default="uk-gifts",
        help="uk-gifts (real history), apparel, noise, slow, hostile, tiny; KIND:SEED",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=5000,
        help="the app's port; the simulated admin takes the next one",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the URL")
    parser.add_argument("--reset", action="store_true", help="forget the data of earlier starts")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
