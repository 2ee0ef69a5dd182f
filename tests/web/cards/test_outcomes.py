"""What became of a decision is said in each state it can be in, and no more than is known."""

from dataclasses import replace
from datetime import date

import pytest
from flask_babel import force_locale

from shopify_app.db import suggestions
from shopify_app.db.connection import transaction
from shopify_app.web import create_app
from shopify_app.web.cards.outcomes import outcome
from tests.factories import rows
from tests.web.page_rows import price_row, restock_row, trend_row


@pytest.fixture
def app(database):
    return create_app()


def told(app, shop, number, language="en"):
    with transaction(shop.shop_id) as conn:
        card = suggestions.card(conn, shop.shop_id, number)
    with app.test_request_context("/"), force_locale(language):
        return outcome(card)


def put(shop, number, state, **columns):
    decided = [] if state == "superseded" else ["decided_at = now()"]
    sets = ", ".join(
        [f"{name} = %({name})s" for name in columns] + [f"state = '{state}'", *decided]
    )
    rows(
        shop,
        f"UPDATE suggestions SET {sets} WHERE id = %(id)s RETURNING 1",
        id=number,
        **columns,
    )


def test_an_open_card_has_no_outcome(app, acme):
    assert told(app, acme, trend_row(acme)) is None


@pytest.mark.parametrize(
    ("state", "columns", "english", "chinese", "may_undo"),
    [
        (
            "dismissed",
            {"dismiss_reason": "other"},
            "We will not suggest this again for 30 days.",
            "30 天内",
            True,
        ),
        ("superseded", {}, "A newer run found something else.", "新", False),
        ("undone", {}, "Undone.", "已撤销", False),
    ],
)
def test_each_state_has_its_sentence_in_both_languages(
    app, acme, state, columns, english, chinese, may_undo
):
    number = restock_row(acme)
    put(acme, number, state, **columns)

    found = told(app, acme, number)

    assert english in found.words
    assert found.may_undo is may_undo
    assert chinese in told(app, acme, number, "zh").words


def test_a_decision_held_back_by_lot_says_until_when_if_that_is_known(app, acme):
    number = price_row(acme)
    put(acme, number, "held_back")
    assert told(app, acme, number).words == "Held back by lot, as you agreed in Settings."

    with transaction(acme.shop_id) as conn:
        card = suggestions.card(conn, acme.shop_id, number)
    with app.test_request_context("/"):
        found = outcome(replace(card, measured_until=date(2026, 12, 31)))
    assert "until Dec 31" in found.words


def test_an_accepted_trend_is_kept_in_view_and_can_be_undone(app, acme):
    number = trend_row(acme)
    put(acme, number, "accepted")

    found = told(app, acme, number)

    assert found.may_undo is True
    assert found.words
