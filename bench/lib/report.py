"""How a benchmark ends: targets held, then one JSON line."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and what it should be: at most, or at least, or between."""

    name: str
    value: float
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its bounds."""
        return bool(self.low <= self.value <= self.high)


def arguments(description: str, **more: tuple[type, Any, str]) -> argparse.Namespace:
    """The command line: --data, --seed, and what a benchmark adds as name=(type, default, help)."""
    parser = argparse.ArgumentParser(description=description)
    folder = ROOT.parent / "shared" / "data"
    parser.add_argument("--data", type=Path, default=folder, help="folder of the real sets")
    parser.add_argument("--seed", type=int, default=0)
    for name, (kind, default, words) in more.items():
        parser.add_argument(f"--{name}", type=kind, default=default, help=words)
    return parser.parse_args()


def finish(metric: str, targets: list[Target], **more: Any) -> None:
    """Say which targets are met, then print the JSON line."""
    print()
    for target in targets:
        bounds = " and ".join(
            words
            for words, bound in (
                (f">= {target.low:g}", target.low),
                (f"<= {target.high:g}", target.high),
            )
            if abs(bound) != float("inf")
        )
        word = "met   " if target.is_met else "MISSED"
        print(f"{word} {target.name}: {target.value:.4g} ({bounds})")
    line = {
        "metric": metric,
        "values": {target.name: round(float(target.value), 6) for target in targets},
        "targets": {
            target.name: [
                None if abs(bound) == float("inf") else bound for bound in (target.low, target.high)
            ]
            for target in targets
        },
        "met": {target.name: target.is_met for target in targets},
        **more,
    }
    print(json.dumps(line))
