"""The doorbell side of Celery: a task is rung for by its name, in its queue (`usecases.doorbells` lists them).

Messages carry no work, only "look now": the work is rows in Postgres, so a lost message costs
a moment and nothing else. Failures to ring are therefore ignored, and never wait.
"""

from functools import cache
from typing import Final

import kombu.exceptions
import redis.exceptions
from celery import Celery

from shopify_app.config import settings

TRANSPORT: Final = {
    "visibility_timeout": 1_800,  # must exceed the longest hard time limit (back-fills: 1,600 s)
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
}


@cache
def sender() -> Celery:
    """A Celery app that only sends; the workers' own is `workers.celery_app`."""
    app = Celery("keel-sender", broker=settings().redis_url, set_as_current=False)
    app.conf.update(
        broker_transport_options={**TRANSPORT, "socket_timeout": 1, "socket_connect_timeout": 1},
        broker_connection_max_retries=0,
        broker_connection_retry=False,
        task_ignore_result=True,
        task_serializer="json",
    )
    return app


def ring(task: str, queue: str, *, expires_seconds: int = 10) -> bool:
    """Ring a task's doorbell; False if Redis cannot be reached (the pump rings again)."""
    try:
        sender().send_task(task, queue=queue, expires=expires_seconds, retry=False)
    except (kombu.exceptions.OperationalError, redis.exceptions.RedisError, OSError):
        return False
    return True
