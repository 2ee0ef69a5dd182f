"""Tasks that read from Shopify: the history, what webhooks hinted at, what they missed. Queue: history."""

from shopify_app.usecases.history import backfill, reconcile
from shopify_app.usecases.inbox import refetch
from shopify_app.usecases.shops import uninstalls
from workers.celery_app import celery


@celery.task(name="workers.history.step_backfills", soft_time_limit=1_500, time_limit=1_600)
def step_backfills() -> None:
    """Take every due back-fill further. Safe to run twice."""
    backfill.step_backfills()


@celery.task(name="workers.history.refetch_resources")
def refetch_resources() -> None:
    """Ask Shopify for what webhooks only hinted at. Safe to run twice."""
    refetch.refetch_resources()


@celery.task(name="workers.history.confirm_uninstalls", soft_time_limit=850, time_limit=900)
def confirm_uninstalls() -> None:
    """Ask Shopify whether what we hear of uninstalls is so. Safe to run twice."""
    uninstalls.confirm_uninstalls()


@celery.task(name="workers.history.reconcile_shops", soft_time_limit=850, time_limit=900)
def reconcile_shops() -> None:
    """Compare every shop with Shopify. Safe to run twice."""
    reconcile.reconcile_shops()
