"""`python -m launch branches`: what share of branches the last `./run test` took, held to a floor of their own.

coverage.py's own floor (pyproject.toml) is of lines and branches together, in which many lines hide few branches.
"""

import json
import tempfile
from pathlib import Path
from typing import Final

from coverage import Coverage

FLOOR: Final = 0.90


def share_taken(totals: dict[str, int]) -> float:
    """Branches taken of those there are, from the totals of coverage.py's JSON report."""
    return totals["covered_branches"] / max(totals["num_branches"], 1)


def main() -> int:
    """Read .coverage of this folder; 1 if too few branches were taken."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        measured = Coverage()
        measured.load()
        measured.json_report(outfile=str(report))
        totals = json.loads(report.read_text())["totals"]
    taken = share_taken(totals)
    print(
        f"{totals['covered_branches']:,} of {totals['num_branches']:,} branches taken: {taken:.1%} (floor {FLOOR:.0%})"
    )
    return int(taken < FLOOR)
