"""The comparison of the books that anyone can repeat, on real processes, small."""

import json
import subprocess
import sys

from launch.postgres import forget_data
from launch.processes import ROOT


def test_the_books_are_equal_after_days_of_misbehaving_webhooks(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bench.facts", "--shop", "tiny", "--days", "5"),
            *("--drop", "0.3", "--folder", tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    forget_data(tmp_path / "postgres")  # as root it may stand outside of tmp_path
    report = json.loads(done.stdout.splitlines()[-1])

    assert report["values"]["differences"] == report["values"]["differences after the history"] == 0
    assert report["differences_before_reconcile"] > 0  # the drops were real
    assert report["inbox"] == {"waiting": 0, "oldest_seconds": 0.0, "dead": 0} | report["inbox"]
