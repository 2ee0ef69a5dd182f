"""`./run try CASE.json [--json]`: a case's shop in a private simulator, Keel installed, what it says, what was expected."""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from simulator.cases.reading import BadCaseError, read_case

DOMAIN: Final = "case.myshopify.com"
MONEY: Final = ("gross", "discounts", "refunds", "net")


def main(argv: list[str] | None = None) -> int:
    """0 if everything expected is so, 1 if not, 2 if the file is no case."""
    arguments = _arguments().parse_args(argv)
    try:
        case = read_case(arguments.case)
        document = _tried(case)
    except BadCaseError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _print(document, case.note)
    return 0 if document["ok"] else 1


def _tried(case: Any) -> dict[str, Any]:
    """What was seen of a case in a world of its own, on embedded servers that end with it."""
    began = time.monotonic()
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 -- a bad file is refused before anything starts

    from launch.postgres import start_postgres  # noqa: PLC0415 -- as above
    from launch.valkey import start_valkey  # noqa: PLC0415 -- as above

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keel-try-")))
        folder.chmod(0o755)  # root's Postgres runs as nobody
        starting = stack.enter_context(ThreadPoolExecutor(1))
        postgres_comes = starting.submit(start_postgres, folder / "postgres", losable=True)
        try:
            from launch.case_world import case_world  # noqa: PLC0415 -- loaded while Postgres starts
            from shopify_app.db.migrate import migrate  # noqa: PLC0415 -- as above
        finally:
            postgres = postgres_comes.result()
            stack.callback(postgres.stop)
        valkey = start_valkey(folder / "valkey")
        stack.callback(valkey.stop)
        migrate(postgres.url)
        world = stack.enter_context(
            case_world(folder / "simulator", database_url=postgres.url, redis_url=valkey.url)
        )
        document = world.run(case, DOMAIN)
        document["seconds_with_start"] = round(time.monotonic() - began, 1)
        return document


def _print(document: dict[str, Any], note: str) -> None:
    shop = document["shop"]
    print(f"{document['case']}: {shop['currency']}, {shop['timezone']}, as of {shop['as_of']}")
    if note:
        print(f"  {note}")
    _print_facts(document["facts"])
    _print_cards(document["cards"])
    print("\nNot judged")
    for one in document["not_sure"]:
        print(
            f"  {one['variants']:>5}  {one['words']['en']} · {one['words']['zh']} ({one['reason']})"
        )
    advice = document["advice"]
    counts = ", ".join(
        f"{name.replace('_', ' ')} {advice[name]}"
        for name in ("looked_at", "suggested", "need_nothing")
        if name in advice
    )
    print(f"  advice: {advice['stage']}; {counts}")
    for tongue in ("en", "zh"):
        if advice["words"][tongue]:
            print(f"  {advice['words'][tongue]}")
    for one in document["dead_letters"]:
        print(f"  could not be applied: {one['topic']}: {one['error']}")
    _print_expected(document)


def _print_facts(facts: dict[str, Any]) -> None:
    print("\nFacts by day")
    days = facts["days"]
    names = list(days[0]) if days else []
    widths = {name: max(len(name), *(len(str(day.get(name))) for day in days)) for name in names}
    if days:
        print("  " + "  ".join(name.rjust(widths[name]) for name in names))
    for day in days:
        print("  " + "  ".join(str(day.get(name)).rjust(widths[name]) for name in names))
    shelves = {**facts["catalogue"], **facts["stock"]}
    print("  shelves: " + ", ".join(f"{name} {value}" for name, value in shelves.items()))


def _print_cards(cards: list[dict[str, Any]]) -> None:
    print(f"\nCards: {len(cards)}")
    for card in cards:
        value = card["value"]
        print(
            f"  {card['kind']}{' (urgent)' if card['urgent'] else ''} {card['words']['en']['title']}"
            f"\n    {card['words']['en']['text']}"
            f"\n    {card['words']['zh']['text']}"
            f"\n    {value['low']} to {value['high']}, middle {value['mid']} {value['currency']} {value['unit']}"
            f"\n    {json.dumps(card['proposal'], ensure_ascii=False)}"
        )


def _print_expected(document: dict[str, Any]) -> None:
    print("\nExpected")
    for one in document["expect"]:
        words = json.dumps(one["statement"], ensure_ascii=False)
        print(f"  {'ok    ' if one['ok'] else 'FAILED'} {words}")
        if not one["ok"]:
            print(f"         found: {one['found']}")
    if not document["expect"]:
        print("  nothing")
    print(f"\n{document['seconds']} s, {document['seconds_with_start']} s with the servers' start")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run try", description=__doc__)
    parser.add_argument("case", type=Path, metavar="CASE.json", help="see simulator/README.md")
    parser.add_argument("--json", action="store_true", help="one JSON document with all of it")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
