"""Accept, edit, undo, in any order and with any failure: `./run bench undo [--runs 10000] [--seed 0]`.

In: simulated shops over HTTP, the app with a real Postgres beside them.
Method: bench/lib/price_sequences.py: random sequences of accept (also twice), merchant's edit (also back
    to the old price, or to ours), undo, webhooks that come twice or never, 429, 503, an internal error, a
    reply lost after the write. The simulator's own log of who set which price is the judge.
Out: a table and one JSON line. Targets: one effective write an accept, undo exact or refused with its
    reason, no merchant's edit lost: 0 breaches.
Weak: see bench/lib/price_sequences.py; clicks are calls of the use cases, not of the pages.
"""

import argparse
import logging
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.lib import price_sequences as roads
from bench.lib.living_shop import folder_of_its_own
from bench.lib.price_sequences import Counts
from bench.lib.report import Target, finish
from launch.postgres import start_postgres
from shopify_app.db import connection
from shopify_app.db.migrate import migrate
from shopify_app.logs import set_up_logs
from simulator.world import kinds
from tests import conftest
from tests.simulated import install, simulated_world

SHOPS: Final = 3
"""For each process; each has its own budget of query cost at Shopify: a hundred points a second."""

PROCESSES: Final = 2
"""Each with a simulator, a Postgres and a half of the sequences of its own."""

PROMISES: Final = {
    "one_write_per_accept": ("accepted_twice", "apply_writes", "apply_nobody_asked_for"),
    "undo_exact_or_refused_with_its_reason": (
        "undo_writes",
        "undo_nobody_asked_for",
        "undo_not_exact",
        "undone_but_not_said",
        "refused_without_a_reason",
    ),
    "no_merchant_edit_lost": ("merchant_edit_lost",),
    "echo_told_from_edit": ("wrong_label",),
}


class Environment:
    """Sets variables as a test's monkeypatch does; this process ends with the benchmark."""

    def setenv(self, name: str, value: str) -> None:
        """Set one."""
        os.environ[name] = value  # noqa: TID251 -- the app's settings are read from there, by config.py


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 if no promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    started = time.monotonic()
    counts = Counts()
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        halves = [
            pool.submit(run_in_a_folder_of_its_own, share, arguments.seed * PROCESSES + number)
            for number, share in enumerate(_shares(arguments.runs, PROCESSES))
            if share
        ]
        for half in halves:
            counts.add(half.result())
    return report(counts, arguments, time.monotonic() - started)


def _shares(runs: int, parts: int) -> list[int]:
    return [runs // parts + (number < runs % parts) for number in range(parts)]


def run_in_a_folder_of_its_own(runs: int, seed: int) -> Counts:
    """A process's sequences; what came of them."""
    with folder_of_its_own("undo") as folder:
        return run(folder, runs, seed)


def run(folder: Path, runs: int, seed: int) -> Counts:
    """All sequences over all shops; what came of them."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    set_up_logs("ERROR")
    server = start_postgres(folder / "postgres", losable=True)
    environment = Environment()
    for name, value in conftest.settings_of(server.url).items():
        environment.setenv(name, value)
    try:
        migrate(server.url)
        return _run_shops(folder, environment, runs, seed)
    finally:
        connection.close_pool()
        server.stop()


def _run_shops(folder: Path, environment: Environment, runs: int, seed: int) -> Counts:
    roads.add_kind()
    counts = Counts()
    with simulated_world(folder, environment, roads.KIND) as first:
        worlds = [first]
        for number in range(1, min(SHOPS, max(1, runs // 100))):
            domain = f"{roads.KIND}-{number}.myshopify.com"
            kinds.create_shop(first.sim.store, roads.KIND, number, domain=domain)
            worlds.append(replace(first, domain=domain))
        for number, (world, share) in enumerate(
            zip(worlds, _shares(runs, len(worlds)), strict=True)
        ):
            install(world)
            roads.Machine(world, seed=seed * 1000 + number, counts=counts).run(share)
            for wrong in roads.labels_that_are_wrong(world):
                counts.breaches["wrong_label"] += 1
                counts.examples.append(wrong)
            breaches = sum(counts.breaches.values())
            print(f"{counts.sequences} sequences, {breaches} breaches", flush=True)
    return counts


def report(counts: Counts, arguments: argparse.Namespace, seconds: float) -> int:
    """A table, examples of breaches, one JSON line."""
    for title, counter in (("acts", counts.acts), ("ends", counts.ends)):
        print(f"\n{title}")
        for name, number in counter.most_common():
            print(f"  {name:28}{number:>8}")
    values = {
        name: sum(counts.breaches[breach] for breach in breaches)
        for name, breaches in PROMISES.items()
    }
    for example in counts.examples:
        print("  ", example)
    return finish(
        "undo: broken promises",
        [Target(name, number, high=0) for name, number in values.items()],
        sequences=counts.sequences,
        seed=arguments.seed,
        seconds=round(seconds, 1),
        ends=dict(counts.ends),
    )


if __name__ == "__main__":
    raise SystemExit(main())
