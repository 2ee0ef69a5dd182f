"""`./run demo`: a real shop's history in a simulated Shopify, Keel installed into it, one URL."""

import argparse
import contextlib
import subprocess
import threading
import time
import webbrowser
from pathlib import Path
from typing import Final

import httpx

from launch import case_steps
from launch.folder import FOLDER, forget, held
from launch.ports import is_free
from launch.processes import ROOT, python, stop_on_signals
from launch.simulated import Simulated, StoppedError, simulated_shop
from simulator.cases.case import Case
from simulator.cases.reading import BadCaseError, read_case

PORT: Final = 5000
HISTORY_MINUTES: Final = 20
DRAIN_SECONDS: Final = 120
SHOPS: Final = ("uk-gifts", "tiny", "noise", "slow", "apparel", "hostile")
STEP_WORDS: Final = {
    "shop": "shop and locations",
    "products": "products and costs",
    "inventory": "stock",
    "orders": "orders",
    "refunds": "refunds",
    "ledger": "the money of refunded and edited orders",
    "sales": "sales a day",
    "decisions": "asking for decisions",
}


def main(argv: list[str] | None = None) -> int:
    """Start everything, show how the history comes in, print the URL, wait for Ctrl-C."""
    arguments = _arguments().parse_args(argv)
    stop = stop_on_signals()
    try:
        with held(FOLDER):
            if arguments.reset:
                forget(FOLDER)
            _run(arguments, stop)
    except StoppedError:
        pass
    except (RuntimeError, TimeoutError, BadCaseError) as error:
        _say(f"Stopped: {error}")
        return 1
    _say("Everything is stopped.")
    return 0


def _run(arguments: argparse.Namespace, stop: threading.Event) -> None:
    began = time.monotonic()
    port = arguments.port or _a_free_port()
    with simulated_shop(FOLDER, port=port, shop=arguments.shop, stop=stop, say=_say) as running:
        case = read_case(Path(arguments.shop)) if arguments.shop.endswith(".json") else None
        is_new = not running.rows("SELECT 1 FROM shops WHERE domain = %s", running.domain)
        running.install(case.shop.scopes if case else None)
        _say(f"Keel is installed into {running.domain}; it reads the history:")
        _show_progress(running, stop)
        if case is not None and is_new and not stop.is_set():
            _play(case, running, stop)
        if stop.is_set():
            return
        handle = running.domain.partition(".")[0]
        url = f"http://localhost:{port + 1}/store/{handle}/apps/keel"
        _say(
            f"Open decisions on Home: {_open_decisions(running)}, {time.monotonic() - began:.0f} s after the start."
        )
        _say(
            f"\n  Keel in the simulated admin:  {url}\n\n  Ctrl-C stops everything; the next start goes on from here."
        )
        if not arguments.no_browser:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(url)
        while not stop.wait(1):
            running.children.raise_if_fallen()
        _say("\nStopping ...")


def _play(case: Case, running: Simulated, stop: threading.Event) -> None:
    """Do what a case does once its history is read; once only, whatever is started again."""
    with httpx.Client(
        base_url=running.children.environment["APP_URL"], timeout=60, trust_env=False
    ) as keel:
        if case.shop.settings:
            case_steps.save_settings(case.shop.settings, running.sim, keel, running.domain)
    case_steps.play(
        case.webhooks,
        running.sim,
        running.domain,
        drain=lambda: _drain(running, stop),
        keel=case_steps.KeelActs(
            lambda since: _keel(
                running, "reconcile", *(() if since is None else ("--since", since))
            ),
            lambda: _keel(running, "count"),
        ),
    )
    _drain(running, stop)
    _say(f"The case's {len(case.webhooks)} steps are done.")


