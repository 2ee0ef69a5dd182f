"""The books after a month of misbehaving webhooks: `./run bench facts [--days 30] [--shop uk-gifts]`.

In: a simulated shop with its history read through the real install path (the demo's, by default).
Method: orders of which lines alone do not tell the money are placed, and changed a day later (edits, refunds, an exchange,
    tips, gift cards, other currencies: bench/lib/odd_orders.py); N simulated days go by; every webhook may come twice, late, out of order or never. When the
    inbox is empty the operator's own `keel reconcile` mends what was lost, and `keel facts` is held
    against the simulator's ledger: every day, every field, catalogue and stock.
Out: a table and one JSON line: differences (target 0), seconds from the first of the days to equal
    books, CPU seconds by process.
Weak: days go by as fast as the machine allows, so a month's webhooks come in minutes; the seconds
    are those of a machine that does nothing else.
"""

import argparse
import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Final

from bench.lib import living_shop, report
from bench.lib.cpu import cpu_seconds
from bench.lib.living_shop import is_quiet, until
from bench.lib.odd_orders import OddOrders, books_differ
from bench.lib.report import Target
from launch.demo import SHOPS
from launch.processes import ROOT, python
from launch.simulated import Simulated, StoppedError

TARGET_SECONDS_A_DAY: Final = 10.0
"""Thirty days of the demo shop within five minutes on two cores that do nothing else."""

HISTORY_SECONDS: Final = 1_800
DRAIN_SECONDS: Final = 3_600


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 if every figure is equal."""
    arguments = _arguments().parse_args(argv)
    return living_shop.unless_stopped(lambda stop: _run(arguments, stop))


def _run(arguments: argparse.Namespace, stop: threading.Event) -> int:
    with living_shop.started(
        "facts", arguments.shop, stop, port=arguments.port, folder=arguments.folder
    ) as running:
        timing: dict[str, float] = {}
        with _Timed(timing, "history"):
            living_shop.read_history(running, stop, HISTORY_SECONDS)
        print(f"The history is in after {timing['history']:.0f} s.", flush=True)
        before = differences(running)
        result = live_through(running, arguments, stop, timing)
    return _report(arguments, result, before, timing)


def live_through(
    running: Simulated,
    arguments: argparse.Namespace,
    stop: threading.Event,
    timing: dict[str, float],
) -> dict[str, Any]:
    """Let the days go by and the books come right; what happened."""
    faults = {
        "webhook_duplicate": arguments.duplicate,
        "webhook_reorder": arguments.reorder,
        "webhook_reorder_seconds": arguments.reorder_seconds,
        "webhook_drop": arguments.drop,
    }
    running.sim.put("_sim/faults", json=faults).raise_for_status()
    cpu = _cpu(running)
    with _Timed(timing, "advance"):
        happened = {"orders": 0, "units": 0, "deliveries": 0}
        odd = odd_orders(running)
        odd.place()
        for number in range(arguments.days):
            if number == 1:
                odd.change()
            day = running.control("advance", days=1)
            happened = {name: happened[name] + day[name] for name in happened}
            if stop.is_set():
                raise StoppedError
    print(f"{arguments.days} days made {happened['deliveries']:,} deliveries.", flush=True)
    with _Timed(timing, "drain"):
        until(running, stop, lambda: is_quiet(running), DRAIN_SECONDS)
    unmended = differences(running)
    with _Timed(timing, "reconcile"):
        healed = keel(running, "reconcile", "--shop", running.domain)["healed"]
        until(running, stop, lambda: is_quiet(running), DRAIN_SECONDS)
    spent = {name: round(now - cpu[name], 1) for name, now in _cpu(running).items()}
    return {
        **happened,
        "sent": _sent(running),
        "healed": healed,
        "unmended": len(unmended),
        "different": differences(running),
        "inbox": keel(running, "inbox"),
        "cpu_seconds": spent,
    }


def odd_orders(running: Simulated) -> OddOrders:
    """Orders of which lines alone do not tell the money, to be placed and changed at the shop's present time."""
    looks = f"_sim/{running.domain}"
    state = running.sim.get(f"{looks}/state").json()
    return OddOrders(running.control, running.sim.get(f"{looks}/variants").json(), state)


