"""The door: what is refused is said in a line, and what was started ends with us, however we end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from launch import demo, operate, serve
from launch.folder import forget, held
from launch.ports import free_pair
from launch.processes import ROOT
from launch.valkey import start_valkey
from simulator.world import kinds

DEMO = "import pathlib, sys; from launch import demo; demo.FOLDER = pathlib.Path(sys.argv[1]); sys.exit(demo.main(sys.argv[2:]))"
PARENT = """
import pathlib, sys, time
from launch.processes import Children, python
children = Children(pathlib.Path(sys.argv[1]), {"PATH": "/usr/bin:/bin"})
print(children.start("sleeper", sys.executable, "-c", "import time; time.sleep(600)").process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def no_signals(monkeypatch):
    """The test process keeps its own handlers."""
    for module in (demo, serve):
        monkeypatch.setattr(module, "stop_on_signals", threading.Event)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(ready, seconds):
    deadline = time.monotonic() + seconds
    while not ready() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ready()


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", DEMO, folder, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def processes_of(folder):
    listed = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True)
    return [
        line for line in listed.stdout.splitlines() if str(folder) in line and "ps -A" not in line
    ]


def test_the_shops_that_are_offered_are_the_simulators():
    assert set(demo.SHOPS) == set(kinds.KINDS)


@pytest.mark.parametrize(
    "arguments", [["--shop", "nonesuch"], ["--shop", "tiny:x"], ["--port", "80"], ["--port", "x"]]
)
def test_what_cannot_be_is_refused_before_anything_starts(arguments, capsys):
    with pytest.raises(SystemExit):
        demo.main(arguments)
    assert "must be" in capsys.readouterr().err


def test_a_taken_port_is_said_in_a_line(tmp_path, monkeypatch, capsys, no_signals):
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "keel")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert demo.main(["--no-browser", "--port", str(port)]) == 1
        monkeypatch.setattr(demo, "PORT", port)
        assert demo._a_free_port() > port

    first, *_ = capsys.readouterr().out.splitlines()
    assert first == f"Stopped: port {port} is taken; try --port {port + 10}"


def test_a_folder_is_used_by_one_at_a_time_and_forgotten_but_for_its_lock(tmp_path):
    with held(tmp_path):
        with pytest.raises(RuntimeError, match=f"in use by process {os.getpid()}"), held(tmp_path):
            pass
        (tmp_path / "simulator").mkdir()
        (tmp_path / "secrets.json").write_text("{}")
        forget(tmp_path)
        assert [part.name for part in tmp_path.iterdir()] == ["lock"]
    with held(tmp_path):
        pass


def test_a_folder_with_spaces_and_quotes_in_its_path_serves(tmp_path):
    server = start_valkey(tmp_path / "my shop's data")
    try:
        assert list((tmp_path / "my shop's data").glob("appendonly*"))
    finally:
        server.stop()


def test_an_operators_command_says_that_the_demo_is_not_running(tmp_path, monkeypatch, capsys):
    url = f"postgresql://keel:x@127.0.0.1:{free_pair()}/keel"
    (tmp_path / "environment.json").write_text(json.dumps({"DATABASE_URL": url}))
    monkeypatch.setattr(operate, "FOLDER", tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))

    assert operate.main() == 1
    assert capsys.readouterr().err.startswith("The demo is not running")


def test_serve_names_every_setting_that_is_missing(monkeypatch, capsys, no_signals):
    for name in ("APP_URL", "TOKEN_KEYS", "SHOPIFY_API_KEY", "SHOPIFY_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert serve.main() == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert all(name in said for name in ("APP_URL", "TOKEN_KEYS", "SHOPIFY_API_KEY"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that we were killed")
def test_what_we_started_does_not_outlive_a_kill(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    parent.wait()

    wait_until(lambda: not is_alive(pid), 5)


def test_the_demo_stops_cleanly_and_goes_on_from_where_it_was(tmp_path):
    folder, port = tmp_path / "a shop", free_pair()
    arguments = ("--shop", "tiny", "--no-browser", "--port", str(port))
    urls = []
    for start_number in (1, 2):
        running = start(folder, *arguments)
        said = []
        for line in running.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        urls += [line.split()[-1] for line in said if "simulated admin" in line]
        assert httpx.get(urls[-1], timeout=10).status_code == 200
        if start_number == 1:
            other = start(folder, *arguments)
            assert "in use by process" in other.communicate(timeout=30)[0]
            assert other.returncode == 1
        running.send_signal(signal.SIGINT if start_number == 1 else signal.SIGHUP)
        rest = running.communicate(timeout=60)[0]

        assert running.returncode == 0
        assert rest.splitlines()[-1] == "Everything is stopped."
        assert processes_of(folder) == []
    forget(folder)  # as root, Postgres' data may stand outside of tmp_path
    assert urls[0] == urls[1]