def _drain(running: Simulated, stop: threading.Event) -> None:
    """Wait until Keel has taken in everything that came."""
    deadline = time.monotonic() + DRAIN_SECONDS
    waiting = "SELECT 1 FROM webhook_inbox WHERE done_at IS NULL AND dead_at IS NULL LIMIT 1"
    while running.rows(waiting) and not stop.wait(0.2):
        running.children.raise_if_fallen()
        if time.monotonic() > deadline:
            raise TimeoutError("the case's news was not taken in")


def _keel(running: Simulated, command: str, *arguments: str) -> None:
    """An operator's command about the shop."""
    done = subprocess.run(
        python("shopify_app.cli", command, "--shop", running.domain, *arguments),
        check=False,
        cwd=ROOT,
        env=running.children.environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"keel {command}: {done.stderr}")


def _a_free_port() -> int:
    """The usual port, or the next pair that nobody listens on (macOS' AirPlay has 5000)."""
    for port in range(PORT, PORT + 100, 10):
        if is_free(port) and is_free(port + 1):
            if port != PORT:
                _say(f"Port {PORT} is taken: using {port}.")
            return port
    raise RuntimeError(f"ports {PORT} to {PORT + 99} are taken; try --port")


def _show_progress(running: Simulated, stop: threading.Event) -> None:
    """Say of each step of the history when it is done and how long it took, until decisions are there."""
    said: set[str] = set()
    deadline = time.monotonic() + HISTORY_MINUTES * 60
    while not stop.is_set():
        running.children.raise_if_fallen()
        steps = running.rows(
            "SELECT b.step, b.state, b.rows_loaded, extract(epoch FROM b.finished_at - b.started_at), b.error"
            " FROM backfills b JOIN shops s USING (shop_id) WHERE s.domain = %s ORDER BY b.position",
            running.domain,
        )
        for step, state, rows, seconds, error in steps:
            if state == "done" and step not in said:
                said.add(step)
                _say(
                    f"  {STEP_WORDS[step]:<22} {f'{rows:,} rows' if rows else '':>14}   {float(seconds or 0):6.1f} s"
                )
            if state == "failed":
                raise RuntimeError(f"reading {STEP_WORDS[step]} failed: {error}")
        if steps and all(step[1] == "done" for step in steps) and _has_decided(running):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"the history was not in after {HISTORY_MINUTES} minutes; see {running.children.logs}"
            )
        stop.wait(0.5)


def _has_decided(running: Simulated) -> bool:
    return bool(
        running.rows(
            "SELECT 1 FROM suggestion_runs r JOIN shops s USING (shop_id) WHERE s.domain = %s LIMIT 1",
            running.domain,
        )
    )


def _open_decisions(running: Simulated) -> int:
    rows = running.rows(
        "SELECT count(*) FROM suggestions g JOIN shops s USING (shop_id) WHERE s.domain = %s AND g.state = 'open'",
        running.domain,
    )
    return int(rows[0][0])


def _say(words: str) -> None:
    print(words, flush=True)


def _shop(text: str) -> str:
    if text.endswith(".json"):
        try:
            read_case(Path(text))
        except BadCaseError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return str(Path(text).absolute())
    kind, colon, seed = text.partition(":")
    if kind not in SHOPS or (colon and not seed.isdigit()):
        raise argparse.ArgumentTypeError(
            f"must be KIND or KIND:SEED, of {', '.join(SHOPS)}, or a case's FILE.json"
        )
    return text


def _port(text: str) -> int:
    if not text.isdigit() or not 1_024 <= int(text) <= 65_534:
        raise argparse.ArgumentTypeError("must be a port from 1024 to 65534")
    return int(text)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument(
        "--shop",
        type=_shop,
        default="uk-gifts",
        help="uk-gifts (real history; the default), tiny, noise, slow, apparel or hostile; KIND:SEED; or a case's FILE.json",
    )
    parser.add_argument(
        "--port",
        type=_port,
        help=f"the app's port ({PORT} or the next free one); the simulated admin takes the one after it",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print the URL")
    parser.add_argument("--reset", action="store_true", help="forget the data of earlier starts")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
