"""While the books are not whole suggestions are held, and every page and the operator say why and since when."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shopify_app import cli
from shopify_app.db import backfills, proofs, reconciliations, shops
from shopify_app.db.connection import transaction
from shopify_app.domain.proof import OddDay, Proof
from shopify_app.usecases.history import books
from shopify_app.usecases.history.books import What
from shopify_app.usecases.suggestions import suggest
from shopify_app.web import create_app
from tests.factories import make_run, make_variant, rows
from tests.web.page_rows import as_json, bearer


def compared(shop, kind, *, error=None, left=0, healed=0):
    with transaction(shop.shop_id) as conn:
        reconciliations.record_reconciliation(
            conn,
            shop.shop_id,
            kind,
            checked_rows=9,
            healed_rows=healed,
            left_rows=left,
            error=error,
        )


def stands(shop, **more):
    with transaction(shop.shop_id) as conn:
        now = shops.by_id(conn, shop.shop_id)
        return books.books(conn, now, **more)


def troubles(shop, **more):
    return [(one.what, one.of, one.holds) for one in stands(shop, **more).troubles]


def loses(shop, scope):
    with transaction(shop.shop_id) as conn:
        kept = [one for one in shop.granted_scopes if one != scope]
        shops.set_scopes(conn, shop.shop_id, kept)


def history_is_in(shop):
    with transaction(shop.shop_id) as conn:
        backfills.start(conn, shop.shop_id, install_epoch=1)
        for step in backfills.STEPS:
            backfills.finish(conn, shop.shop_id, step)


def page(shop, language="en"):
    client = create_app().test_client()
    headers = bearer(shop, Accept="text/html", **{"Accept-Language": language})
    return re.sub(r"\s+", " ", client.get("/", headers=headers).text)


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        ("read_orders", "orders"),
        ("write_products", "products"),
        ("read_inventory", "inventory"),
        ("read_locations", "locations"),
    ],
)
def test_a_scope_that_is_taken_away_holds_suggestions_until_it_is_given_back(
    acme, rival, scope, what
):
    make_variant(acme)
    assert troubles(acme) == []

    loses(acme, scope)

    ((found),) = stands(acme).troubles
    assert (found.what, found.of, found.holds) == (What.SCOPE, what, True)
    assert datetime.now(UTC) - found.since < timedelta(minutes=1)
    assert suggest.refresh_suggestions(acme.shop_id) is None
    assert rows(acme, "SELECT count(*) FROM suggestion_runs") == [(0,)]
    assert troubles(rival) == []
    with transaction(acme.shop_id) as conn:
        shops.set_scopes(conn, acme.shop_id, acme.granted_scopes)
    assert troubles(acme) == []


def test_a_held_shop_says_so_on_home_in_both_languages_and_its_last_suggestions_stand(acme, rival):
    make_variant(acme)
    history_is_in(acme)
    make_run(acme)
    loses(acme, "read_orders")

    english, chinese = page(acme), page(acme, "zh")

    assert "No new suggestions until your books are whole again; those below are of" in english
    assert "Orders cannot be read: Keel" in english
    assert "Held" in english
    assert "Working" not in english
    assert "账目恢复完整之前" in chinese
    assert "无法读取订单" in chinese
    assert "books are whole" not in page(rival)
    told = create_app().test_client().get("/", headers=as_json(acme)).json
    assert told["advice"]["stage"] == "held"
    assert told["advice"]["may_judge"] is False
    assert [(one["what"], one["of"]) for one in told["troubles"]] == [("scope", "orders")]


def test_orders_that_shopify_refuses_hold_and_another_failure_is_told_and_holds_nothing(acme):
    compared(acme, "orders")
    compared(acme, "products", error="TransientError: away")
    compared(acme, "products", error="TransientError: still away")
    assert troubles(acme) == [(What.FAILING, "products", False)]

    compared(acme, "orders", error="AccessDeniedError: not approved")

    assert troubles(acme) == [
        (What.DENIED, "orders", True),
        (What.FAILING, "orders", False),
        (What.FAILING, "products", False),
    ]
    compared(acme, "orders")
    compared(acme, "products")
    assert troubles(acme) == []


def test_failures_count_from_the_first_one_since_the_last_good_comparison(acme):
    compared(acme, "inventory", error="TransientError: an old one")
    compared(acme, "inventory")
    compared(acme, "inventory", error="TransientError: first")
    compared(acme, "inventory", error="TransientError: second")
    ((first,),) = rows(
        acme, "SELECT finished_at FROM reconciliations WHERE error = 'TransientError: first'"
    )

    (found,) = stands(acme).troubles

    assert found.since == first
    assert found.error == "TransientError: second"


def test_a_count_that_left_differences_holds_until_one_leaves_none(acme):
    compared(acme, "full_count", left=3)
    assert troubles(acme) == [(What.LEFT, "full_count", True)]
    assert "found 3 differences that it could not mend" in page(acme)

    compared(acme, "full_count", healed=4)

    assert troubles(acme) == []
    assert "4 records were mended, 0 were gone" in page(acme)


def test_a_comparison_that_is_too_old_is_told_by_its_kind(acme):
    history_is_in(acme)
    for kind in ("orders", "products", "inventory", "shop", "full_count"):
        compared(acme, kind)
    now = datetime.now(UTC)

    assert troubles(acme, now=now + timedelta(hours=23)) == []
    assert troubles(acme, now=now + timedelta(days=2)) == [
        (What.OLD, kind, False) for kind in ("orders", "products", "inventory")
    ]
    assert len(troubles(acme, now=now + timedelta(days=16))) == 5


def test_a_step_of_the_history_that_failed_holds(acme):
    with transaction(acme.shop_id) as conn:
        backfills.start(conn, acme.shop_id, install_epoch=1)
        backfills.fail(conn, acme.shop_id, "orders", error="AccessDeniedError: no", tries=1)

    assert troubles(acme) == [(What.HISTORY, "orders", True)]


def test_the_operator_is_told_the_same_and_may_ask_for_a_count(acme, rival, capsys):
    loses(acme, "read_orders")

    assert cli.main(["books", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)

    assert (told["domain"], told["what"], told["of"]) == (acme.domain, "scope", "orders")
    assert told["holds_suggestions"] is True
    assert books.watch_books() == 1
    assert cli.main(["books", "--shop", rival.domain]) == 0
    assert capsys.readouterr().out.strip() == "none"
    assert cli.main(["suggestions", "--shop", acme.domain, "--refresh"]) == 1
    assert "held" in capsys.readouterr().err
    assert cli.main(["count", "--shop", acme.domain]) == 0
    assert rows(acme, "SELECT what FROM due_work") == [("full_count",)]


def test_old_comparisons_are_let_go_but_the_last_good_one_of_each_kind(acme, rival):
    compared(rival, "orders")
    compared(acme, "orders")
    compared(acme, "orders", healed=1)
    compared(acme, "orders", error="TransientError: away")
    rows(acme, "UPDATE reconciliations SET started_at = now() - interval '100 days' RETURNING 1")
    with transaction(acme.shop_id) as conn:
        assert reconciliations.forget(conn, acme.shop_id, days=90) == 1
    assert [one.healed_rows for one in stands(acme).comparisons.values()] == [1]
    assert rows(rival, "SELECT count(*) FROM reconciliations") == [(1,)]


def proved(shop, *, orders=1_000, unlike=0, odd_days_ago=()):
    day = datetime.now(UTC).date()
    found = Proof(
        orders=orders,
        agreeing=orders - unlike,
        exact=0,
        wanted=0,
        settled_unlike=unlike,
        disagreements=[],
        odd_days=[
            OddDay(
                day=day - timedelta(days=ago), currency="GBP", parts=Decimal(1), total=Decimal(2)
            )
            for ago in odd_days_ago
        ],
        odd_days_in_all=len(odd_days_ago),
    )
    with transaction(shop.shop_id) as conn:
        proofs.keep(conn, shop.shop_id, found.as_json())


@pytest.mark.parametrize(
    ("found", "held"),
    [
        ({"unlike": 1}, []),
        ({"unlike": 2}, [(What.UNPROVED, "orders", True)]),
        ({"odd_days_ago": [40]}, []),
        ({"odd_days_ago": [40, 3]}, [(What.UNPROVED, "days", True)]),
    ],
)
def test_books_that_disagree_with_shopify_by_more_than_one_order_in_a_thousand_hold_suggestions(
    acme, rival, found, held
):
    proved(acme, **found)

    assert troubles(acme) == held
    assert troubles(rival) == []


def test_what_disagrees_is_said_in_both_languages(acme):
    proved(acme, unlike=7)

    assert "7 orders are not worth here what Shopify says." in page(acme)
    assert "有 7 笔订单的金额与 Shopify 不一致" in page(acme, "zh")
