"""The Celery app of the workers: settings that lose nothing, one base task.

Each setting answers a measured failure (docs/adr/0007): a message is only a doorbell, the work
is rows in Postgres, so late acknowledgement and a short expiry are safe.
"""

from typing import Any, Final

import structlog
from celery import Celery, Task
from celery.signals import setup_logging, worker_init, worker_process_init
from kombu import Queue

from shopify_app.config import settings
from shopify_app.logs import set_up_logs
from shopify_app.queue import TRANSPORT
from shopify_app.usecases.doorbells import DOORBELLS
from workers.processes import close_connections, serve_worker_metrics

TASK_MODULES: Final = ("workers.tasks",)


class DoorbellTask(Task[Any, Any]):
    """A task whose work is in Postgres: its name and id are bound to every log line."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task."""
        with structlog.contextvars.bound_contextvars(task=self.name, task_id=self.request.id):
            return super().__call__(*args, **kwargs)


def make_celery() -> "Celery[DoorbellTask]":
    """The workers' Celery app."""
    app = Celery(
        "keel", broker=settings().redis_url, include=list(TASK_MODULES), task_cls=DoorbellTask
    )
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_soft_time_limit=120,
        task_time_limit=150,
        task_serializer="json",
        accept_content=["json"],
        task_create_missing_queues=False,
        task_queues=[Queue(name) for name in sorted({bell.queue for bell in DOORBELLS})],
        task_routes={bell.name: {"queue": bell.queue} for bell in DOORBELLS},
        task_default_queue="webhooks",
        worker_prefetch_multiplier=1,
        worker_max_tasks_per_child=500,
        worker_soft_shutdown_timeout=30,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=TRANSPORT,
    )
    return app


celery = make_celery()


@setup_logging.connect
def _keep_our_logs(**_: Any) -> None:
    """Celery must not replace our JSON logs."""
    set_up_logs(settings().log_level)


@worker_init.connect
def _parent_starts(**_: Any) -> None:
    serve_worker_metrics()


@worker_process_init.connect
def _child_starts(**_: Any) -> None:
    """A connection shared across a fork answers with another's rows."""
    close_connections()
