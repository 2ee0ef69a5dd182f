"""`./run keel COMMAND`: an operator's command, against this environment's settings or a running demo's."""

import json
import os
import sys

import psycopg2

from launch.folder import FOLDER
from shopify_app import cli


def main() -> int:
    """Take the demo's settings where DATABASE_URL is not set."""
    settings = FOLDER / "environment.json"
    if "DATABASE_URL" not in os.environ and settings.exists():
        os.environ.update(json.loads(settings.read_text()))
        if not _is_up(os.environ["DATABASE_URL"]):
            print(
                "The demo is not running: start it with ./run demo, or set DATABASE_URL.",
                file=sys.stderr,
            )
            return 1
    return cli.main(sys.argv[1:])


def _is_up(database_url: str) -> bool:
    try:
        psycopg2.connect(database_url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(main())
