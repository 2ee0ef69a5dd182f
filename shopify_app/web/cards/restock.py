"""An order on a card: how many by when, and when it runs out otherwise."""

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as later

from shopify_app.domain.evidence import RestockEvidence, RestockProposal
from shopify_app.domain.suggestion import SuggestionCard, of_type
from shopify_app.web import formats
from shopify_app.web.cards.kind import Certainty, Decided, Facts, KindPage, Outcome
from shopify_app.web.cards.lead_time_words import delivery_words
from shopify_app.web.cards.move_words import moves_first
from shopify_app.web.wording import thing


class RestockCards:
    """The words of an order."""

    page = KindPage(
        endpoint="restock.show",
        line_template="restock/_line.html",
        href="/restock",
        label=later("Restock"),
        accept_label=later("Add to order"),
        accept_means=later("It goes on a draft order. Nothing is sent to your supplier by us."),
        accepted=later("On the draft order. Nothing is sent to your supplier by us."),
    )

    def title(self, card: SuggestionCard, today: date) -> str:
        """`Order 120 x Linen apron, Navy by Thu, Nov 26`, or today if that day is here or past."""
        asked = card.proposal_as(RestockProposal)
        words = _order_words(card)
        if asked.order_by <= today:
            return gettext("Order %(units)s × %(thing)s today", **words)
        return gettext(
            "Order %(units)s × %(thing)s by %(day)s", day=formats.weekday(asked.order_by), **words
        )

    def ledger_title(self, line: Decided) -> str:
        """`Order 120 x Linen apron, Navy`."""
        return gettext("Order %(units)s × %(thing)s", **_order_words(line))

    def why(self, card: SuggestionCard) -> str:
        """What to move first, and when it runs out."""
        first = moves_first(card, card.proposal_as(RestockProposal).ordered_units)
        return f"{first} {_run_out(card)}" if first else _run_out(card)

    def facts(self, card: SuggestionCard, today: date) -> Facts:
        """What is there, what it costs, by when."""
        asked, told = card.proposal_as(RestockProposal), card.evidence_as(RestockEvidence)
        found = [(gettext("Available"), formats.count(told.available_units))]
        if (cost := asked.ordered_cost) is not None:
            found.append((gettext("Order cost"), formats.total(cost, card.currency)))
        day = gettext("today") if asked.order_by <= today else formats.day(asked.order_by)
        return [*found, (gettext("Order by"), day)]

    def certainty(self, card: SuggestionCard) -> Certainty | None:  # noqa: ARG002
        """None: its range speaks for itself."""
        return None

    def note(self, card: SuggestionCard, fixed_in: Sequence[str]) -> str:  # noqa: ARG002
        """Nothing: no market changes an order."""
        return ""

    def outcome(self, card: SuggestionCard) -> Outcome | None:  # noqa: ARG002
        """None: nothing is written to the store."""
        return None


def _order_words(line: Decided) -> dict[str, str]:
    return {
        "units": formats.count(of_type(line.proposal, RestockProposal).ordered_units),
        "thing": thing(line.product_title, line.variant_title),
    }


def _run_out(card: SuggestionCard) -> str:
    told = card.evidence_as(RestockEvidence)
    delivery = delivery_words(told)
    if told.available_units < 0:
        out = ngettext(
            "Sold out, and %(num)s unit is owed to customers.",
            "Sold out, and %(num)s units are owed to customers.",
            -told.available_units,
        )
        return f"{out} {delivery}".strip()
    first, last = told.run_out_first, told.run_out_last
    if first is None:
        return delivery
    if last is None or last == first:
        out = gettext("Likely to run out from %(first)s on.", first=formats.day(first))
        return f"{out} {delivery}"
    out = gettext(
        "Likely to run out between %(first)s and %(last)s.",
        first=formats.day(first),
        last=formats.day(last),
    )
    return f"{out} {delivery}"
