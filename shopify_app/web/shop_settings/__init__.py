"""Settings: limits, lead times, money, calendar, language; errors stand beside their fields.

routes    the page and the form
"""

from shopify_app.web.shop_settings.routes import blueprint

__all__ = ["blueprint"]
