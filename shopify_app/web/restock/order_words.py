"""Why an order is not smaller and not larger, in words."""

from flask_babel import gettext

from shopify_app.domain.evidence import OtherQuantity, RestockEvidence
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web import formats

RISKIER: float = 0.01
"""A chance that rises by less than this is not told."""


def beside(card: SuggestionCard) -> list[str]:
    """A sentence each on what less and what more would do; none where a run did not keep them, or nothing is lost."""
    evidence = card.evidence_as(RestockEvidence)
    if evidence.sells_on:
        return []
    less, more, gain = evidence.less, evidence.more, evidence.expected_gain
    if less is None or more is None or gain is None:
        return []
    return [_less(less, gain, card.currency), _more(evidence, more, gain, card.currency)]


def _less(less: OtherQuantity, gain: float, currency: str) -> str:
    """Why not a quarter less, in whole packs; or nothing at all, where packs leave no less."""
    forgone = float(gain) - float(less.expected_gain)
    words = {
        "units": formats.count(less.units),
        "lost": formats.rate(less.expected_lost_units),
        "money": formats.money(abs(forgone), currency),
    }
    if forgone < 0:  # more than the line alone would have: the vendor takes no smaller order
        return gettext(
            "%(units)s would earn about %(money)s more by themselves, but not with the vendor's least order.",
            **words,
        )
    if not less.units:
        return gettext(
            "Not none: about %(lost)s units that customers want would be lost, and about %(money)s with them.",
            **words,
        )
    return gettext(
        "Not %(units)s: about %(lost)s units that customers want would be lost, and it would earn about %(money)s less.",
        **words,
    )


def _more(evidence: RestockEvidence, more: OtherQuantity, gain: float, currency: str) -> str:
    """Why not a quarter more, in whole packs."""
    now, then = float(evidence.dead_stock_risk), float(more.dead_stock_risk)
    gained = float(more.expected_gain) - float(gain)
    words = {
        "units": formats.count(more.units),
        "money": formats.money(abs(gained), currency),
        "weeks": formats.count(evidence.look_ahead_weeks or 0),
        "risk": formats.percent(then),
        "now": formats.percent(now),
    }
    if gained > 0:
        return gettext(
            "Not %(units)s: it would earn about %(money)s more, but goes beyond the limits you set.",
            **words,
        )
    if then - now < RISKIER or evidence.look_ahead_weeks is None:
        return gettext(
            "Not %(units)s: keeping the rest would cost about %(money)s more than it earns.",
            **words,
        )
    return gettext(
        "Not %(units)s: the chance that the last of it still lies there in %(weeks)s weeks rises from %(now)s to %(risk)s, "
        "and it would earn about %(money)s less.",
        **words,
    )
