"""The full count's cares have teeth: each is taken away once, and the check that guards it finds what is buried wrongly."""

import contextlib
from datetime import timedelta
from types import SimpleNamespace

import pytest

from shopify_app.db import full_counts, products
from shopify_app.db.connection import transaction
from shopify_app.errors import TransientError
from shopify_app.shopify.bulk_operations import BulkOperation
from shopify_app.usecases.history import full_count
from shopify_app.usecases.shops import access
from tests.factories import MUG, NOW, rows

COUNTED = BulkOperation(1, "COMPLETED", None, 0, None, None, NOW + timedelta(hours=1))
"""A list that names nothing."""


@pytest.fixture
def shopify(acme, monkeypatch):
    """A Shopify that shows what a test says, and grants what it granted."""
    made = SimpleNamespace(shown=set(), scopes=list(acme.granted_scopes))
    monkeypatch.setattr(access, "with_api", lambda shop_id, work: work(None))
    monkeypatch.setattr(
        full_count.catalogue_api, "shown", lambda api, kind, ids: made.shown & set(ids)
    )
    monkeypatch.setattr(full_count.shop_api, "granted_scopes", lambda api: made.scopes)
    with transaction(acme.shop_id) as conn:
        products.upsert_many(conn, acme.shop_id, [MUG])
    return made


def buried(shop, operation=COUNTED):
    """How many products a count with this list buries."""
    with contextlib.suppress(TransientError):
        full_count._count_products(shop, operation)
    return rows(shop, "SELECT count(*) FROM products WHERE deleted_at IS NOT NULL")[0][0]


def test_what_nobody_shows_any_more_is_buried(acme, rival, shopify):
    with transaction(rival.shop_id) as conn:
        products.upsert_many(conn, rival.shop_id, [MUG])

    assert buried(acme) == 1
    assert rows(rival, "SELECT deleted_at FROM products") == [(None,)]


def test_a_count_that_does_not_ask_for_each_by_its_id_is_found(acme, shopify, monkeypatch):
    shopify.shown = {MUG.id}
    assert buried(acme) == 0

    monkeypatch.setattr(full_count.catalogue_api, "shown", lambda *_: set())
    assert buried(acme) == 1


def test_a_count_that_trusts_a_file_cut_short_is_found(acme, shopify, monkeypatch):
    short = BulkOperation(1, "COMPLETED", None, 7, None, None, COUNTED.created_at)
    assert buried(acme, short) == 0

    monkeypatch.setattr(full_count, "_families", lambda operation: iter(()))
    assert buried(acme, short) == 1


def test_a_count_that_buries_what_is_newer_than_its_start_is_found(acme, shopify, monkeypatch):
    early = BulkOperation(1, "COMPLETED", None, 0, None, None, NOW)
    assert buried(acme, early) == 0

    real = full_counts.unlisted_products
    monkeypatch.setattr(
        full_counts,
        "unlisted_products",
        lambda conn, shop_id, listed, before: real(
            conn, shop_id, listed, before=before + timedelta(days=1)
        ),
    )
    assert buried(acme, BulkOperation(1, "COMPLETED", None, 0, None, None, NOW)) == 1


def test_scopes_taken_away_during_the_count_bury_nothing(acme, shopify):
    shopify.scopes = ["read_orders"]

    assert buried(acme) == 0
