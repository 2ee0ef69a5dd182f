"""`./run keel COMMAND`: an operator's command, against this environment's settings or a running demo's."""

import json
import os
import sys

from launch.folder import FOLDER
from shopify_app import cli


def main() -> int:
    """Take the demo's settings where DATABASE_URL is not set."""
    settings = FOLDER / "environment.json"
    if "DATABASE_URL" not in os.environ and settings.exists():
        os.environ.update(json.loads(settings.read_text()))
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
