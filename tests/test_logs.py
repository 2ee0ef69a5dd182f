"""Every logger's line is one JSON object on stderr, ours and the libraries' alike."""

import json
import logging

import pytest
import structlog

from shopify_app.logs import set_up_logs


@pytest.fixture
def lines(capsys):
    """What was logged since it was last asked; how logs are set up is put back afterwards."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    structlog.contextvars.clear_contextvars()
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


def test_an_event_keeps_its_words_its_level_and_what_is_bound(lines):
    set_up_logs("INFO")
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("prices_sent", shop_id=7)

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "prices_sent", "level": "info", "shop_id": 7, "request_id": "r1"}


def test_what_is_below_the_level_is_left_out(lines):
    set_up_logs("WARNING")
    structlog.get_logger().info("told")
    structlog.get_logger().warning("heard")

    assert [line["event"] for line in lines()] == ["heard"]


def test_a_librarys_warning_and_its_exception_are_json_too(lines):
    set_up_logs("INFO")
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        logging.getLogger("werkzeug").exception("broke")

    (line,) = lines()
    assert (line["event"], line["level"]) == ("broke", "error")
    assert "ZeroDivisionError: by nothing" in line["exception"]
