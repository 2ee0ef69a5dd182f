"""What every kind of suggestion says of itself, so that a card can be shown without knowing its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from flask_babel import LazyString

from shopify_app.domain.evidence import Proposal
from shopify_app.domain.suggestion import SuggestionCard

Facts = list[tuple[str, str]]
Certainty = tuple[str, str]
"""Words and badge."""


@dataclass(frozen=True, slots=True)
class KindPage:
    """A kind's own page, and the fixed words of its cards.

    Attributes
    ----------
    endpoint, line_template : of a suggestion's page, and of its line in that page's table
    href, label : of the page that lists the kind
    accept_label, accept_means : on the button, and beside it
    accepted : what became of one that was accepted
    """

    endpoint: str
    line_template: str
    href: str
    label: LazyString
    accept_label: LazyString
    accept_means: LazyString
    accepted: LazyString


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decided row says."""

    words: str
    tone: str
    """done, waiting, stopped (nothing was written) or trouble (a person should look)."""
    may_undo: bool
    brief: str = ""
    """The same where there is little room; '' if the words are short themselves."""


class Decided(Protocol):
    """A decision as the ledger lists it; a card is one too."""

    @property
    def proposal(self) -> Proposal:
        """What was decided on."""
        ...

    @property
    def product_title(self) -> str:
        """The product's name."""
        ...

    @property
    def variant_title(self) -> str:
        """The variant's name."""
        ...

    @property
    def currency(self) -> str:
        """Of its money."""
        ...


class CardKind(Protocol):
    """The words of a kind's cards."""

    @property
    def page(self) -> KindPage:
        """Where it is shown."""
        ...

    def title(self, card: SuggestionCard, today: date) -> str:
        """What accepting does: verb, quantity, thing and deadline."""
        ...

    def ledger_title(self, line: Decided) -> str:
        """What was decided, once it is past."""
        ...

    def why(self, card: SuggestionCard) -> str:
        """One line of evidence."""
        ...

    def facts(self, card: SuggestionCard, today: date) -> Facts:
        """At most three facts, as label and value."""
        ...

    def certainty(self, card: SuggestionCard) -> Certainty | None:
        """How sure it is; None where its range speaks for itself."""
        ...

    def note(self, card: SuggestionCard, fixed_in: Sequence[str]) -> str:
        """What it does not do; `fixed_in` are the markets that hold the variant's price fast."""
        ...

    def outcome(self, card: SuggestionCard) -> Outcome | None:
        """What became of its writes to the store; None where it has none."""
        ...
