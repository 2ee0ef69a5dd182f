"""Trends: what really changes, and one of them in detail.

routes    the pages
"""

from shopify_app.web.trends.routes import blueprint

__all__ = ["blueprint"]
