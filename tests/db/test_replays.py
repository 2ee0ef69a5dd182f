"""What a replay found is kept and replaced; shelves at weeks' ends are as they then stood; each shop sees its own."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shopify_app.db import frames, replays
from shopify_app.db.connection import transaction
from shopify_app.db.replays import ReplayRow
from shopify_app.domain.frames import STOCK_ENDS
from tests.factories import make_variant, rows

FOUND = ReplayRow(date(2026, 11, 2), "GBP", {"verdict": "gain", "gain": 1200.5})
LAST = date(2026, 11, 8)


def newest(shop, shop_id=None):
    with transaction(shop.shop_id) as conn:
        return replays.newest(conn, shop_id or shop.shop_id)


def keep(shop, found, shop_id=None):
    with transaction(shop.shop_id) as conn:
        replays.keep(conn, shop_id or shop.shop_id, found)


def count(shop, variant_id, *levels):
    """Levels (days before the end of LAST in London, location, units)."""
    ended = datetime(2026, 11, 9, tzinfo=UTC)
    item = "(SELECT inventory_item_id FROM variants WHERE id = %s)"
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            f"DELETE FROM inventory_history WHERE inventory_item_id = {item}", (variant_id,)
        )
        for days, place, units in levels:
            cur.execute(
                f"INSERT INTO inventory_history VALUES (%s, {item}, %s, %s, %s)",
                (shop.shop_id, variant_id, place, ended - timedelta(days=days), units),
            )


def ends(shop, shop_id=None, weeks=4):
    with transaction(shop.shop_id) as conn:
        return frames.stock_at_week_ends(
            conn, shop_id or shop.shop_id, LAST, weeks, "Europe/London"
        )


def test_what_was_found_last_takes_the_place_of_what_was_before(acme):
    assert newest(acme) is None
    keep(acme, ReplayRow(date(2026, 10, 26), "GBP", {}))
    keep(acme, FOUND)

    assert newest(acme) == FOUND


def test_the_rival_reads_and_writes_none_of_ours(acme, rival):
    keep(acme, FOUND)

    assert newest(rival) is newest(rival, acme.shop_id) is None
    with pytest.raises(Exception, match="row-level security"):
        keep(rival, ReplayRow(FOUND.as_of, "USD", {}), acme.shop_id)
    assert newest(acme) == FOUND


def test_a_week_ends_with_what_then_lay_at_all_places_together(acme):
    variant_id = make_variant(acme)
    count(acme, variant_id, (15, 1, 5), (10, 2, 3), (7, 1, 4), (1, 2, -6), (-1, 1, 99))

    found = ends(acme)

    assert found.astype(int).values.tolist() == [[variant_id, 2, 5], [variant_id, 1, 8], [variant_id, 0, 0]]  # fmt: skip
    assert dict(found.dtypes.astype(str)) == STOCK_ENDS


def test_shelves_of_the_rival_stay_its_own(acme, rival):
    count(acme, make_variant(acme), (30, 1, 5))

    assert len(ends(acme)) == 4
    assert len(ends(rival)) == len(ends(rival, acme.shop_id)) == 0
    assert rows(rival, "SELECT count(*) FROM inventory_history")[0][0] == 0
