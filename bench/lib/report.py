"""How a benchmark begins and ends: its command line; targets met or missed, one JSON line, the status."""

import argparse
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
NO_BOUND: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and what it should be: at least `low`, at most `high`."""

    name: str
    value: float
    low: float = field(default=-NO_BOUND, kw_only=True)
    high: float = field(default=NO_BOUND, kw_only=True)

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its bounds."""
        return bool(self.low <= self.value <= self.high)

    @property
    def bounds(self) -> list[float | None]:
        """[low, high], None where there is no bound: JSON knows no infinity."""
        return [None if abs(bound) == NO_BOUND else bound for bound in (self.low, self.high)]

    @property
    def words(self) -> str:
        """The bounds for a person."""
        signs = zip((">=", "<="), self.bounds, strict=True)
        return " and ".join(f"{sign} {bound:,.6g}" for sign, bound in signs if bound is not None)


def data_folder() -> Path:
    """Where the real sets lie, unless the command line says otherwise."""
    chosen = os.environ.get("KEEL_DATA")  # noqa: TID251 -- a benchmark has no settings of the app
    return Path(chosen or ROOT.parent / "shared" / "data")


def arguments(
    description: str, argv: list[str] | None = None, /, **more: tuple[type, Any, str]
) -> argparse.Namespace:
    """The command line: --data, --seed, and what a benchmark adds as name=(type, default, help); a list takes several words."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, default=data_folder(), help="folder of the real sets, if any is read"
    )
    if "seed" not in more:
        parser.add_argument("--seed", type=int, default=0)
    for name, (kind, default, words) in more.items():
        several: dict[str, Any] = {"nargs": "*"} if kind is list else {"type": kind}
        parser.add_argument(
            f"--{name.replace('_', '-')}", default=default, help=words.replace("%", "%%"), **several
        )
    return parser.parse_args(argv)


def finish(metric: str, targets: list[Target], **more: Any) -> int:
    """Say which targets are met, print the JSON line; the status, 0 if every target is met."""
    print()
    for one in targets:
        word = "met   " if one.is_met else "MISSED"
        print(f"{word}  {one.name:<58} {one.value:>12,.4g}  {one.words}")
    passed = all(one.is_met for one in targets)
    line = {
        "metric": metric,
        "values": {one.name: round(float(one.value), 6) for one in targets},
        "targets": {one.name: one.bounds for one in targets},
        "met": {one.name: one.is_met for one in targets},
        "pass": passed,
        **more,
    }
    print(json.dumps(line, default=str), flush=True)
    return 0 if passed else 1
