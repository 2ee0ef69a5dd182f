"""Several prices at once: a preview of what is at stake, a plan, and taking it back.

routes    the acts
views     a bulk change in words
"""

from shopify_app.web.rollouts.routes import blueprint

__all__ = ["blueprint"]
