"""How long a delivery takes, in words: as stated, and as deliveries showed."""

from flask_babel import gettext, ngettext

from shopify_app.domain.evidence import Deliveries, RestockEvidence


def delivery_words(evidence: RestockEvidence) -> str:
    """`Lead time 14 days stated; 3 deliveries took 16 to 23 days.`, or `Delivery takes 14 days.` before any came."""
    told, days = evidence.lead_time, evidence.lead_time_days
    if told is None:
        return ngettext("Delivery takes %(num)s day.", "Delivery takes %(num)s days.", days)
    return gettext(
        "Lead time %(stated)s stated; %(learned)s.", stated=_days(days), learned=learned_words(told)
    )


def learned_words(told: Deliveries) -> str:
    """`3 deliveries took 16 to 23 days`, and that it does not count where the merchant said so."""
    low, high = told.days_low, told.days_high
    took = _days(low) if low == high else gettext("%(low)s to %(high)s days", low=low, high=high)
    words = ngettext(
        "%(num)s delivery took %(took)s",
        "%(num)s deliveries took %(took)s",
        told.deliveries,
        took=took,
    )
    return (
        gettext("%(words)s, but yours counts, as you chose", words=words)
        if told.is_fixed
        else words
    )


def _days(days: int) -> str:
    return ngettext("%(num)s day", "%(num)s days", days)
