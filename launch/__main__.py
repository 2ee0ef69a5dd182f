"""`python -m launch COMMAND ...`: what `./run` hands over to.

Loading everything takes a second or two; Ctrl-C in them must end quietly, before a command has
its own way to stop.
"""

import importlib
import os
import signal
import sys

COMMANDS = frozenset(
    [
        "demo",
        "serve",
        "operate",
        "schema",
        "words",
        "openapi",
        "branches",
        "try_case",
        "case_schema",
    ]
)


def main() -> int:
    """Load a command's module and run it with the rest of the words."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # `./run` held it back
    command, *words = sys.argv[1:]
    if command not in COMMANDS:
        raise SystemExit(f"one of {', '.join(sorted(COMMANDS))}, not {command}")
    module = importlib.import_module(f"launch.{command}")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [command, *words]
    return int(module.main() or 0)


if __name__ == "__main__":
    sys.exit(main())
