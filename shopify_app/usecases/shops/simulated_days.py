"""Days pass in a simulated shop, and Keel's clock of that shop follows: in development only.

The simulator says the shop's moment once a day of it is over; what is due by then is found by its due time, as ever.
What a service does daily, whatever the shop, is asked for here. The next day begins when nothing of this shop waits.
"""

from datetime import datetime

from shopify_app.config import settings
from shopify_app.db import due_work, shops, waiting_work
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.db.waiting_work import WaitingWork
from shopify_app.domain.shop import Shop
from shopify_app.errors import NotFoundError


def follow(domain: str, moment: datetime | None) -> WaitingWork:
    """Put a shop's clock to its simulated moment, never back; what waits in it now.

    Raises
    ------
    NotFoundError
        If there is no such shop, or this service follows no simulated days.
    """
    if not settings().follows_simulated_days:
        raise NotFoundError("no simulated days here")
    with sweep_transaction() as conn:
        shop = shops.by_domain(conn, domain)
    if shop is None:
        raise NotFoundError(f"shop {domain}")
    if moment is not None:
        _put_clock(shop, moment)
    with sweep_transaction() as conn:
        return waiting_work.of_shop(conn, shop.shop_id)


def _put_clock(shop: Shop, moment: datetime) -> None:
    with transaction(shop.shop_id) as conn:
        is_another_day = shops.move_clock(conn, shop.shop_id, at=moment)
    if not is_another_day:
        return
    with transaction(shop.shop_id) as conn:  # by the new clock: a transaction has one moment
        due_work.ask(conn, shop.shop_id, "suggestions")
        due_work.make_sure_of(conn, shop.shop_id, ["replay"])
