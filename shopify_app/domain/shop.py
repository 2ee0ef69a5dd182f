"""A shop, what its merchant has decided, and the tokens it gave us."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

RECENT_DAYS: Final = 60
"""Shopify shows younger orders only, unless `read_all_orders` is granted."""


class ShopState(StrEnum):
    """Whether Shopify lets us work for a shop."""

    INSTALLED = "installed"
    NEEDS_OPEN = "needs_open"
    """The token died; it heals when the merchant next opens the app."""
    FROZEN = "frozen"
    UNINSTALLED = "uninstalled"


@dataclass(frozen=True, slots=True)
class Shop:
    """A row of `shops`."""

    shop_id: int
    domain: str
    shopify_id: int | None
    name: str
    currency: str
    timezone: str
    country: str | None
    plan: str | None
    taxes_included: bool
    state: ShopState
    granted_scopes: list[str]
    install_epoch: int
    installed_at: datetime
    uninstalled_at: datetime | None
    writes_paused_at: datetime | None
    created_at: datetime
    last_proved_at: datetime | None
    """When Shopify last signed an ID token for this shop (by its clock): it was installed then."""
    facts_updated_at: datetime | None
    """Shopify's stamp of the name, currency, time zone and so on; None: never asked since it is kept."""
    clock_ahead_seconds: int
    """How far the shop's clock is ahead of the machine's (see `clock`): 0, but for a simulated shop in which days passed."""

    scopes_changed_at: datetime | None
    """When the granted scopes last became others; None: as they were at the install."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose days the shop counts in."""
        return ZoneInfo(self.timezone)

    def was_installed_after(self, moment: datetime) -> bool:
        """Whether we know that the app was installed at that moment or later."""
        return max(self.installed_at, self.last_proved_at or self.installed_at) >= moment

    @property
    def sees_all_orders(self) -> bool:
        """Whether orders older than 60 days may be read."""
        return "read_all_orders" in self.granted_scopes

    def sees_order_of(self, created_at: datetime, *, now: datetime) -> bool:
        """Whether Shopify shows us an order created then: where it does not, its silence says nothing."""
        return self.sees_all_orders or now - created_at < timedelta(days=RECENT_DAYS)


@dataclass(frozen=True, slots=True)
class OfflineToken:
    """A shop's current token pair, decrypted."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime
    refresh_expires_at: datetime | None
    install_epoch: int
    generation: int


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """What a merchant may change."""

    language: str
    timezone: str | None
    lead_time_days: int
    review_period_days: int
    cycle_service_level: Decimal | None
    """None: from what a lost sale and a held unit cost."""
    holding_cost_per_year: Decimal
    margin_floor: Decimal
    max_price_step: Decimal
    price_ending: str
    prices_frozen_first: date | None
    prices_frozen_last: date | None

    def freezes_prices(self, first: date, last: date) -> bool:
        """Whether a day between two, both counted, is one on which prices are frozen."""
        if self.prices_frozen_first is None or self.prices_frozen_last is None:
            return False
        return self.prices_frozen_first <= last and self.prices_frozen_last >= first


@dataclass(frozen=True, slots=True)
class VendorLeadTime:
    """How a vendor delivers, as the merchant told us."""

    vendor: str
    lead_time_days: int
    pack_units: int
    minimum_units: int
    """Least units of a line."""
    order_minimum: Decimal | None = None
    """Least of a whole order; None: there is none."""
    order_minimum_in: str = "money"
    """`money` or `units`."""
    lead_time_is_fixed: bool = False
    """Whether the merchant's lead time stands whatever deliveries took."""
