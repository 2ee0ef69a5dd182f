"""Settings that lose nothing: each answers a failure that was measured (docs/adr/0007)."""

import os
import subprocess
import sys

import pytest

from launch.processes import ROOT
from shopify_app.usecases.doorbells import DOORBELLS


@pytest.fixture
def celery(settings_env):
    from workers.celery_app import TASK_MODULES, celery

    for module in TASK_MODULES:
        __import__(module)
    return celery


EXPECTED = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_ignore_result": True,
    "task_create_missing_queues": False,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "accept_content": ["json"],
    "task_serializer": "json",
}


@pytest.mark.parametrize("name", list(EXPECTED))
def test_a_setting_is_as_the_measurements_want_it(celery, name):
    assert celery.conf[name] == EXPECTED[name]


def test_workers_stop_softly_and_children_are_renewed(celery):
    assert 20 <= celery.conf.worker_soft_shutdown_timeout <= 60
    assert 0 < celery.conf.worker_max_tasks_per_child <= 1_000


def test_a_task_ends_before_its_message_is_given_to_another(celery):
    visible = celery.conf.broker_transport_options["visibility_timeout"]
    for name in [bell.name for bell in DOORBELLS]:
        task = celery.tasks[name]
        hard = task.time_limit or celery.conf.task_time_limit
        soft = task.soft_time_limit or celery.conf.task_soft_time_limit
        assert soft < hard < visible, name


def test_no_socket_waits_for_ever(celery):
    options = celery.conf.broker_transport_options

    assert 0 < options["socket_timeout"] <= 5
    assert 0 < options["socket_connect_timeout"] <= 5
    assert options["socket_keepalive"] is True
    assert options["health_check_interval"] > 0
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (5, 1)


def test_nothing_waits_in_redis_and_nothing_comes_back_from_it(celery):
    assert celery.conf.result_backend is None
    for path in [*(ROOT / "workers").glob("*.py"), *(ROOT / "shopify_app").rglob("*.py")]:
        text = path.read_text()
        for banned in ("countdown=", "eta=", ".retry(", "chord(", ".delay(", "beat_schedule"):
            assert banned not in text, f"{path.name}: {banned}"


def test_a_child_forgets_the_connections_of_its_parent(database):
    """A connection shared across a fork answers with another's rows."""
    code = (
        "import os\n"
        "from shopify_app.db.connection import sweep_transaction\n"
        "from workers import celery_app\n"
        "def ask():\n"
        "    with sweep_transaction() as conn:\n"
        "        return conn.info.backend_pid\n"
        "parent = ask()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    celery_app._child_starts()\n"
        "    os._exit(0 if ask() != parent else 1)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        "assert ask() == parent\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
