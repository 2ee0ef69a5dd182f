"""Results: what decisions brought, losers included; how often ranges held; the replay.

routes    the page
views     the ledger in words
range_words, replay_words     the other two in words
"""

from shopify_app.web.results.routes import blueprint

__all__ = ["blueprint"]
