"""A bulk change in words: what it puts at stake, its limits, its stages."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext, ngettext

from shopify_app.domain.rollout import Exposure, Limit, Rollout
from shopify_app.web import formats
from shopify_app.web.json_twin import as_json, picked
from shopify_app.web.reading import today, zone
from shopify_app.web.wording import LIMITS, LIMITS_BROKEN


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A plan in words."""

    rollout: Rollout
    title: str
    detail: str
    state: str
    tone: str


def limit_words(exposure: Exposure) -> list[tuple[bool, str]]:
    """(whether it is kept, in words), the broken ones first."""
    found = [(limit.is_kept, limit_line(limit, exposure.currency)) for limit in exposure.limits]
    return sorted(found, key=lambda one: one[0])


def limit_line(limit: Limit, currency: str) -> str:
    """A limit in words."""
    table = LIMITS if limit.is_kept else LIMITS_BROKEN
    figure, bound = _written(limit, currency)
    return str(table[limit.code]) % {"figure": figure, "bound": bound}


def _written(limit: Limit, currency: str) -> tuple[str, str]:
    if limit.code in ("step", "margin", "exposure"):
        return formats.percent(Decimal(limit.figure)), formats.percent(Decimal(limit.bound))
    if limit.code == "loss_cap":
        return (
            formats.money(Decimal(limit.figure), currency),
            formats.money(Decimal(limit.bound), currency),
        )
    if limit.code == "frozen":
        return formats.day(limit.figure) if limit.figure else "", ""
    return formats.count(Decimal(limit.figure)), ""


def rollout_view(rollout: Rollout) -> RolloutView:
    """A plan and how far it has come."""
    title = ngettext("%(num)s price together", "%(num)s prices together", rollout.prices)
    parts = [
        ngettext("%(num)s waiting", "%(num)s waiting", rollout.waiting),
        ngettext("%(num)s in your store", "%(num)s in your store", rollout.applied),
    ]
    if rollout.undone:
        parts.append(ngettext("%(num)s undone", "%(num)s undone", rollout.undone))
    if rollout.not_written:
        parts.append(ngettext("%(num)s not written", "%(num)s not written", rollout.not_written))
    if rollout.next_at is not None:
        when = formats.moment(rollout.next_at.astimezone(zone()), today())
        parts.append(gettext("next %(time)s", time=when))
    state, tone = _state(rollout)
    return RolloutView(rollout, title, " · ".join(parts), state, tone)


def _state(rollout: Rollout) -> tuple[str, str]:
    if rollout.stopped_because == "brake":
        return gettext("Stopped: it lost money"), "warning"
    if rollout.stopped_because == "merchant":
        return gettext("Stopped by you"), ""
    if rollout.waiting:
        return gettext("Under way"), "info"
    return gettext("Done"), "good"


@as_json.register
def rollout_json(view: RolloutView) -> dict[str, Any]:
    """A plan, as JSON."""
    return {
        **picked(view.rollout, "id", "created_at", "first_at", "stages", "every_days", "prices"),
        **picked(view.rollout, "waiting", "applied", "undone", "not_written", "stopped_because"),
        **picked(view.rollout, "next_at", "exposure"),
    }


@as_json.register
def exposure_json(exposure: Exposure) -> dict[str, Any]:
    """What a bulk change puts at stake, as JSON."""
    return {
        **picked(exposure, "prices", "products"),
        "share_of_sales": f"{exposure.share_of_sales:.4f}",
        "share_under_change": f"{exposure.share_under_change:.4f}",
        **picked(exposure, "worst", "expected", "best", "open_risk", "currency", "may_go"),
        "limits": [
            as_json(limit) | {"words": limit_line(limit, exposure.currency)}
            for limit in exposure.limits
        ],
    }
