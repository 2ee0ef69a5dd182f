"""How often ranges held is kept, replaced by the next, and read by its own shop only."""

from datetime import date

from shopify_app.db import calibrations
from shopify_app.db.calibrations import CalibrationRow
from shopify_app.db.connection import transaction

FOUND = CalibrationRow(date(2026, 11, 2), {"levels": [{"level": 0.8}]}, {"0.8": 0.83})


def of_shop(shop, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return calibrations.of_shop(conn, shop_id or shop.shop_id)


def keep(shop, found):
    with transaction(shop.shop_id) as conn:
        calibrations.keep(conn, shop.shop_id, found)


def test_what_was_worked_out_last_takes_the_place_of_what_was_before(acme):
    assert of_shop(acme) is None
    keep(acme, CalibrationRow(date(2026, 10, 26), {"levels": []}, {}))
    keep(acme, FOUND)

    assert of_shop(acme) == FOUND


def test_the_rival_has_its_own_and_reads_none_of_ours(acme, rival):
    keep(acme, FOUND)

    assert of_shop(rival) is of_shop(rival, acme.shop_id) is None
    keep(rival, CalibrationRow(FOUND.as_of, {"levels": []}, {}))
    assert of_shop(acme) == FOUND
