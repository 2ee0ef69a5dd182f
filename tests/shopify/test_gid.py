"""Shopify's global ids and our numbers."""

import pytest

from shopify_app.shopify.gid import from_gid, kind_of, to_gid


def test_there_and_back():
    assert from_gid(to_gid("Product", 2**62), "Product") == 2**62
    assert from_gid("gid://shopify/InventoryLevel/7?inventory_item_id=9") == 7
    assert kind_of("gid://shopify/OrderLine/1") == "OrderLine"


@pytest.mark.parametrize(
    "text",
    ["", "7", "gid://shopify/Product/", "gid://shopify/Product/x", "gid://shopify/Product/-1", "gid://evil/Product/1", "gid://shopify/Product/1\n",
     " gid://shopify/Product/1", "gid://shopify/Product/" + "9" * 20, "gid://shopify/Pro duct/1"],
)  # fmt: skip
def test_what_is_no_gid_is_refused(text):
    with pytest.raises(ValueError, match="gid"):
        from_gid(text)
    with pytest.raises(ValueError, match="gid"):
        kind_of(text)


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="Variant"):
        from_gid("gid://shopify/Product/1", "Variant")
