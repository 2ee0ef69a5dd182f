"""What granted scopes allow."""

from shopify_app.shopify import scopes


def test_writing_implies_reading_and_nothing_else_implies_anything():
    granted = ["write_products", "read_orders"]

    assert all(
        scopes.may(granted, scope) for scope in ("write_products", "read_products", "read_orders")
    )
    assert not any(
        scopes.may(granted, scope)
        for scope in ("write_orders", "read_inventory", "products", "", "read_", "read_product")
    )
    assert scopes.may(["unauthenticated_write_checkouts"], "unauthenticated_read_checkouts")
    assert not scopes.may(["unauthenticated_write_checkouts"], "read_checkouts")


def test_a_scope_of_another_pattern_spoils_no_grant():
    assert scopes.may(["customer_read_orders", "", "write_products"], "read_products")
    assert not scopes.may(["customer_read_orders"], "read_orders")