def differences(running: Simulated) -> list[str]:
    """Every field in which the app's books are not the shop's own."""
    ours = keel(running, "facts", "--shop", running.domain)
    theirs = running.sim.get(f"_sim/{running.domain}/ledger").json()
    return books_differ(ours, theirs)


def keel(running: Simulated, *command: str) -> Any:
    """An operator's command, as its JSON says."""
    done = subprocess.run(  # noqa: S603 -- our own command line
        python("shopify_app.cli", *command, "--json"),
        check=False,
        cwd=ROOT,
        env=running.children.environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"keel {' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


class _Timed:
    """Books how long a block took."""

    def __init__(self, timing: dict[str, float], name: str) -> None:
        self._timing, self._name, self._began = timing, name, 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._timing[self._name] = time.monotonic() - self._began


def _sent(running: Simulated) -> dict[str, int]:
    """How the inbox's deliveries ended, by outcome."""
    return dict(
        running.rows(
            "SELECT coalesce(outcome, CASE WHEN dead_at IS NULL THEN 'waiting' ELSE 'dead' END), count(*)::int"
            " FROM webhook_inbox GROUP BY 1 ORDER BY 1"
        )
    )


def _cpu(running: Simulated) -> dict[str, float]:
    roots = {child.name: child.process.pid for child in running.children.running}
    roots |= {"postgres": running.postgres.process.pid, "valkey": running.valkey.process.pid}
    return {name: cpu_seconds(pid) for name, pid in roots.items()}


def _report(
    arguments: argparse.Namespace,
    result: dict[str, Any],
    before: list[str],
    timing: dict[str, float],
) -> int:
    total = sum(timing[name] for name in ("advance", "drain", "reconcile"))
    cpu = sum(result["cpu_seconds"].values())
    target = TARGET_SECONDS_A_DAY * arguments.days
    print(f"\n{'step':<22}{'seconds':>10}")
    for name, seconds in timing.items():
        print(f"{name:<22}{seconds:>10.1f}")
    print(f"\n{'process':<22}{'CPU s':>10}")
    for name, seconds in result["cpu_seconds"].items():
        print(f"{name:<22}{seconds:>10.1f}")
    print(
        f"\ndeliveries {result['deliveries']:,}; inbox {result['sent']}; mended {result['healed']}"
        f"\nfields that differ: {len(before)} after the history, {result['unmended']} before the comparison,"
        f" {len(result['different'])} after it"
    )
    for line in [*before, *result["different"]][:20]:
        print(f"  {line}")
    print(
        f"{arguments.days} days in {total:.0f} s (target {target:.0f}), {cpu:.0f} CPU s,"
        f" {1_000 * cpu / max(result['deliveries'], 1):.2f} ms of CPU a delivery\n"
    )
    targets = [
        Target("differences after the history", len(before), high=0),
        Target("differences", len(result["different"]), high=0),
        Target("dead", result["inbox"]["dead"], high=0),
        Target("seconds", total, high=target),
    ]
    return report.finish(
        "fields that differ from the shop's ledger",
        targets,
        shop=arguments.shop,
        days=arguments.days,
        deliveries=result["deliveries"],
        orders=result["orders"],
        faults={
            "duplicate": arguments.duplicate,
            "reorder": arguments.reorder,
            "drop": arguments.drop,
        },
        inbox=result["inbox"],
        healed=result["healed"],
        differences_before_reconcile=result["unmended"],
        seconds={name: round(seconds, 1) for name, seconds in timing.items()},
        cpu_seconds=result["cpu_seconds"],
    )


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run bench facts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--days", type=int, default=30, help="simulated days that go by")
    parser.add_argument(
        "--shop",
        default="uk-gifts",
        help=f"KIND or KIND:SEED, of {SHOPS}, or the file of a case (bench/shops)",
    )
    parser.add_argument("--duplicate", type=float, default=0.1, help="share that comes twice")
    parser.add_argument("--reorder", type=float, default=0.2, help="share that is overtaken")
    parser.add_argument("--reorder-seconds", type=float, default=2.0, help="by how much at most")
    parser.add_argument("--drop", type=float, default=0.01, help="share that never comes")
    parser.add_argument("--port", type=int, help="the app's port (any free pair)")
    parser.add_argument(
        "--folder", type=Path, help="keep the shop here: a second run goes on from there"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
