"""Tasks that carry accepted prices to Shopify, and price tests on. Queue: prices."""

from shopify_app.usecases.decisions import price_outbox
from shopify_app.usecases.price_tests import carry_on as carry_on_tests
from workers.celery_app import celery


@celery.task(name="workers.prices.send_price_changes", soft_time_limit=60, time_limit=90)
def send_price_changes() -> None:
    """Send the price changes that are due. Safe to run twice."""
    price_outbox.send_price_changes()


@celery.task(name="workers.prices.carry_on_price_tests", soft_time_limit=60, time_limit=90)
def carry_on_price_tests() -> None:
    """Do what price tests have to do now. Safe to run twice."""
    carry_on_tests.carry_on_due()
