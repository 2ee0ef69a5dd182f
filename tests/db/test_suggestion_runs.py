"""What the models saw is kept while something rests on it, and is found by its own shop."""

from shopify_app.db import suggestion_runs
from shopify_app.db.connection import transaction
from shopify_app.domain.run import RunCounts
from tests.factories import NOW, make_suggestion, make_variant


def record(shop, inputs=b"npz"):
    with transaction(shop.shop_id) as conn:
        return suggestion_runs.record(
            conn,
            shop.shop_id,
            as_of=NOW.date(),
            seed=7,
            model_version="1",
            inputs=inputs,
            sha256="ab",
            counts=RunCounts(looked_at=3),
        )


def inputs(shop, run_id, shop_id=None):
    with transaction(shop.shop_id) as conn:
        found = suggestion_runs.inputs_of(conn, shop_id or shop.shop_id, run_id)
        return found and (found.inputs, found.seed)


def test_inputs_come_back_as_bytes(acme):
    assert inputs(acme, record(acme, b"\x00\xff")) == (b"\x00\xff", 7)


def test_inputs_that_nothing_rests_on_are_let_go_but_not_the_newest(acme):
    unused, accepted, superseded, newest = (record(acme) for _ in range(4))
    variant_id = make_variant(acme)
    make_suggestion(acme, variant_id, run_id=accepted, state="accepted")
    make_suggestion(acme, variant_id, run_id=superseded, state="superseded")

    with transaction(acme.shop_id) as conn:
        assert suggestion_runs.forget_unused_inputs(conn, acme.shop_id) == 2

    assert [inputs(acme, run) is None for run in (unused, accepted, superseded, newest)] == [
        True,
        False,
        True,
        False,
    ]


def test_the_rivals_inputs_are_not_found_and_not_let_go(acme, rival):
    theirs, newer = record(rival), record(rival)
    record(acme)

    assert inputs(acme, theirs, rival.shop_id) is None
    with transaction(acme.shop_id) as conn:
        assert suggestion_runs.forget_unused_inputs(conn, rival.shop_id) == 0
    assert inputs(rival, theirs) and inputs(rival, newer)
