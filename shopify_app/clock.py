"""The moment in a shop: what its days, weeks, windows and due times are counted by.

    shop's clock     now(shop), today(shop), SQL `shop_now()`: when something was decided, is due, has ended; "today" on pages
    machine's clock  machine_now(), SQL `now()`: leases, waits after a failure, tokens, signatures, receipt of webhooks

A shop's clock is the machine's, and in development as far ahead of it as days have passed in the simulated shop
(`Shop.clock_ahead_seconds`; `usecases.shops.simulated_days` is the only one that sets it, and production has no such road).
Nobody else asks the machine for the time: a house test holds it.
"""

from datetime import UTC, date, datetime, timedelta

from shopify_app.domain.shop import Shop


def machine_now() -> datetime:
    """The moment by the machine's clock, whatever day it is in a shop."""
    return datetime.now(UTC)


def now(shop: Shop) -> datetime:
    """The moment in a shop, in UTC."""
    return machine_now() + timedelta(seconds=shop.clock_ahead_seconds)


def as_old(shop: Shop, machine_moment: datetime) -> datetime:
    """A moment of the machine's clock by the shop's: as long ago as it is."""
    return machine_moment + timedelta(seconds=shop.clock_ahead_seconds)


def today(shop: Shop) -> date:
    """The day in a shop, in its own zone."""
    return now(shop).astimezone(shop.zone).date()
