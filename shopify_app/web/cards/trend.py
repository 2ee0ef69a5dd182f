"""A trend on a card: up or down since when, why that may be, and whether it lasts."""

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext
from flask_babel import lazy_gettext as later

from shopify_app.domain.evidence import TrendEvidence, TrendProposal
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web import formats
from shopify_app.web.cards.kind import Certainty, Decided, Facts, KindPage, Outcome
from shopify_app.web.wording import CAUSES, lasting_words, thing, trend_certainty, words_for


class TrendCards:
    """The words of a trend."""

    page = KindPage(
        endpoint="trends.show",
        line_template="trends/_line.html",
        href="/trends",
        label=later("Trends"),
        accept_label=later("Keep watching"),
        accept_means=later("We keep it in view and tell you how it goes on. Nothing is changed."),
        accepted=later("We keep an eye on it."),
    )

    def title(self, card: SuggestionCard, today: date) -> str:  # noqa: ARG002 -- no trend has a deadline
        """`Watch Linen apron, Navy: up 40% since Nov 3`."""
        told = card.evidence_as(TrendEvidence)
        words = {
            "thing": thing(card.product_title, card.variant_title),
            "share": formats.percent(abs(told.ratio - 1)),
            "day": formats.day(told.since or card.as_of),
        }
        falls = card.proposal_as(TrendProposal).direction in ("down", "falling")
        if falls or told.ratio < 1:
            return gettext("Watch %(thing)s: down %(share)s since %(day)s", **words)
        return gettext("Watch %(thing)s: up %(share)s since %(day)s", **words)

    def ledger_title(self, line: Decided) -> str:
        """`Watch Linen apron, Navy`."""
        return gettext("Watch %(thing)s", thing=thing(line.product_title, line.variant_title))

    def why(self, card: SuggestionCard) -> str:
        """What was sold, and a cause that may explain it."""
        told = card.evidence_as(TrendEvidence)
        sold = gettext(
            "Sold %(before)s a week before, %(now)s a week now.",
            before=formats.rate(told.units_per_week_before),
            now=formats.rate(told.units_per_week_now),
        )
        return f"{sold} {words_for(CAUSES, told.cause or 'unexplained')}"

    def facts(self, card: SuggestionCard, today: date) -> Facts:  # noqa: ARG002
        """The change's range, how clear it is, and whether it lasts."""
        told = card.evidence_as(TrendEvidence)
        low, high = float(told.ratio_low) - 1, float(told.ratio_high) - 1
        found = [
            (gettext("Likely range"), formats.between(low, high, formats.change)),
            (gettext("Certainty"), self.certainty(card)[0]),
        ]
        lasts = lasting_words(told.lasting)
        return [*found, (gettext("Outlook"), lasts)] if lasts else found

    def certainty(self, card: SuggestionCard) -> Certainty:
        """The chance that it points the other way."""
        return trend_certainty(float(card.evidence_as(TrendEvidence).false_sign_rate))

    def note(self, card: SuggestionCard, fixed_in: Sequence[str]) -> str:  # noqa: ARG002
        """Nothing: a trend changes nothing."""
        return ""

    def outcome(self, card: SuggestionCard) -> Outcome | None:  # noqa: ARG002
        """None: nothing is written to the store."""
        return None
