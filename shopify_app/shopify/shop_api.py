"""What Shopify says of a shop and of our installation in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shopify_app.shopify.client import AdminApi
from shopify_app.shopify.gid import from_gid

SHOP_INFO = """
query ShopInfo {
  shop {
    id name myshopifyDomain currencyCode ianaTimezone taxesIncluded updatedAt
    plan { publicDisplayName }
    shopAddress { countryCodeV2 }
  }
}
"""

APP_INSTALLATION = """
query AppInstallation {
  currentAppInstallation { id accessScopes { handle } }
}
"""


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """The shop's own facts, named as the columns of `shops`."""

    shopify_id: int
    name: str
    currency: str
    timezone: str
    country: str | None
    plan: str | None
    taxes_included: bool
    facts_updated_at: datetime


def shop_info(api: AdminApi) -> ShopInfo:
    """Name, currency, time zone and the rest."""
    shop: dict[str, Any] = api.query(SHOP_INFO, operation="ShopInfo")["shop"]
    return ShopInfo(
        shopify_id=from_gid(shop["id"], "Shop"),
        name=shop["name"],
        currency=shop["currencyCode"],
        timezone=shop["ianaTimezone"],
        country=shop["shopAddress"]["countryCodeV2"],
        plan=shop["plan"]["publicDisplayName"],
        taxes_included=shop["taxesIncluded"],
        facts_updated_at=datetime.fromisoformat(shop["updatedAt"]),
    )


def granted_scopes(api: AdminApi) -> list[str]:
    """The scopes that this shop's merchant grants now."""
    installation = api.query(APP_INSTALLATION, operation="AppInstallation")[
        "currentAppInstallation"
    ]
    return sorted(scope["handle"] for scope in installation["accessScopes"])
