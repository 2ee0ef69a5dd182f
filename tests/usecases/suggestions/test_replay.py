"""A shop's year replayed from its own books: told in its money, kept, nothing made up where nobody counted."""

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from shopify_app import cli
from shopify_app.analytics import replay
from shopify_app.db import replays
from shopify_app.db.connection import transaction
from shopify_app.errors import NotFoundError
from shopify_app.usecases.suggestions import replay as replay_year
from tests.factories import NOW, make_variant, rows

DAY = NOW.date()
PRODUCTS = 6


def sell(shop, *, weeks, counted=True, empty_share=0.5, seed=0):
    """A variant that sells 6 a week, one a day; each week's shelf holds plenty, or runs out at once."""
    rng = np.random.default_rng(seed)
    variant_id = make_variant(shop, cost="9.00", price="24.00")
    item = rows(shop, "SELECT inventory_item_id FROM variants WHERE id = %(i)s", i=variant_id)[0][0]
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("DELETE FROM inventory_history WHERE inventory_item_id = %s", (item,))
        for week in range(weeks, 0, -1):
            start = DAY - timedelta(days=7 * week)
            units = 0 if week < weeks and rng.random() < empty_share else int(rng.poisson(6)) or 1
            if units:
                cur.execute(
                    "INSERT INTO daily_sales VALUES (%s, %s, %s, %s, 0, 1, 1, 10, 10)",
                    (shop.shop_id, variant_id, start + timedelta(days=2), units),
                )
            if counted:
                morning = datetime.combine(start, time(), UTC)
                for at, left in ((morning, 14 if units else 0), (morning + timedelta(days=2, hours=9), 14 - units if units else 0)):  # fmt: skip
                    cur.execute(
                        "INSERT INTO inventory_history VALUES (%s, %s, 7000000001, %s, %s)",
                        (shop.shop_id, item, at, left),
                    )
    return variant_id


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    honest = replay.replay
    monkeypatch.setattr(
        replay, "replay", lambda *args, **more: honest(*args, **more, weeks=16, draws=3)
    )


def kept(shop):
    with transaction(shop.shop_id) as conn:
        return replays.newest(conn, shop.shop_id)


def test_a_shop_that_was_often_empty_is_told_its_gain_in_its_money(acme, rival):
    for number in range(PRODUCTS):
        sell(acme, weeks=40, seed=number)
    sell(rival, weeks=40)

    found = replay_year.replay_shop(acme.shop_id, as_of=DAY)

    record = found.record
    assert (record["verdict"], record["weeks"], found.currency) == ("gain", 16, "GBP")
    assert record["series_in_all"] == PRODUCTS
    assert 0 < record["gain_low"] < record["gain"] < record["gain_high"]
    assert not record["is_floor"]
    sold = rows(
        acme,
        "SELECT sum(ordered_units) FROM daily_sales WHERE sold_on >= %(first)s",
        first=DAY - timedelta(days=7 * 16),
    )
    assert record["revenue"] == pytest.approx(24.0 * float(sold[0][0]))
    assert record["cost_known_share"] == 1.0
    assert record["last"] == (DAY - timedelta(days=1)).isoformat()
    assert kept(acme) == found
    assert kept(rival) is None


def test_a_shop_whose_shelves_nobody_counted_is_told_no_more_than_a_floor(acme):
    for number in range(PRODUCTS):
        sell(acme, weeks=40, counted=False, empty_share=0.0, seed=number)

    record = replay_year.replay_shop(acme.shop_id, as_of=DAY).record

    assert (record["is_floor"], record["verdict"]) == (True, "not_counted")


def test_a_young_shop_and_an_empty_one_hear_that_it_is_too_early(acme, rival):
    sell(acme, weeks=10)

    assert (
        replay_year.replay_shop(acme.shop_id, as_of=DAY).record["verdict"] == "too_little_history"
    )
    assert replay_year.replay_shop(rival.shop_id, as_of=DAY).record["verdict"] == "too_little_history"  # fmt: skip


def test_the_command_tells_it(acme, capsys):
    sell(acme, weeks=10)

    assert cli.main(["replay", "--shop", acme.domain, "--as-of", DAY.isoformat()]) == 0
    assert "verdict: too_little_history" in capsys.readouterr().out


def test_no_such_shop_is_said(database):
    with pytest.raises(NotFoundError):
        replay_year.replay_shop(404)
