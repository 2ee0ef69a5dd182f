"""Who did what, in order: added to, never changed; the rival's is not read."""

import psycopg2
import pytest

from shopify_app.db import decision_log
from shopify_app.db.connection import transaction
from tests.factories import make_suggestion, make_variant, rows


def add(shop, number, action, shop_id=None):
    with transaction(shop.shop_id) as conn:
        decision_log.add(
            conn, shop_id or shop.shop_id, number, actor="42", action=action, detail={"n": 1}
        )


def test_acts_stand_in_their_order_with_who_did_them(acme):
    number = make_suggestion(acme, make_variant(acme))
    for action in ("accepted", "applied", "undo_asked", "undone"):
        add(acme, number, action)

    assert rows(acme, "SELECT action, actor, detail FROM decision_log ORDER BY id") == [
        (action, "42", {"n": 1}) for action in ("accepted", "applied", "undo_asked", "undone")
    ]


def test_an_act_that_there_is_none_of_is_refused(acme):
    number = make_suggestion(acme, make_variant(acme))
    with pytest.raises(psycopg2.errors.CheckViolation):
        add(acme, number, "hacked")


def test_nothing_can_be_said_of_the_rivals_suggestion(acme, rival):
    theirs = make_suggestion(rival, make_variant(rival))
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        add(acme, theirs + 1_000, "accepted")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        add(acme, theirs, "accepted", rival.shop_id)

    assert rows(rival, "SELECT count(*) FROM decision_log") == [(0,)]


def test_the_log_is_read_in_order_since_a_moment_and_never_the_rivals(acme, rival):
    number = make_suggestion(acme, make_variant(acme))
    theirs = make_suggestion(rival, make_variant(rival))
    for action in ("accepted", "applied"):
        add(acme, number, action)
        add(rival, theirs, action)

    with transaction(acme.shop_id) as conn:
        found = decision_log.of_shop(conn, acme.shop_id)
        later = decision_log.of_shop(conn, acme.shop_id, since=found[1].happened_at)
        assert decision_log.of_shop(conn, rival.shop_id) == []

    assert [(one.action, one.actor, one.suggestion_id, one.detail) for one in found] == [
        (action, "42", number, {"n": 1}) for action in ("accepted", "applied")
    ]
    assert [one.action for one in later] == ["applied"]
