"""Pricing: prices worth changing, one in detail, what became of earlier changes.

routes    the pages
view      one price: curve, table, limits
"""

from shopify_app.web.pricing.routes import blueprint

__all__ = ["blueprint"]
