"""What every page needs to know of who asks: settings, language, calendar day, HTML or JSON."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import g, request

from shopify_app import clock
from shopify_app.db import shop_settings
from shopify_app.db.connection import Connection, read_transaction
from shopify_app.domain.shop import Shop, ShopSettings


@contextmanager
def reading() -> Generator[Connection]:
    """A transaction of the asking shop that writes nothing, its settings at hand in `g.chosen`."""
    with read_transaction(shop().shop_id) as conn:
        g.chosen = shop_settings.of_shop(conn, shop().shop_id)
        yield conn


def shop() -> Shop:
    """The shop that asks (proved by auth.py)."""
    found: Shop = g.shop
    return found


def chosen() -> ShopSettings:
    """The settings that `reading()` read."""
    found: ShopSettings = g.chosen
    return found


def language() -> str:
    """`en` or `zh`: what the merchant chose, else what the admin speaks."""
    settings: ShopSettings | None = g.get("chosen")
    if settings is not None and settings.language in ("en", "zh"):
        return settings.language
    spoken: str = g.get("locale") or request.accept_languages.best_match(["en", "zh"]) or "en"
    return "zh" if spoken.lower().startswith("zh") else "en"


def zone() -> ZoneInfo:
    """The time zone whose days the merchant counts in."""
    settings: ShopSettings | None = g.get("chosen")
    return ZoneInfo(settings.timezone) if settings and settings.timezone else shop().zone


def now() -> datetime:
    """The moment in the shop, in the merchant's time zone."""
    return clock.now(shop()).astimezone(zone())


def today() -> date:
    """The merchant's calendar day."""
    return now().date()


def wants_json() -> bool:
    """Whether the caller asked for JSON rather than a page."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"]) == "application/json"
