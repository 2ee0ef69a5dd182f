"""A merchant says that a draft order went to the vendor."""

from shopify_app.db import purchase_orders
from shopify_app.db.connection import transaction


def close_draft(shop_id: int, vendor: str) -> int:
    """Close a vendor's draft order; how many lines it had. Closed lines are not undone any more."""
    with transaction(shop_id) as conn:
        return purchase_orders.mark_exported(conn, shop_id, vendor)
