"""Settings: one frozen object, read once from the environment; nothing else reads it."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from shopify import ApiVersion, VersionNotFoundError

from shopify_app.errors import InvalidSettingsError, MissingSettingsError

REQUIRED: Final = (
    "APP_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "TOKEN_KEYS",
    "SHOPIFY_API_KEY",
    "SHOPIFY_API_SECRET",
)

APP_BRIDGE_URL: Final = "https://cdn.shopify.com/shopifycloud/app-bridge.js"
ADMIN_ORIGIN: Final = "https://admin.shopify.com"
BASE_URL_TEMPLATE: Final = "https://{shop}"
RELEASE_MONTHS: Final = ("01", "04", "07", "10")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator decides; what a merchant decides is a row (`ShopSettings`)."""

    app_env: str
    app_url: str
    database_url: str
    redis_url: str
    token_keys: tuple[tuple[str, bytes], ...]
    """(key id, 32 bytes), newest first: the first encrypts, all decrypt."""
    api_key: str
    api_secrets: tuple[str, ...]
    """The client secret, and during a rotation the old one behind it."""
    api_version: str
    base_url_template: str
    app_bridge_url: str
    admin_origin: str
    metrics_port: int
    log_level: str

    @property
    def is_production(self) -> bool:
        """Whether this process serves real shops."""
        return self.app_env == "production"

    def shop_url(self, shop_domain: str) -> str:
        """Where a shop is."""
        return self.base_url_template.format(shop=shop_domain).rstrip("/")

    def graphql_url(self, shop_domain: str) -> str:
        """Where a shop's Admin API answers in our version."""
        version = ApiVersion.coerce_to_version(self.api_version)
        return f"{version.api_path(self.shop_url(shop_domain))}/graphql.json"


def read_settings(env: Mapping[str, str]) -> Settings:
    """Settings from an environment.

    Raises
    ------
    MissingSettingsError
        Names all that are absent at once.
    InvalidSettingsError
        If a value cannot be used, or is not allowed in production.
    """
    if missing := [name for name in REQUIRED if not env.get(name)]:
        raise MissingSettingsError(", ".join(missing))

    secrets = (env["SHOPIFY_API_SECRET"], env.get("SHOPIFY_OLD_API_SECRET", ""))
    settings = Settings(
        app_env=env.get("APP_ENV", "production"),
        app_url=env["APP_URL"].rstrip("/"),
        database_url=env["DATABASE_URL"],
        redis_url=env["REDIS_URL"],
        token_keys=_token_keys(env["TOKEN_KEYS"]),
        api_key=env["SHOPIFY_API_KEY"],
        api_secrets=tuple(secret for secret in secrets if secret),
        api_version=_api_version(env.get("SHOPIFY_API_VERSION", "2026-10")),
        base_url_template=env.get("SHOPIFY_BASE_URL_TEMPLATE", BASE_URL_TEMPLATE),
        app_bridge_url=env.get("APP_BRIDGE_URL", APP_BRIDGE_URL),
        admin_origin=env.get("SHOPIFY_ADMIN_ORIGIN", ADMIN_ORIGIN),
        metrics_port=_port(env.get("METRICS_PORT", "9464")),
        log_level=env.get("LOG_LEVEL", "INFO").upper(),
    )
    _refuse_what_production_must_not_have(settings)
    return settings


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)  # noqa: TID251 -- the one place that reads it


def _token_keys(text: str) -> tuple[tuple[str, bytes], ...]:
    """`id:base64,id:base64`, newest first."""
    keys: list[tuple[str, bytes]] = []
    for part in text.split(","):
        key_id, colon, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise InvalidSettingsError("TOKEN_KEYS: a key is not base64") from error
        if not colon or not key_id or len(key_id) > 32 or len(key) != 32:
            raise InvalidSettingsError("TOKEN_KEYS must be id:base64-of-32-bytes, comma separated")
        keys.append((key_id, key))
    return tuple(keys)


def _api_version(text: str) -> str:
    """The name of a dated release. `ApiVersion` knows none newer than 2024-10, and lets a 13th month pass."""
    try:
        release = ApiVersion.coerce_to_version(text)
    except VersionNotFoundError as error:
        raise InvalidSettingsError(f"SHOPIFY_API_VERSION must be YYYY-MM, got {text!r}") from error
    if not (release.stable and text.isascii() and text[5:] in RELEASE_MONTHS):
        raise InvalidSettingsError(f"SHOPIFY_API_VERSION must name a release, got {text!r}")
    return text


def _port(text: str) -> int:
    """A port number; 0 means: no metrics server."""
    if not text.isdigit() or int(text) > 65_535:
        raise InvalidSettingsError(f"METRICS_PORT must be a port number, got {text!r}")
    return int(text)


def _refuse_what_production_must_not_have(settings: Settings) -> None:
    """Development's freedoms (another base URL, another admin) are doors in production."""
    if settings.app_env not in ("production", "development", "test"):
        raise InvalidSettingsError("APP_ENV must be production, development or test")
    if "{shop}" not in settings.base_url_template:
        raise InvalidSettingsError("SHOPIFY_BASE_URL_TEMPLATE must contain {shop}")
    if not settings.is_production:
        return
    for name, value, only in (
        ("SHOPIFY_BASE_URL_TEMPLATE", settings.base_url_template, BASE_URL_TEMPLATE),
        ("APP_BRIDGE_URL", settings.app_bridge_url, APP_BRIDGE_URL),
        ("SHOPIFY_ADMIN_ORIGIN", settings.admin_origin, ADMIN_ORIGIN),
    ):
        if value != only:
            raise InvalidSettingsError(f"{name} must be {only} when APP_ENV=production")
    if urlsplit(settings.app_url).scheme != "https":
        raise InvalidSettingsError("APP_URL must be https when APP_ENV=production")
