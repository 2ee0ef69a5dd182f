"""Products and variants: late news loses, tombstones hold, a price that changed is said, the rival's stay."""

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shopify_app.db import products
from shopify_app.db.connection import transaction
from tests.factories import BLUE, MUG, NOW, RED, make_variant, rows

LATER = NOW + timedelta(hours=1)


def put(shop, *made):
    with transaction(shop.shop_id) as conn:
        return products.upsert_many(conn, shop.shop_id, list(made))


def put_variants(shop, *made):
    with transaction(shop.shop_id) as conn:
        return [v.id for v in products.upsert_variants(conn, shop.shop_id, list(made))]


def titles(shop):
    return rows(shop, "SELECT id, title, deleted_at IS NOT NULL FROM products ORDER BY id")


@pytest.mark.parametrize("turn", list(itertools.permutations(range(3))))
def test_versions_in_any_order_end_with_the_newest(acme, turn):
    versions = [replace(MUG, title=f"v{n}", updated_at=NOW + timedelta(hours=n)) for n in range(3)]
    for number in (*turn, *turn):
        put(acme, versions[number])

    assert titles(acme) == [(1, "v2", False)]


def test_late_news_is_not_taken(acme):
    assert put(acme, replace(MUG, updated_at=LATER)) == {1}
    assert put(acme, MUG) == set()
    assert put(acme) == set()


def test_a_webhook_that_does_not_say_that_it_is_a_gift_card_does_not_make_it_a_mug(acme):
    put(acme, replace(MUG, is_gift_card=True))
    put(acme, replace(MUG, updated_at=LATER))

    assert rows(acme, "SELECT is_gift_card FROM products") == [(True,)]


def test_only_a_new_price_is_told_and_either_of_the_two_counts(acme):
    put(acme, MUG)

    assert put_variants(acme, RED, BLUE) == [10, 11]
    assert put_variants(acme, replace(RED, title="Crimson", updated_at=LATER)) == []
    assert put_variants(acme, replace(RED, price=Decimal("11.00"), updated_at=LATER)) == [10]
    assert (
        put_variants(acme, replace(RED, price=Decimal(11), updated_at=LATER)) == []
    )  # 11 is 11.00
    assert put_variants(
        acme,
        replace(RED, price=Decimal("11.00"), compare_at_price=Decimal("12.00"), updated_at=LATER),
    ) == [10]
    assert put_variants(acme, RED) == []  # late
    assert rows(acme, "SELECT price, compare_at_price FROM variants WHERE id = 10") == [
        (Decimal("11.0000"), Decimal("12.0000"))
    ]


@pytest.mark.parametrize(
    ("stamp", "listed", "alive"),
    [
        (NOW, None, [10]),
        (LATER, None, [10]),
        (NOW, NOW, [10]),
        (NOW, LATER, [10, 11]),
        (LATER + timedelta(seconds=1), None, [10, 11]),
    ],
)
def test_a_variant_that_a_whole_list_leaves_out_is_retired_until_a_list_as_new_names_it(
    acme, stamp, listed, alive
):
    put(acme, MUG)
    put_variants(acme, RED, BLUE)
    with transaction(acme.shop_id) as conn:
        products.retire_missing(conn, acme.shop_id, 1, [10], at=LATER)
        products.upsert_variants(
            conn,
            acme.shop_id,
            [replace(BLUE, updated_at=stamp)],
            listed_at=listed and {1: listed},
        )

    assert rows(acme, "SELECT id FROM variants WHERE deleted_at IS NULL ORDER BY id") == [
        (number,) for number in alive
    ]


def test_an_old_list_retires_nothing_that_is_newer(acme):
    put(acme, MUG)
    put_variants(acme, replace(BLUE, updated_at=LATER))
    with transaction(acme.shop_id) as conn:
        products.retire_missing(conn, acme.shop_id, 1, [10], at=NOW)

    assert rows(acme, "SELECT id FROM variants WHERE deleted_at IS NULL") == [(11,)]


@pytest.mark.parametrize("known", [True, False])
def test_a_deleted_product_and_its_variants_come_back_only_if_they_were_seen_since(acme, known):
    if known:
        put(acme, MUG)
        put_variants(acme, RED)
    with transaction(acme.shop_id) as conn:
        assert products.bury(conn, acme.shop_id, 1, at=LATER)
    assert (
        put(
            acme,
            MUG,
        )
        == put(acme, replace(MUG, updated_at=LATER))
        == set()
    )
    if known:
        put_variants(acme, replace(RED, updated_at=LATER))
        assert rows(acme, "SELECT count(*) FROM variants WHERE deleted_at IS NULL") == [(0,)]
    assert [row[2] for row in titles(acme)] == [True]

    seen = LATER + timedelta(seconds=1)
    assert put(acme, replace(MUG, updated_at=seen)) == {1}
    put_variants(acme, replace(RED, updated_at=seen))
    assert titles(acme) == [(1, "Mug", False)]
    assert rows(acme, "SELECT id FROM variants WHERE deleted_at IS NULL") == [(10,)]


def test_a_deletion_that_is_told_late_does_not_bury_what_was_seen_since(acme):
    put(acme, replace(MUG, updated_at=LATER))
    put_variants(acme, RED)
    with transaction(acme.shop_id) as conn:
        assert not products.bury(conn, acme.shop_id, 1, at=NOW)

    assert titles(acme) == [(1, "Mug", False)]
    assert rows(acme, "SELECT deleted_at FROM variants") == [(None,)]


def test_each_price_seen_is_history(acme):
    put(acme, MUG)
    put_variants(acme, RED)
    with transaction(acme.shop_id) as conn:
        products.add_price_history(conn, acme.shop_id, [RED], source="import")
        products.add_price_history(
            conn,
            acme.shop_id,
            [replace(RED, price=Decimal("12.00"), updated_at=LATER)],
            source="merchant",
        )

    assert rows(acme, "SELECT price::text, source FROM price_history ORDER BY seen_at") == [
        ("10.0000", "import"),
        ("12.0000", "merchant"),
    ]


def test_the_rivals_products_of_the_same_ids_stay(acme, rival):
    put(rival, MUG)
    put_variants(rival, RED)
    make_variant(acme)
    put(acme, replace(MUG, title="Ours", updated_at=LATER))
    put_variants(acme, replace(RED, price=Decimal("99.00"), updated_at=LATER))
    with transaction(acme.shop_id) as conn:
        products.bury(conn, acme.shop_id, 1, at=LATER)
        products.retire_missing(conn, rival.shop_id, 1, [], at=LATER)

    assert titles(rival) == [(1, "Mug", False)]
    assert rows(rival, "SELECT price::text, deleted_at FROM variants") == [("10.0000", None)]
