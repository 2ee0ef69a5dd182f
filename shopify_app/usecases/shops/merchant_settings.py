"""A merchant changes the settings: text from a form is proved, or each field gets its error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar
from zoneinfo import available_timezones

from shopify_app.db import due_work, shop_settings
from shopify_app.db.connection import transaction
from shopify_app.domain.shop import ShopSettings, VendorLeadTime

N = TypeVar("N", int, Decimal)

LANGUAGES: Final = ("auto", "en", "zh")
PRICE_ENDINGS: Final = ("keep", ".99", ".95", ".00")
PERCENTS: Final = {
    "margin_floor": (0, 95),
    "max_price_step": (1, 50),
    "holding_cost_per_year": (1, 200),
    "cycle_service_level": (50, 99.9),
}
"""Field -> smallest and greatest percent, as the form shows them."""
DAYS: Final = {"lead_time_days": (0, 365), "review_period_days": (1, 90)}
UNITS: Final = {"pack_units": (1, 100_000), "minimum_units": (0, 1_000_000)}
ORDER_MINIMUM: Final = (0, 1_000_000_000)
MEASURES: Final = ("money", "units")
"""What a vendor's least order is counted in."""


@dataclass(slots=True)
class SettingsAnswer:
    """What was saved, or what is wrong with which field (code and bounds, for the page to word)."""

    errors: dict[str, tuple[str, float, float]] = field(
        default_factory=dict[str, tuple[str, float, float]]
    )

    @property
    def is_saved(self) -> bool:
        """Whether nothing was wrong."""
        return not self.errors


def save_settings(shop_id: int, form: Mapping[str, str]) -> SettingsAnswer:
    """Save what a form says, all or nothing, and ask for fresh suggestions.

    Percent fields hold percents; `cycle_service_level`, `timezone` and the freeze dates may be
    empty. Vendors come as `vendor-0`, `vendor-0-lead_time_days`, `vendor-0-pack_units`, ...; one
    whose lead time (and least order) is emptied goes back to the shop's default. Vendors not named stay as they are.
    """
    reader = _FormReader(form)
    chosen = reader.settings()
    vendors, without = reader.vendors()
    if not reader.errors:
        with transaction(shop_id) as conn:
            shop_settings.make(conn, shop_id)
            shop_settings.save(conn, shop_id, chosen)
            if vendors:
                shop_settings.save_vendor_lead_times(conn, shop_id, vendors)
            if without:
                shop_settings.forget_vendor_lead_times(conn, shop_id, without)
            due_work.ask(conn, shop_id, "suggestions")
    return SettingsAnswer(reader.errors)


class _FormReader:
    """Reads fields, collecting errors; what it returns is only meant when there are none."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.errors: dict[str, tuple[str, float, float]] = {}

    def settings(self) -> ShopSettings:
        first, last = self._freeze()
        service = self._text("cycle_service_level")
        return ShopSettings(
            language=self._one_of("language", LANGUAGES),
            timezone=self._timezone(),
            lead_time_days=self._whole("lead_time_days", *DAYS["lead_time_days"]),
            review_period_days=self._whole("review_period_days", *DAYS["review_period_days"]),
            cycle_service_level=self._share("cycle_service_level") if service else None,
            holding_cost_per_year=self._share("holding_cost_per_year"),
            margin_floor=self._share("margin_floor"),
            max_price_step=self._share("max_price_step"),
            price_ending=self._one_of("price_ending", PRICE_ENDINGS),
            prices_frozen_first=first,
            prices_frozen_last=last,
        )

    def vendors(self) -> tuple[list[VendorLeadTime], list[str]]:
        """Vendors whose lead time is filled in, and the names of those that go by the default."""
        found: list[VendorLeadTime] = []
        without: list[str] = []
        number = 0
        while vendor := self._form.get(f"vendor-{number}"):
            key = f"vendor-{number}-"
            if self._text(key + "lead_time_days") or self._text(key + "order_minimum"):
                found.append(
                    VendorLeadTime(
                        vendor=vendor,
                        lead_time_days=self._whole(key + "lead_time_days", *DAYS["lead_time_days"]),
                        pack_units=self._whole(key + "pack_units", *UNITS["pack_units"], default=1),
                        minimum_units=self._whole(
                            key + "minimum_units", *UNITS["minimum_units"], default=0
                        ),
                        order_minimum=self._order_minimum(key + "order_minimum"),
                        order_minimum_in=self._measure(key + "order_minimum_in"),
                        lead_time_is_fixed=bool(self._text(key + "lead_time_is_fixed")),
                    )
                )
            else:
                without.append(vendor)
            number += 1
        return found, without

    def _order_minimum(self, name: str) -> Decimal | None:
        """A vendor's least order; None where the field is empty or 0."""
        text = self._text(name)
        if not text:
            return None
        return self._bounded(name, *ORDER_MINIMUM, lambda: Decimal(text), Decimal(0)) or None

    def _measure(self, name: str) -> str:
        return self._one_of(name, MEASURES) if self._text(name) else MEASURES[0]

    def _freeze(self) -> tuple[date | None, date | None]:
        first, last = self._date("prices_frozen_first"), self._date("prices_frozen_last")
        if (first is None) != (last is None):
            missing = "prices_frozen_first" if first is None else "prices_frozen_last"
            self.errors.setdefault(missing, ("both_dates", 0, 0))
        elif first is not None and last is not None and last < first:
            self.errors["prices_frozen_last"] = ("end_before_start", 0, 0)
        return first, last

    def _text(self, name: str) -> str:
        return str(self._form.get(name, "") or "").strip()

    def _date(self, name: str) -> date | None:
        text = self._text(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.errors[name] = ("date", 0, 0)
            return None

    def _whole(self, name: str, low: int, high: int, *, default: int | None = None) -> int:
        text = self._text(name)
        if not text and default is not None:
            return default
        return self._bounded(name, low, high, lambda: int(text), low)

    def _share(self, name: str) -> Decimal:
        low, high = PERCENTS[name]
        percent = self._bounded(name, low, high, lambda: Decimal(self._text(name)), Decimal(1))
        return percent / 100

    def _bounded(self, name: str, low: float, high: float, read: Callable[[], N], least: N) -> N:
        try:
            number = read()
        except (ValueError, InvalidOperation):
            number = None
        if (
            number is None
            or (isinstance(number, Decimal) and number.is_nan())
            or not low <= number <= high
        ):
            self.errors[name] = ("range", low, high)
            return least
        return number

    def _one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        text = self._text(name)
        if text not in allowed:
            self.errors[name] = ("choice", 0, 0)
        return text

    def _timezone(self) -> str | None:
        text = self._text("timezone")
        if text and text not in available_timezones():
            self.errors["timezone"] = ("timezone", 0, 0)
        return text or None
