"""Tasks that count days again. Queue: webhooks."""

from shopify_app.usecases.history import sales
from workers.celery_app import celery


@celery.task(name="workers.sales.roll_up_sales")
def roll_up_sales() -> None:
    """Count the days that orders have touched. Safe to run twice."""
    sales.roll_up_sales()
