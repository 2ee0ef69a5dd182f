"""How often our ranges held, in words: as plainly where they did not."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext, ngettext

from shopify_app.db.calibrations import CalibrationRow
from shopify_app.web import formats


@dataclass(frozen=True, slots=True)
class RangesView:
    """What became of the ranges that a shop was given.

    Attributes
    ----------
    title : how many held, or when that will be known
    detail : on which side they missed; whether they are as sure as they say
    left_out : how many say nothing, and why; '' for none
    is_bad : fewer held than said, beyond chance
    figures : the same as JSON; None before any came due
    """

    title: str
    detail: str
    left_out: str
    is_bad: bool
    figures: dict[str, Any] | None


def ranges_view(found: CalibrationRow | None, next_due_on: date | None) -> RangesView:
    """The record in words: a share only with its range, and only of enough ranges."""
    figures = found and {"as_of": found.as_of.isoformat(), **found.record}
    left_out = _left_out(int(found.record["left_out"])) if found else ""
    levels = found.record["levels"] if found else []
    if not levels:
        return RangesView(_first(next_due_on), "", left_out, is_bad=False, figures=figures)
    level = levels[0]
    if not level["is_known"]:
        title = _too_few(int(level["count"]))
        return RangesView(title, _next(next_due_on), left_out, is_bad=False, figures=figures)
    title = gettext(
        "Of our last %(count)s ranges marked %(level)s, %(held)s held (%(range)s).",
        count=formats.count(level["count"]),
        level=formats.percent(level["level"]),
        held=formats.percent(level["held"]),
        range=formats.between(level["held_low"], level["held_high"], formats.percent),
    )
    is_bad = level["held_high"] < level["level"]
    return RangesView(title, _detail(level), left_out, is_bad=is_bad, figures=figures)


def _first(next_due_on: date | None) -> str:
    if next_due_on is None:
        return gettext("No range has been given yet.")
    return gettext("The first ranges come due on %(day)s.", day=formats.day(next_due_on))


def _too_few(count: int) -> str:
    return ngettext(
        "%(count)s range has come due: too few to say how often they hold.",
        "%(count)s ranges have come due: too few to say how often they hold.",
        count,
        count=formats.count(count),
    )


def _next(next_due_on: date | None) -> str:
    if next_due_on is None:
        return ""
    return gettext("The next come due on %(day)s.", day=formats.day(next_due_on))


def _detail(level: dict[str, Any]) -> str:
    """Whether they held as said, and on which side they missed."""
    missed = gettext(
        "%(below)s sold less than the range, %(above)s sold more.",
        below=formats.percent(level["below"]),
        above=formats.percent(level["above"]),
    )
    if level["held_high"] < level["level"]:
        said = gettext("That is less than we said: we have been too sure of what will sell.")
    elif level["held_low"] > level["level"]:
        said = gettext("That is more than we said: our ranges are wider than they need be.")
    else:
        said = gettext("That is as we said, as far as can be told.")
    return f"{said} {missed}"


def _left_out(count: int) -> str:
    if not count:
        return ""
    return ngettext(
        "%(count)s more is left out: the product was out of stock, so that its sales do not tell what was wanted.",
        "%(count)s more are left out: the products were out of stock, so that their sales do not tell what was wanted.",
        count,
        count=formats.count(count),
    )
