"""A merchant changes the settings: all groups of a form are proved and saved together, or each wrong field gets its error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shopify_app.db import due_work, measuring_settings, shop_settings
from shopify_app.db.connection import Connection, transaction
from shopify_app.domain.shop import VendorLeadTime
from shopify_app.usecases.shops.settings_form import (
    LONGEST_VENDOR,
    Errors,
    MeasuringFields,
    ShopFields,
    VendorFields,
    read_group,
    typed_text,
)

MOST_STRANGERS: Final = 100
"""Vendors of whom a shop has no product and may keep a lead time all the same: more were not typed by a person."""


@dataclass(slots=True)
class SettingsAnswer:
    """What was saved, or what is wrong with which field (code and bounds, for the page to word)."""

    errors: Errors = field(default_factory=dict[str, tuple[str, float, float]])

    @property
    def is_saved(self) -> bool:
        """Whether nothing was wrong."""
        return not self.errors


def save_settings(shop_id: int, form: Mapping[str, str]) -> SettingsAnswer:
    """Save what a form says, all or nothing, and ask for fresh suggestions.

    Percent fields hold percents; `cycle_service_level`, `timezone`, `loss_cap` and the freeze dates may be
    empty. The fields on measuring stay as they are where a form has none of them. Vendors come as `vendor-0`,
    `vendor-0-lead_time_days`, `vendor-0-pack_units`, ...; one whose lead time (and least order) is emptied
    goes back to the shop's default. Vendors not named stay as they are.
    """
    errors: Errors = {}
    chosen = read_group(ShopFields, form, errors)
    measuring = (
        read_group(MeasuringFields, form, errors)
        if MeasuringFields.model_fields.keys() & form.keys()
        else None
    )
    vendors, without = _vendors(form, errors)
    if errors or chosen is None:
        return SettingsAnswer(errors)
    with transaction(shop_id) as conn:
        errors |= _too_many_strangers(conn, shop_id, vendors)
        if errors:
            return SettingsAnswer(errors)
        shop_settings.make(conn, shop_id)
        shop_settings.save(conn, shop_id, chosen.settings())
        if measuring is not None:
            measuring_settings.save(conn, shop_id, measuring.settings())
        if vendors:
            shop_settings.save_vendor_lead_times(conn, shop_id, list(vendors.values()))
        if without:
            shop_settings.forget_vendor_lead_times(conn, shop_id, without)
        due_work.ask(conn, shop_id, "suggestions")
    return SettingsAnswer()


def _vendors(
    form: Mapping[str, str], errors: Errors
) -> tuple[dict[str, VendorLeadTime], list[str]]:
    """Vendors by their field (`vendor-0`), and the names of those that go by the default."""
    found: dict[str, VendorLeadTime] = {}
    without: list[str] = []
    seen: set[str] = set()
    number = 0
    while vendor := form.get(f"vendor-{number}"):
        key = f"vendor-{number}"
        if vendor in seen or len(vendor) > LONGEST_VENDOR:
            errors[key] = ("vendor", 0, 0)
        elif typed_text(form, f"{key}-lead_time_days") or typed_text(form, f"{key}-order_minimum"):
            row = read_group(VendorFields, form, errors, before=f"{key}-")
            if row is not None:
                found[key] = row.settings(vendor)
        else:
            without.append(vendor)
        seen.add(vendor)
        number += 1
    return found, without


def _too_many_strangers(
    conn: Connection, shop_id: int, vendors: Mapping[str, VendorLeadTime]
) -> Errors:
    """The vendors that the shop has no product of, if it would keep more of such than `MOST_STRANGERS`."""
    names = [row.vendor for row in vendors.values()]
    strangers = set(shop_settings.vendors_without_products(conn, shop_id, names))
    if len(strangers) <= MOST_STRANGERS:
        return {}
    return {key: ("vendor", 0, 0) for key, row in vendors.items() if row.vendor in strangers}
