"""How a benchmark ends: a table of targets, and one line of JSON."""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and what it should be: at most or at least."""

    metric: str
    value: float
    limit: float
    at_most: bool = True

    @property
    def passes(self) -> bool:
        """Whether the figure is as it should be."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit


def folder(description: str) -> tuple[Path, argparse.Namespace]:
    """The folder of the data, and the other arguments."""
    chosen = os.environ.get("KEEL_DATA")  # noqa: TID251 -- a benchmark has no settings of the app
    given = chosen or str(ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=Path(given))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    return arguments.data, arguments


def conclude(name: str, targets: list[Target], **more: object) -> None:
    """Print the verdicts and, last, the line of JSON."""
    print()
    for one in targets:
        sign = "<=" if one.at_most else ">="
        word = "pass" if one.passes else "MISS"
        print(f"{word}  {one.metric:<58}{one.value:>12,.3f}  {sign} {one.limit:,.3f}")
    line = {
        "bench": name,
        "targets": [
            {
                "metric": one.metric,
                "value": round(one.value, 4),
                "target": one.limit,
                "at_most": one.at_most,
                "pass": one.passes,
            }
            for one in targets
        ],
        **more,
    }
    print(json.dumps(line))
