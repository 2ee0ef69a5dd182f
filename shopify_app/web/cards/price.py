"""A price on a card: raise, lower or set back; how sure it is; what became of the write."""

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as later

from shopify_app.domain.evidence import PriceEvidence, PriceProposal
from shopify_app.domain.suggestion import SuggestionCard, of_type
from shopify_app.web import formats
from shopify_app.web.cards.kind import Certainty, Decided, Facts, KindPage, Outcome
from shopify_app.web.cards.price_outcomes import change_outcome
from shopify_app.web.cards.shortage_words import shortage_of, until_words, way_back_words
from shopify_app.web.wording import RULES, price_certainty, thing, words_for


class PriceCards:
    """The words of a price."""

    page = KindPage(
        endpoint="pricing.show",
        line_template="pricing/_line.html",
        href="/pricing",
        label=later("Pricing"),
        accept_label=later("Change price"),
        accept_means=later(
            "The new price goes live in your store. You can undo it exactly, unless you edit the price meanwhile."
        ),
        accepted=later("We keep an eye on it."),
    )

    def title(self, card: SuggestionCard, today: date) -> str:  # noqa: ARG002 -- no price has a deadline
        """`Raise Soy candle from $24.00 to $26.00`."""
        return self.ledger_title(card)

    def ledger_title(self, line: Decided) -> str:
        """`Raise Soy candle from $24.00 to $26.00`."""
        asked = of_type(line.proposal, PriceProposal)
        words = {
            "thing": thing(line.product_title, line.variant_title),
            "old": formats.price(asked.old_price, line.currency),
            "new": formats.price(asked.price, line.currency),
        }
        if asked.back_from is not None:
            return gettext("Set %(thing)s back from %(old)s to %(new)s", **words)
        if asked.price > asked.old_price:
            return gettext("Raise %(thing)s from %(old)s to %(new)s", **words)
        return gettext("Lower %(thing)s from %(old)s to %(new)s", **words)

    def why(self, card: SuggestionCard) -> str:
        """Why it is time to go back; of any other what sales should do, and on what that rests."""
        if words := way_back_words(card):
            return words
        return f"{until_words(card)} {_sales_words(card)}".strip()

    def facts(self, card: SuggestionCard, today: date) -> Facts:  # noqa: ARG002
        """The step, how sure it is, and what holds it or what is left of it."""
        asked, told = card.proposal_as(PriceProposal), card.evidence_as(PriceEvidence)
        old, new = asked.old_price, asked.price
        sure = self.certainty(card)
        found = [
            (gettext("Step"), formats.change(new / old - 1, 1) if old else ""),
            (gettext("Certainty"), sure[0]),
        ]
        if shortage := shortage_of(card):
            return [*found, (gettext("Until"), formats.day(shortage.until))]
        if told.binding_limit:
            return [*found, (gettext("Held by"), words_for(RULES, told.binding_limit))]
        if told.margin_then is None:
            return found
        words = gettext("Margin after, before tax") if told.tax_rate else gettext("Margin after")
        return [*found, (words, formats.percent(told.margin_then))]

    def certainty(self, card: SuggestionCard) -> Certainty:
        """The chance that it helps."""
        return price_certainty(float(card.evidence_as(PriceEvidence).chance_it_helps))

    def note(self, card: SuggestionCard, fixed_in: Sequence[str]) -> str:  # noqa: ARG002
        """Which markets it does not move."""
        if not fixed_in:
            return ""
        return gettext(
            "Does not move the price that is fixed in: %(markets)s.", markets=", ".join(fixed_in)
        )

    def outcome(self, card: SuggestionCard) -> Outcome | None:
        """What became of its newest write."""
        return None if card.change_state is None else change_outcome(card, card.change_state)


def _sales_words(card: SuggestionCard) -> str:
    told = card.evidence_as(PriceEvidence)
    based = ngettext(
        "Based on %(weeks)s weeks at %(num)s price.",
        "Based on %(weeks)s weeks at %(num)s prices.",
        len(told.prices_tried),
        weeks=formats.count(sum(tried.weeks for tried in told.prices_tried)),
    )
    if told.units_per_month_now <= 0:
        return based
    sales = gettext(
        "Sales should go from %(now)s to %(then)s a month.",
        now=formats.count(told.units_per_month_now),
        then=formats.count(told.units_per_month_then),
    )
    return f"{sales} {based}"
