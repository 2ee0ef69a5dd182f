"""How long a delivery takes, in words: as stated, and as deliveries showed."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, ngettext


def delivery_words(evidence: Mapping[str, Any]) -> str:
    """`Lead time 14 days stated; 3 deliveries took 16 to 23 days.`, or `Delivery takes 14 days.` before any came."""
    told = evidence.get("lead_time")
    days = int(evidence.get("lead_time_days", 0))
    if not told:
        return ngettext("Delivery takes %(num)s day.", "Delivery takes %(num)s days.", days)
    return gettext(
        "Lead time %(stated)s stated; %(learned)s.", stated=_days(days), learned=learned_words(told)
    )


def learned_words(told: Mapping[str, Any]) -> str:
    """`3 deliveries took 16 to 23 days`, and that it does not count where the merchant said so."""
    low, high = int(told["days_low"]), int(told["days_high"])
    took = _days(low) if low == high else gettext("%(low)s to %(high)s days", low=low, high=high)
    words = ngettext(
        "%(num)s delivery took %(took)s",
        "%(num)s deliveries took %(took)s",
        int(told["deliveries"]),
        took=took,
    )
    return (
        gettext("%(words)s, but yours counts, as you chose", words=words)
        if told["is_fixed"]
        else words
    )


def _days(days: int) -> str:
    return ngettext("%(num)s day", "%(num)s days", days)
