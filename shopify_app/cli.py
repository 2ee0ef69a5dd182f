"""The operator's commands: `keel …` is `python -m shopify_app.cli …`. Answers are tables, or JSON with `--json`."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any

from shopify_app import cli_commands
from shopify_app.config import settings
from shopify_app.errors import AppError
from shopify_app.logs import set_up_logs

Command = Callable[[argparse.Namespace], Any]


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 if it did what was asked, 1 with a plain reason if not."""
    arguments = parser().parse_args(argv)
    try:
        set_up_logs(settings().log_level)
        answer = arguments.run(arguments)
    except AppError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 -- a command's own words
        return 1
    print(as_json(answer) if arguments.json else as_text(answer))  # noqa: T201 -- a command's own words
    return 0


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    top = argparse.ArgumentParser(prog="keel", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, run: Command, words: str, *options: tuple[tuple[str, ...], dict[str, Any]]
    ) -> None:
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument("--json", action="store_true", help="answer as JSON")
        for flags, kwargs in options:
            command.add_argument(*flags, **kwargs)
        command.set_defaults(run=run)

    shop = (("--shop",), {"required": True, "help": "the shop's myshopify.com domain"})
    since = (("--since",), {"type": date.fromisoformat, "help": "first day, YYYY-MM-DD"})
    until = (("--until",), {"type": date.fromisoformat, "help": "last day, YYYY-MM-DD"})
    add("migrate", cli_commands.migrate_schema, "bring the database's schema up to date")
    add("shops", cli_commands.list_shops, "every shop and how it stands")
    add(
        "facts",
        cli_commands.show_facts,
        "a shop's days, catalogue and stock, to compare with its own books",
        shop,
        since,
        until,
    )
    add("inbox", cli_commands.show_inbox, "how the webhook inbox stands")
    add(
        "dead",
        cli_commands.dead_letters,
        "parked webhooks: list, show N, replay [N]",
        (("act",), {"choices": ["list", "show", "replay"]}),
        (("id",), {"nargs": "?", "type": int}),
        (("--since",), {"type": datetime.fromisoformat, "help": "replay what was parked since"}),
    )
    add(
        "reconcile",
        cli_commands.reconcile_shop,
        "compare a shop with Shopify now",
        shop,
        (
            ("--since",),
            {"type": datetime.fromisoformat, "help": "look back to this moment (after an outage)"},
        ),
    )
    add(
        "suggestions",
        cli_commands.list_suggestions,
        "a shop's suggestions; --refresh works them out first",
        shop,
        (("--refresh",), {"action": "store_true"}),
        (("--limit",), {"type": int, "default": 50}),
    )
    add(
        "explain",
        cli_commands.explain_suggestion,
        "work a suggestion's numbers out again from its evidence",
        shop,
        (("id",), {"type": int}),
    )
    add(
        "price-test",
        cli_commands.tell_price_test,
        "a shop's newest price test (or one of them): how it stands, and whether its plan comes out again; --stop gives its prices back",
        shop,
        (("--id",), {"type": int}),
        (("--stop",), {"action": "store_true"}),
    )
    add(
        "judge",
        cli_commands.judge_decisions,
        "judge the decisions whose stop date has come, work the ledger out, tell it",
        shop,
        (
            ("--as-of",),
            {"type": date.fromisoformat, "help": "as of a day (default: the shop's today)"},
        ),
    )
    add(
        "replay",
        cli_commands.replay_year,
        "what the past year would have brought with the restock advice, in money",
        shop,
        (
            ("--as-of",),
            {"type": date.fromisoformat, "help": "the year before a day (default: today)"},
        ),
    )
    add(
        "tokens",
        cli_commands.show_tokens,
        "when tokens expire; --re-encrypt puts them under the newest key",
        (("--re-encrypt",), {"action": "store_true"}),
    )
    add(
        "redactions",
        cli_commands.list_redactions,
        "what the privacy topics asked and what was done",
    )
    return top


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
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


if __name__ == "__main__":
    sys.exit(main())
