"""Tasks that work through the inbox. Queue: webhooks."""

from shopify_app.usecases.inbox import drain
from workers.celery_app import celery


@celery.task(name="workers.webhooks.drain_inbox")
def drain_inbox() -> None:
    """Apply the webhooks that are due. Safe to run twice."""
    drain.drain_inbox()
