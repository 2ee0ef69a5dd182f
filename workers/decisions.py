"""Tasks that work out suggestions. Queue: analytics."""

from shopify_app.usecases import suggest
from workers.celery_app import celery


@celery.task(name="workers.decisions.refresh_suggestions", soft_time_limit=850, time_limit=900)
def refresh_suggestions() -> None:
    """Work out the suggestions of one shop that is due. Safe to run twice."""
    suggest.refresh_due_suggestions()
