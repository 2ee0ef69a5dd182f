"""How far we have read: forward only, from Shopify's stamps, each shop for itself."""

from datetime import timedelta

from shopify_app.db import pages, reconciliations
from shopify_app.db.connection import transaction
from tests.factories import NOW


def test_a_cursor_moves_forward_and_never_back(acme):
    with transaction(acme.shop_id) as conn:
        assert reconciliations.seen_until(conn, acme.shop_id, "orders") is None
        for hours in (1, 3, 2):
            reconciliations.advance(conn, acme.shop_id, "orders", NOW + timedelta(hours=hours))
        assert reconciliations.seen_until(conn, acme.shop_id, "orders") == NOW + timedelta(hours=3)
        assert reconciliations.seen_until(conn, acme.shop_id, "products") is None


def test_a_comparison_that_failed_is_kept_and_not_shown_as_the_last(acme):
    with transaction(acme.shop_id) as conn:
        reconciliations.record_reconciliation(
            conn, acme.shop_id, "orders", checked_rows=9, healed_rows=1, error=None
        )
        reconciliations.record_reconciliation(
            conn, acme.shop_id, "products", checked_rows=0, healed_rows=0, error="TransientError"
        )
        shown = pages.data_health(conn, acme.shop_id)

    assert shown.reconciled_at is not None
    assert shown.healed_rows == 1


def test_the_rivals_cursor_and_comparisons_are_its_own(acme, rival):
    with transaction(rival.shop_id) as conn:
        reconciliations.advance(conn, rival.shop_id, "orders", NOW)
        reconciliations.record_reconciliation(
            conn, rival.shop_id, "orders", checked_rows=9, healed_rows=1, error=None
        )
    with transaction(acme.shop_id) as conn:
        for shop_id in (acme.shop_id, rival.shop_id):
            assert reconciliations.seen_until(conn, shop_id, "orders") is None
            assert pages.data_health(conn, shop_id).reconciled_at is None
