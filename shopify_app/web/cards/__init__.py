"""A suggestion on any page: its words, its state, and the clicks that decide it.

kind        what every kind says of itself
price, restock, trend       a kind each
kinds       all of them: the one place where pages ask for a card's kind
shortage_words, move_words, lead_time_words, tax_words     parts of what they say
views       as templates and JSON show it
outcomes, price_outcomes    what became of it
refusals    why an act was refused
routes      accept, dismiss, undo
"""

from shopify_app.web.cards.routes import blueprint

__all__ = ["blueprint"]
