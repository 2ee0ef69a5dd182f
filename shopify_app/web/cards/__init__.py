"""A suggestion on any page: its words, its state, and the clicks that decide it.

titles, shortage_words, move_words, lead_time_words     what it says
views       as templates and JSON show it
outcomes    what became of it
refusals    why an act was refused
routes      accept, dismiss, undo
"""

from shopify_app.web.cards.routes import blueprint

__all__ = ["blueprint"]
