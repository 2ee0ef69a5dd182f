"""How a shop's books agree with Shopify's own totals, as the last proof found it."""

from datetime import date
from decimal import Decimal

from shopify_app.domain.documents import Document


class Disagreement(Document):
    """A total of an order that is not what Shopify says; `of` is original, current, discrepancy or units."""

    order_id: int
    name: str | None = None
    of: str
    ours: Decimal | None = None
    theirs: Decimal | None = None
    is_exact: bool = False
    """Ours are Shopify's own sales, not derived from lines."""
    is_wanted: bool = False
    """They are still to be read."""


class OddDay(Document):
    """A day whose parts do not add up to its total: it holds sales of a kind that we do not know."""

    day: date
    currency: str
    parts: Decimal
    total: Decimal


class Proof(Document):
    """What a proof found."""

    orders: int
    """Those of which Shopify told a total."""
    agreeing: int
    exact: int
    """Orders whose sales were read from Shopify; of the others they are derived from lines."""
    wanted: int
    """Orders whose sales are still to be read."""
    settled_unlike: int
    """Orders that disagree though their sales were read after their newest news: they count against the books."""
    disagreements: list[Disagreement]
    """The newest orders' first, so many as are worth reading."""
    odd_days: list[OddDay]
    """The newest, so many as are worth reading."""
    odd_days_in_all: int

    @property
    def is_whole(self) -> bool:
        """Whether every order agrees and every day adds up."""
        return self.agreeing == self.orders and not self.odd_days
