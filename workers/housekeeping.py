"""Periodic tasks. Queue: history."""

from shopify_app.usecases import housekeeping
from workers.celery_app import celery


@celery.task(name="workers.housekeeping.keep_house", soft_time_limit=850, time_limit=900)
def keep_house() -> None:
    """Do the periodic jobs that are due. Safe to run twice."""
    housekeeping.keep_house()
