"""The Celery tasks: one a doorbell of the registry. Each is safe to run twice.

Their modules, pandas with them, are loaded here, in the parent: children share it, and no task's time goes into it.
"""

from shopify_app.usecases.doorbells import DOORBELLS, Doorbell, function_of
from workers.celery_app import celery


def make_task(bell: Doorbell) -> None:
    """Register the task that does what a doorbell is rung for."""
    function_of(bell.do)
    soft, hard = bell.seconds

    @celery.task(name=bell.name, soft_time_limit=soft, time_limit=hard)
    def do() -> None:
        bell.work()


for each in DOORBELLS:
    make_task(each)
