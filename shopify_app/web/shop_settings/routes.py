"""Settings: limits, lead times, money, calendar, language; errors stand beside their fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from shopify_app.db import measuring_settings, pages
from shopify_app.db.pages import VendorRow
from shopify_app.domain.outcome import MeasuringSettings
from shopify_app.domain.shop import ShopSettings
from shopify_app.usecases.shops.merchant_settings import save_settings
from shopify_app.web import formats
from shopify_app.web.answers import answer, with_toast
from shopify_app.web.json_twin import Inlined, Told, as_json, picked
from shopify_app.web.posted import json_object
from shopify_app.web.reading import chosen, reading, shop

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the merchant chose."""

    settings: Inlined[ShopSettings]
    measuring: Inlined[MeasuringSettings]


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """The settings as they are."""

    settings: Told[Chosen]
    vendors: Told[list[VendorRow]]
    values: dict[str, str]
    """What stands in each field."""
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """What was typed, and what is wrong beside which field."""

    errors: Told[dict[str, str]]
    vendors: list[VendorRow]
    values: dict[str, str]


@as_json.register
def _(measuring: MeasuringSettings) -> dict[str, Any]:
    return picked(measuring, "holdback_share", "exposure_limit", "loss_cap")


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The settings as they are."""
    return _page()


@blueprint.post("")
def create() -> ResponseReturnValue:
    """Save them, or say beside which field what is wrong; what was typed stays."""
    form = _form()
    saved = save_settings(shop().shop_id, form)
    if not saved.is_saved:
        vendors = _read()
        errors = {name: _error_words(*error) for name, error in saved.errors.items()}
        page = RefusedPage(errors, vendors, _values(vendors) | form)
        return answer("settings/index.html", page, status=422)
    return with_toast(_page(), gettext("Settings saved"))


def _page() -> Response:
    vendors = _read()
    page = SettingsPage(Chosen(chosen(), g.measuring), vendors, _values(vendors), errors={})
    return answer("settings/index.html", page)


def _read() -> list[VendorRow]:
    with reading() as conn:
        g.measuring = measuring_settings.of_shop(conn, shop().shop_id)
        return pages.vendors(conn, shop().shop_id)


def _form() -> dict[str, str]:
    """What was posted; JSON may name a few fields, the rest keep their values."""
    if not request.is_json:
        return request.form.to_dict()
    body = json_object()
    return _values(_read()) | {name: "" if v is None else str(v) for name, v in body.items()}


def _values(vendors: list[VendorRow]) -> dict[str, str]:
    """The settings as a form holds them: text, shares as percents."""
    settings = chosen()
    found = {
        "language": settings.language,
        "timezone": settings.timezone or "",
        "lead_time_days": str(settings.lead_time_days),
        "review_period_days": str(settings.review_period_days),
        "cycle_service_level": _percent(settings.cycle_service_level),
        "holding_cost_per_year": _percent(settings.holding_cost_per_year),
        "margin_floor": _percent(settings.margin_floor),
        "max_price_step": _percent(settings.max_price_step),
        "price_ending": settings.price_ending,
        "prices_frozen_first": str(settings.prices_frozen_first or ""),
        "prices_frozen_last": str(settings.prices_frozen_last or ""),
        "holdback_share": _percent(g.measuring.holdback_share),
        "loss_cap": "" if g.measuring.loss_cap is None else f"{g.measuring.loss_cap.normalize():f}",
        "exposure_limit": _percent(g.measuring.exposure_limit),
    }
    for number, row in enumerate(vendors):
        found[f"vendor-{number}"] = row.vendor
        for name in ("lead_time_days", "pack_units", "minimum_units"):
            value = getattr(row, name)
            found[f"vendor-{number}-{name}"] = "" if value is None else str(value)
        least = row.order_minimum
        found[f"vendor-{number}-order_minimum"] = "" if least is None else f"{least.normalize():f}"
        found[f"vendor-{number}-order_minimum_in"] = row.order_minimum_in or "money"
        found[f"vendor-{number}-lead_time_is_fixed"] = "1" if row.lead_time_is_fixed else ""
    return found


def _percent(share: Any) -> str:
    return "" if share is None else f"{(share * 100).normalize():f}"


def _error_words(code: str, low: float, high: float) -> str:
    words: Mapping[str, str] = {
        "range": gettext(
            "Enter a number from %(low)s to %(high)s", low=formats.count(low), high=_bound(high)
        ),
        "date": gettext("Enter a date"),
        "both_dates": gettext("Enter both dates, or neither"),
        "end_before_start": gettext("Choose an end on or after the start"),
        "choice": gettext("Choose one of the list"),
        "timezone": gettext("Choose a time zone of the list"),
        "vendor": gettext("Name each vendor of your products once"),
    }
    return words[code]


def _bound(number: float) -> str:
    return formats.count(number, 0 if number == int(number) else 1)
