"""A card's numbers come out again or the difference is named; what the merchant chose is none; the rival is told nothing."""

from datetime import timedelta

import pytest
from psycopg2.extras import Json

from shopify_app.db import daily_sales, orders, suggestions
from shopify_app.db.connection import transaction
from shopify_app.errors import NotFoundError
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.suggestions import explain, suggest
from tests.factories import NOW, line_of, make_variant, order_of, rows

DAYS = 140


@pytest.fixture
def card(acme, monkeypatch):
    """A restock that a run proposed: one or two sold a day, twelve left."""
    monkeypatch.setattr(suggest.market_prices, "read_market_prices", lambda shop_id: None)
    variant_id = make_variant(acme, available=12)
    sold = [
        order_of(
            day + 1,
            line_of(day + 1, variant_id, units=1 + day % 2, price="24.00"),
            at=NOW - timedelta(days=DAYS - day),
        )
        for day in range(DAYS)
    ]
    with transaction(acme.shop_id) as conn:
        applied = orders.upsert_many(conn, acme.shop_id, acme.zone, sold)
        daily_sales.touch(conn, acme.shop_id, applied.days)
        daily_sales.recount(conn, acme.shop_id, limit_days=DAYS + 9)
    suggest.refresh_suggestions(acme.shop_id, as_of=NOW.date())
    with transaction(acme.shop_id) as conn:
        (found,) = suggestions.cards(conn, acme.shop_id, kinds=("restock",))
    return found


def change(shop, card, part, **values):
    """Write over what was stored, as no code of ours does."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        query = {
            "proposal": "UPDATE suggestions SET proposal = proposal || %s WHERE shop_id = %s AND id = %s",
            "evidence": "UPDATE suggestions SET evidence = evidence || %s WHERE shop_id = %s AND id = %s",
        }[part]
        cur.execute(query, (Json(values), shop.shop_id, card.id))


def test_what_the_merchant_chose_instead_is_no_difference(acme, card):
    pack = int(card.evidence.pack_units)
    units = card.proposal.units + pack
    decide.accept_suggestion(acme.shop_id, card.id, accepted_by="42", units=units)

    found = explain.explain(acme.shop_id, card.id)

    assert found.matches, found.differences
    assert rows(acme, "SELECT count(*) FROM suggestion_runs") == [(1,)]  # nothing is written
    assert (found.kind, found.inputs_are_intact) == ("restock", True)


@pytest.mark.parametrize(("part", "name"), [("proposal", "units"), ("evidence", "new")])
def test_a_number_that_was_written_over_is_named_with_both_sides(acme, card, part, name):
    change(acme, card, part, **{name: 9_999})
    rows(acme, "UPDATE suggestions SET value_high = value_high + 1 RETURNING 1")

    found = explain.explain(acme.shop_id, card.id)

    assert not found.matches
    assert found.inputs_are_intact
    assert list(found.differences) == [f"{part}.{name}", "value"]
    stored, recomputed = found.differences[f"{part}.{name}"]
    assert stored == 9_999
    assert recomputed == getattr(card, part).as_json().get(name)


def test_what_another_model_said_is_shown_and_does_not_count_as_coming_out_again(acme, card):
    rows(acme, "UPDATE suggestion_runs SET model_version = '1' RETURNING 1")

    found = explain.explain(acme.shop_id, card.id)

    assert (found.matches, found.differences, found.model_version) == (False, {}, "1")


def test_a_suggestion_that_no_run_would_make_is_not_found_again(acme, card):
    rows(acme, "UPDATE suggestions SET kind = 'trend' RETURNING 1")

    found = explain.explain(acme.shop_id, card.id)

    assert found.recomputed is None
    assert found.differences == {"suggestion": ["stored", "not found again"]}


def test_the_rival_is_told_nothing_and_nobody_a_guess_once_the_inputs_were_let_go(
    acme, rival, card
):
    with pytest.raises(NotFoundError):
        explain.explain(rival.shop_id, card.id)

    rows(acme, "UPDATE suggestion_runs SET inputs = '' RETURNING 1")
    with pytest.raises(NotFoundError, match="inputs of its run"):
        explain.explain(acme.shop_id, card.id)
