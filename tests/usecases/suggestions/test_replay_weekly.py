"""Every installed shop's past is replayed once a week, without being asked."""

import pytest

from shopify_app.analytics.replay import Replay
from shopify_app.db import due_work, replays
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.usecases import doorbells, housekeeping
from shopify_app.usecases.rounds import ShopWork
from shopify_app.usecases.suggestions import replay as replay_year
from tests.factories import make_variant, rows

TASK = "workers.decisions.replay_years"
REPLAY = ShopWork("replay")


@pytest.fixture
def verdict(monkeypatch):
    """What every replay finds."""
    found = ["little_to_gain"]
    monkeypatch.setattr(
        replay_year.replay, "replay", lambda *_, **__: Replay(found[0], 52, 1, 1, revenue=100.0)
    )
    return found


def kept(shop):
    with transaction(shop.shop_id) as conn:
        return replays.newest(conn, shop.shop_id)


def wait_of(shop):
    """Days until the next one."""
    found = rows(
        shop,
        "SELECT extract(epoch FROM due_at - now()) / 86400 FROM due_work WHERE what = 'replay'",
    )
    return round(float(found[0][0]))


def test_the_daily_round_asks_and_what_is_due_is_done_once(acme, rival, verdict):
    make_variant(acme)
    housekeeping.ask_for_daily_suggestions()
    assert TASK in [bell.name for bell in doorbells.due_doorbells()]

    assert REPLAY.work_through(replay_year.replay_shop) == 2
    assert REPLAY.work_through(replay_year.replay_shop) == 0
    assert TASK not in [bell.name for bell in doorbells.due_doorbells()]
    assert kept(acme).record["verdict"] == "little_to_gain"
    assert (kept(rival).currency, kept(acme).currency) == ("JPY", "GBP")
    assert wait_of(acme) == 7


def test_while_the_past_is_too_short_it_is_looked_at_again_the_next_day(acme, verdict):
    make_variant(acme)
    verdict[0] = "too_little_history"
    replay_year.replay_shop(acme.shop_id)

    assert wait_of(acme) == 1


def test_one_that_someone_else_is_at_is_left_to_them(acme, verdict, monkeypatch):
    housekeeping.ask_for_daily_suggestions()
    with sweep_transaction() as conn:
        due = REPLAY.due_shops(conn)
    with transaction(acme.shop_id) as conn:
        due_work.claim(conn, acme.shop_id, "replay", lease_seconds=60)
    monkeypatch.setattr(due_work, "due_shops", lambda *_, **__: due)

    assert REPLAY.work_through(replay_year.replay_shop) == 0
    assert kept(acme) is None
