"""A line of the log has the same keys whatever the shop's data are: nothing is unpacked into it."""

import ast

from launch.processes import ROOT

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def log_calls():
    for folder in ("shopify_app", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for found in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(found, ast.Call)
                    and isinstance(found.func, ast.Attribute)
                    and found.func.attr in LEVELS
                    and isinstance(found.func.value, ast.Name)
                    and found.func.value.id in {"log", "logger"}
                ):
                    yield f"{path.relative_to(ROOT)}:{found.lineno}", found


def test_no_key_of_the_log_is_made_of_data():
    calls = list(log_calls())

    assert len(calls) > 20
    assert [where for where, call in calls if any(one.arg is None for one in call.keywords)] == []
