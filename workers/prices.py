"""Tasks that carry accepted prices to Shopify. Queue: prices."""

from shopify_app.usecases import price_outbox
from workers.celery_app import celery


@celery.task(name="workers.prices.send_price_changes", soft_time_limit=60, time_limit=90)
def send_price_changes() -> None:
    """Send the price changes that are due. Safe to run twice."""
    price_outbox.send_price_changes()
