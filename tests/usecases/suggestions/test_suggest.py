"""A run's suggestions: evidence that recomputes, tampering that shows, decisions that rest, rivals that see nothing."""

import io
import json
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from prometheus_client import REGISTRY

from shopify_app import cli
from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice import work_out
from shopify_app.db import daily_sales, due_work, orders, suggestion_runs, suggestions
from shopify_app.db.connection import transaction
from shopify_app.errors import NotFoundError
from shopify_app.usecases import rounds
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.suggestions import explain, suggest
from shopify_app.usecases.suggestions import state as advice_state
from shopify_app.usecases.suggestions.read_inputs import read_inputs
from tests.factories import NOW, line_of, make_suggestion, make_variant, order_of, rows
from tests.kept_worlds import installed
from tests.simulated import install


def open_cards(shop):
    with transaction(shop.shop_id) as conn:
        return suggestions.cards(conn, shop.shop_id)


def test_every_number_of_every_suggestion_comes_out_again_from_what_its_run_saw(world):
    shop = installed(world)
    cards = open_cards(shop)

    assert cards
    for card in cards:
        found = explain.explain(shop.shop_id, card.id)
        assert found.matches, found.differences


def test_an_input_that_was_changed_afterwards_is_found_out(world):
    shop = installed(world)
    card = open_cards(shop)[0]
    with transaction(shop.shop_id) as conn:
        run = suggestion_runs.inputs_of(conn, shop.shop_id, card.evidence.run_id)
    with np.load(io.BytesIO(run.inputs)) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["weekly.units"] = arrays["weekly.units"] + 1
    forged = io.BytesIO()
    np.savez_compressed(forged, **arrays)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE suggestion_runs SET inputs = %s WHERE shop_id = %s",
            (forged.getvalue(), shop.shop_id),
        )

    found = explain.explain(shop.shop_id, card.id)
    assert (found.inputs_are_intact, found.matches) == (False, False)


def test_a_snapshot_reads_back_as_it_was(world):
    shop = installed(world)
    as_of = open_cards(shop)[0].as_of
    with transaction(shop.shop_id) as conn:
        inputs = read_inputs(conn, shop, as_of)
    snapshot, sha256 = advice_inputs.to_bytes(inputs)
    again = advice_inputs.from_bytes(snapshot)

    assert advice_inputs.digest(again) == sha256
    assert again.weekly.equals(inputs.weekly)
    assert again.as_of == inputs.as_of


def test_a_second_run_keeps_what_is_unchanged_and_a_decided_variant_rests(world):
    shop = installed(world)
    before = open_cards(shop)
    suggest.refresh_suggestions(shop.shop_id)
    assert [card.id for card in open_cards(shop)] == [card.id for card in before]

    first = before[0]
    decide.dismiss_suggestion(shop.shop_id, first.id, reason="not_now", dismissed_by="42")
    suggest.refresh_suggestions(shop.shop_id)
    assert (first.kind, first.variant_id) not in {
        (card.kind, card.variant_id) for card in open_cards(shop)
    }
    assert decide.undo_suggestion(shop.shop_id, first.id, asked_by="42").accepted


def test_an_accepted_restock_counts_as_on_its_way_until_it_is_withdrawn(world):
    shop = installed(world)
    card = next(card for card in open_cards(shop) if card.kind == "restock")
    decide.accept_suggestion(shop.shop_id, card.id, accepted_by="42")
    suggest.refresh_suggestions(shop.shop_id)

    assert card.variant_id not in {
        one.variant_id for one in open_cards(shop) if one.kind == "restock"
    }
    assert decide.undo_suggestion(shop.shop_id, card.id, asked_by="42").accepted
    suggest.refresh_suggestions(shop.shop_id)
    assert card.variant_id in {one.variant_id for one in open_cards(shop) if one.kind == "restock"}


def test_what_is_short_of_stock_is_to_be_ordered_and_every_range_holds_its_value(world):
    cards = open_cards(installed(world))
    restock = {card.product_title for card in cards if card.kind == "restock"}

    assert "Ceramic mug" in restock
    for card in cards:
        assert card.value_low <= card.value_mid <= card.value_high
        assert card.currency == "GBP"


