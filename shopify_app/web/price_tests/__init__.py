"""A price test: what it would cost and teach, how it stands, what it showed.

routes    the pages and acts
views     its products and its JSON
words, answers, costs, terms     a test in words
"""

from shopify_app.web.price_tests.routes import blueprint

__all__ = ["blueprint"]
