"""Restock: what to order within a budget, one order in detail, draft orders by vendor.

routes             the pages
budget_view        what a budget buys and earns (worked out in domain/budget_plan.py)
order_words        why not fewer and not more
purchase_orders    drafts as CSV and print, by signed links
"""

from shopify_app.web.restock.routes import blueprint

__all__ = ["blueprint"]