def test_the_rival_can_neither_see_nor_explain_nor_decide_ours(world, home, rival):
    shop = home
    card = open_cards(shop)[0]

    assert open_cards(rival) == []
    for act in (
        lambda: explain.explain(rival.shop_id, card.id),
        lambda: decide.accept_suggestion(rival.shop_id, card.id, accepted_by="7"),
        lambda: decide.dismiss_suggestion(rival.shop_id, card.id, reason="other", dismissed_by="7"),
        lambda: decide.undo_suggestion(rival.shop_id, card.id, asked_by="7"),
    ):
        with pytest.raises(NotFoundError):
            act()


@pytest.mark.parametrize("kind", ["slow", "noise"])
def test_a_shop_in_which_nothing_is_true_hears_of_no_trend_and_hardly_of_a_price(
    database, tmp_path, monkeypatch, kind
):
    from tests.simulated import simulated_world

    with simulated_world(tmp_path, monkeypatch, kind) as world:
        cards = open_cards(install(world))
    assert sum(card.kind == "trend" for card in cards) <= 2
    assert sum(card.kind == "price" for card in cards) == 0


def ask_for_both(acme, rival):
    for shop in (acme, rival):
        with transaction(shop.shop_id) as conn:
            due_work.ask(conn, shop.shop_id, "suggestions")


def work_through():
    return rounds.ShopWork("suggestions").work_through(suggest.refresh_suggestions)


def runs_of(shop):
    return rows(shop, "SELECT count(*) FROM suggestion_runs")[0][0]


@pytest.mark.parametrize(
    "error", [KeyError(45), MemoryError(), AssertionError(), RuntimeError("x")]
)
def test_a_shop_whose_run_fails_costs_no_other_shop_its_run_and_is_kept_and_shown(
    acme, rival, monkeypatch, capsys, error
):
    card = make_suggestion(acme, make_variant(acme))
    ask_for_both(acme, rival)
    worked = work_out.work_out

    def spoilt(inputs, *, seed):
        if inputs.settings.currency == acme.currency:
            raise error
        return worked(inputs, seed=seed)

    monkeypatch.setattr(suggest.work_out, "work_out", spoilt)

    assert work_through() == 1
    assert (runs_of(acme), runs_of(rival)) == (1, 1)  # ours is that of its card
    assert [one.id for one in open_cards(acme)] == [card]
    with transaction(acme.shop_id) as conn:
        state = advice_state.advice_state(conn, acme.shop_id)
    assert (state.stage, state.failed.attempts, state.failed.error_type) == (
        "failed", 1, type(error).__name__,
    )  # fmt: skip
    assert work_through() == 0  # not again at once
    assert advice_state.watch_runs() == 1
    assert REGISTRY.get_sample_value("keel_shops_without_new_suggestions") == 1
    capsys.readouterr()
    assert cli.main(["shops", "--json"]) == 0
    listed = {one["domain"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed[acme.domain]["runs_fail_of"] == type(error).__name__
    assert (listed[acme.domain]["runs_failed"], listed[rival.domain]["runs_failed"]) == (1, 0)

    monkeypatch.setattr(suggest.work_out, "work_out", worked)
    suggest.refresh_suggestions(acme.shop_id)  # as the operator does, once it is mended
    with transaction(acme.shop_id) as conn:
        assert due_work.failed_runs(conn, acme.shop_id, "suggestions") is None
    assert advice_state.watch_runs() == 0


def test_a_long_round_leaves_the_rest_to_the_next(acme, rival, monkeypatch):
    ask_for_both(acme, rival)
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0)

    assert work_through() == 0
    with transaction(acme.shop_id) as conn:
        assert due_work.failed_runs(conn, acme.shop_id, "suggestions") is None


def test_an_old_clearance_of_what_is_no_longer_sold_stops_no_advice(acme):
    gone, kept = make_variant(acme, title="Gone"), make_variant(acme, title="Kept")
    made = [
        order_of(1, line_of(1, gone, units=3, discount=Decimal(3)), at=NOW - timedelta(weeks=45)),
        *(order_of(n, line_of(n, kept), at=NOW - timedelta(days=n)) for n in range(2, 60)),
    ]
    with transaction(acme.shop_id) as conn:
        applied = orders.upsert_many(conn, acme.shop_id, acme.zone, made)
        daily_sales.touch(conn, acme.shop_id, applied.days)
        daily_sales.recount(conn, acme.shop_id, limit_days=999)
    rows(acme, "UPDATE products SET status = 'ARCHIVED' WHERE title = 'Gone' RETURNING 1")

    assert suggest.refresh_suggestions(acme.shop_id, as_of=NOW.date())
