"""What a shop's last year would have brought with our restock advice, in words: a loss as plainly as a gain."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, ngettext

from shopify_app.db.replays import ReplayRow
from shopify_app.web import formats


@dataclass(frozen=True, slots=True)
class ReplayView:
    """A replay to show.

    Attributes
    ----------
    title : the weeks
    verdict : gain with its range, little to gain, loss, or why nothing can be told
    details : what it is made of, and what it does not know
    figures : the same as JSON
    """

    title: str
    verdict: str
    details: list[str]
    figures: dict[str, Any]


def replay_view(found: ReplayRow | None) -> ReplayView | None:
    """The newest replay in words; None where there is none."""
    if found is None:
        return None
    record, weeks = found.record, int(found.record["weeks"])
    title = ngettext(
        "If you had followed our restock advice over the last %(count)s week",
        "If you had followed our restock advice over the last %(count)s weeks",
        weeks,
        count=formats.count(weeks),
    )
    figures = {"as_of": found.as_of.isoformat(), "currency": found.currency, **record}
    if record["verdict"] == "too_little_history":
        return ReplayView(gettext("Our restock advice on your past"), _verdict(found), [], figures)
    return ReplayView(title, _verdict(found), _details(found), figures)


def _verdict(found: ReplayRow) -> str:
    record = found.record
    gain, span = _money(found, "gain"), _range(found)
    match record["verdict"]:
        case "gain" if record["is_floor"]:
            return gettext(
                "You would have earned at least about %(gain)s more (%(range)s).",
                gain=gain,
                range=span,
            )
        case "gain":
            return gettext(
                "You would have earned about %(gain)s more (%(range)s).", gain=gain, range=span
            )
        case "loss":
            loss = formats.money(-record["gain"], found.currency)
            return gettext(
                "You would have earned about %(loss)s less (%(range)s). Your own way of ordering did better.",
                loss=loss,
                range=span,
            )
        case "little_to_gain":
            return gettext(
                "Little to gain: your shop is already run well (%(range)s by our advice).",
                range=span,
            )
        case "cannot_tell":
            return gettext("It cannot be told: anything from %(range)s is possible.", range=span)
        case "not_counted":
            return gettext(
                "It cannot be told: Shopify has told us the stock on your shelves for too few weeks."
            )
        case _:
            return gettext("It cannot be told yet: half a year of sales is needed.")


def _details(found: ReplayRow) -> list[str]:
    record = found.record
    parts = gettext(
        "%(sales)s from sales, %(holding)s from stock that costs money to hold.",
        sales=formats.gain(record["from_sales"], found.currency),
        holding=formats.gain(record["from_holding"], found.currency),
    )
    stock = gettext(
        "Stock on your shelves at cost: %(theirs)s on average, %(ours)s with our advice.",
        theirs=_money(found, "stock_value"),
        ours=_money(found, "stock_value_advised"),
    )
    known = gettext(
        "Each week was replayed with only what was known before it, at today's prices and costs (half the price where you have not told Shopify a cost). The range is where 8 of 10 such figures lie."
    )
    return [] if record["verdict"] == "not_counted" else [parts, stock, known]


def _money(found: ReplayRow, name: str) -> str:
    return formats.money(found.record[name], found.currency)


def _range(found: ReplayRow) -> str:
    low, high = found.record["gain_low"], found.record["gain_high"]
    return formats.between(low, high, lambda amount: formats.gain(amount, found.currency))
