"""The operator's commands: `keel …` is `python -m shopify_app.cli …`. Answers are tables, or JSON with `--json`."""

import json
import sys
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any

import click

from shopify_app.cli_commands import JSON_ASKED, operator
from shopify_app.domain.documents import Document
from shopify_app.errors import AppError


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 if it did what was asked, 1 with a plain reason if not, 2 if it was not understood."""
    try:
        return int(operator.main(argv, prog_name="keel", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AppError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        return 1
    except click.Abort:
        return 130


@operator.result_callback()
@click.pass_context
def tell(context: click.Context, answer: Any) -> None:
    """Print what a command answered."""
    click.echo(as_json(answer) if context.meta[JSON_ASKED] else as_text(answer))


def as_json(answer: Any) -> str:
    """An answer as JSON; money and times as text."""
    return json.dumps(answer, default=_plain, indent=2, ensure_ascii=False)


def as_text(answer: Any) -> str:
    """An answer as lines: a table for a list, `name: value` for one thing."""
    if isinstance(answer, list):
        rows = [_fields(one) for one in answer]
        if not rows:
            return "none"
        names = list(rows[0])
        table = [names, *[[str(row[name]) for name in names] for row in rows]]
        widths = [min(max(len(line[column]) for line in table), 60) for column in range(len(names))]
        return "\n".join(
            "  ".join(
                cell[:60].ljust(width) for cell, width in zip(line, widths, strict=True)
            ).rstrip()
            for line in table
        )
    return "\n".join(f"{name}: {value}" for name, value in _fields(answer).items())


def _fields(one: Any) -> dict[str, Any]:
    if is_dataclass(one) and not isinstance(one, type):
        return asdict(one)
    return one if isinstance(one, dict) else {"answer": one}


def _plain(value: Any) -> Any:
    if isinstance(value, Document):
        return value.as_json()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


if __name__ == "__main__":
    sys.exit(main())
