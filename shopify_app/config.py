"""Settings: one frozen object, read once from the environment; nothing else reads it."""

import base64
import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
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


SHOP_CLOCKS: Final = ("machine", "simulated")
"""Whose days a shop's due times follow: the machine's, or those that pass in a simulated shop."""
LOG_LEVELS: Final = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")
ENVIRONMENTS: Final = ("production", "development", "test")
PLACEHOLDERS: Final = ("0123456789abcdef0123456789abcdef", "shpss_example")
"""What .env.example has in the place of values: they would pass as some app's."""
SHORTEST_SECRET: Final = 16
"""Characters of a client secret; Shopify's have twice as many and more."""


def _token_keys(text: str) -> tuple[tuple[str, bytes], ...]:
    """`id:base64,id:base64`, newest first."""
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, colon, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise ValueError("a key is not base64") from error
        if not colon or not key_id or len(key_id) > 32 or len(key) != 32:
            raise ValueError("must be id:base64-of-32-bytes, comma separated")
        if not any(key):
            raise ValueError("a key is all zeros")
        if key_id in keys:
            raise ValueError("two keys have one id")
        keys[key_id] = key
    return tuple(keys.items())


def _api_version(text: str) -> str:
    """The name of a dated release. `ApiVersion` knows none newer than 2024-10, and lets a 13th month pass."""
    try:
        release = ApiVersion.coerce_to_version(text)
    except VersionNotFoundError as error:
        raise ValueError(f"must be YYYY-MM, got {text!r}") from error
    if not (release.stable and text.isascii() and text[5:] in RELEASE_MONTHS):
        raise ValueError(f"must name a release, got {text!r}")
    return text


def _port(text: str) -> int:
    """A port number; 0 means: no metrics server."""
    if not text.isdecimal() or not text.isascii() or len(text) > 5 or int(text) > 65_535:
        raise ValueError(f"must be a port number, got {text!r}")
    return int(text)


def _seconds(text: str) -> int:
    """A number of seconds, an hour at most."""
    if not text.isdecimal() or not text.isascii() or len(text) > 4 or int(text) > 3_600:
        raise ValueError(f"must be seconds up to 3600, got {text!r}")
    return int(text)


class Settings(BaseModel):
    """Everything an operator decides; what a merchant decides is a row (`ShopSettings`). Its repr holds no secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    app_env: str = Field(alias="APP_ENV")
    app_url: str = Field(alias="APP_URL")
    database_url: str = Field(alias="DATABASE_URL", repr=False)
    redis_url: str = Field(alias="REDIS_URL", repr=False)
    token_keys: Annotated[tuple[tuple[str, bytes], ...], BeforeValidator(_token_keys)] = Field(
        alias="TOKEN_KEYS", repr=False
    )
    """(key id, 32 bytes), newest first: the first encrypts, all decrypt."""
    api_key: str = Field(alias="SHOPIFY_API_KEY")
    api_secret: str = Field(alias="SHOPIFY_API_SECRET", repr=False)
    old_api_secret: str = Field(alias="SHOPIFY_OLD_API_SECRET", repr=False)
    """The one before, during a rotation; else empty."""
    api_version: Annotated[str, BeforeValidator(_api_version)] = Field(alias="SHOPIFY_API_VERSION")
    base_url_template: str = Field(alias="SHOPIFY_BASE_URL_TEMPLATE")
    app_bridge_url: str = Field(alias="APP_BRIDGE_URL")
    admin_origin: str = Field(alias="SHOPIFY_ADMIN_ORIGIN")
    metrics_port: Annotated[int, BeforeValidator(_port)] = Field(alias="METRICS_PORT")
    ledger_wait_seconds: Annotated[int, BeforeValidator(_seconds)] = Field(
        alias="LEDGER_WAIT_SECONDS"
    )
    """How long news of an order's money is gathered before its sales are asked for."""
    log_level: str = Field(alias="LOG_LEVEL")
    shop_clock: str = Field(alias="SHOP_CLOCK")

    @property
    def is_production(self) -> bool:
        """Whether this process serves real shops."""
        return self.app_env == "production"

    @property
    def follows_simulated_days(self) -> bool:
        """Whether a simulator may say what day it is in its shops: never in production."""
        return self.shop_clock == "simulated"

    @property
    def api_secrets(self) -> tuple[str, ...]:
        """The client secret, and during a rotation the old one behind it."""
        return tuple(secret for secret in (self.api_secret, self.old_api_secret) if secret)

    def shop_url(self, shop_domain: str) -> str:
        """Where a shop is."""
        return self.base_url_template.format(shop=shop_domain).rstrip("/")

    def graphql_url(self, shop_domain: str) -> str:
        """Where a shop's Admin API answers in our version."""
        version = ApiVersion.coerce_to_version(self.api_version)
        return f"{version.api_path(self.shop_url(shop_domain))}/graphql.json"

    @field_validator("app_env")
    @classmethod
    def _is_an_environment(cls, name: str) -> str:
        if name not in ENVIRONMENTS:
            raise ValueError("must be production, development or test")
        return name

    @field_validator("app_url")
    @classmethod
    def _has_a_host(cls, url: str, info: ValidationInfo) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address with a host")
        if _is_production(info) and parts.scheme != "https":
            raise ValueError("must be https when APP_ENV=production")
        return url.rstrip("/")

    @field_validator("api_key", "api_secret", "old_api_secret")
    @classmethod
    def _is_no_placeholder(cls, text: str, info: ValidationInfo) -> str:
        if not _is_production(info) or not text:
            return text
        if text in PLACEHOLDERS:
            raise ValueError("is the placeholder of .env.example")
        if info.field_name != "api_key" and len(text) < SHORTEST_SECRET:
            raise ValueError(f"must have {SHORTEST_SECRET} characters or more")
        return text

    @field_validator("base_url_template")
    @classmethod
    def _names_the_shop(cls, template: str) -> str:
        if "{shop}" not in template:
            raise ValueError("must contain {shop}")
        return template

    @field_validator("base_url_template", "app_bridge_url", "admin_origin")
    @classmethod
    def _is_shopifys_in_production(cls, url: str, info: ValidationInfo) -> str:
        """Development's freedoms (another base URL, another admin) are doors in production."""
        only = SHOPIFYS[info.field_name or ""]
        if _is_production(info) and url != only:
            raise ValueError(f"must be {only} when APP_ENV=production")
        return url

    @field_validator("log_level")
    @classmethod
    def _is_a_level(cls, name: str) -> str:
        if name.upper() not in LOG_LEVELS:
            raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
        return name.upper()

    @field_validator("shop_clock")
    @classmethod
    def _is_the_machines_in_production(cls, name: str, info: ValidationInfo) -> str:
        if name not in SHOP_CLOCKS:
            raise ValueError(f"must be one of {', '.join(SHOP_CLOCKS)}")
        if _is_production(info) and name != "machine":
            raise ValueError("must be machine when APP_ENV=production")
        return name


SHOPIFYS: Final = {
    "base_url_template": BASE_URL_TEMPLATE,
    "app_bridge_url": APP_BRIDGE_URL,
    "admin_origin": ADMIN_ORIGIN,
}


def _is_production(info: ValidationInfo) -> bool:
    """Whether it is, or nobody can tell: an APP_ENV that is wrong opens no door."""
    return info.data.get("app_env", "production") == "production"


def read_settings(env: Mapping[str, str]) -> Settings:
    """Settings from an environment.

    Raises
    ------
    MissingSettingsError
        Names all that are absent at once.
    InvalidSettingsError
        Names all whose values cannot be used, or are not allowed in production; no value of a secret is in it.
    """
    if missing := [name for name in REQUIRED if not env.get(name)]:
        raise MissingSettingsError(", ".join(missing))
    told = {
        "APP_ENV": env.get("APP_ENV", "production"),
        "APP_URL": env["APP_URL"],
        "DATABASE_URL": env["DATABASE_URL"],
        "REDIS_URL": env["REDIS_URL"],
        "TOKEN_KEYS": env["TOKEN_KEYS"],
        "SHOPIFY_API_KEY": env["SHOPIFY_API_KEY"],
        "SHOPIFY_API_SECRET": env["SHOPIFY_API_SECRET"],
        "SHOPIFY_OLD_API_SECRET": env.get("SHOPIFY_OLD_API_SECRET", ""),
        "SHOPIFY_API_VERSION": env.get("SHOPIFY_API_VERSION", "2026-10"),
        "SHOPIFY_BASE_URL_TEMPLATE": env.get("SHOPIFY_BASE_URL_TEMPLATE", BASE_URL_TEMPLATE),
        "APP_BRIDGE_URL": env.get("APP_BRIDGE_URL", APP_BRIDGE_URL),
        "SHOPIFY_ADMIN_ORIGIN": env.get("SHOPIFY_ADMIN_ORIGIN", ADMIN_ORIGIN),
        "METRICS_PORT": env.get("METRICS_PORT", "9464"),
        "LEDGER_WAIT_SECONDS": env.get("LEDGER_WAIT_SECONDS", "60"),
        "LOG_LEVEL": env.get("LOG_LEVEL", "INFO"),
        "SHOP_CLOCK": env.get("SHOP_CLOCK", "machine"),
    }
    try:
        return Settings.model_validate(told)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        words = (f"{one['loc'][0]} {one['msg'].removeprefix('Value error, ')}" for one in wrong)
        raise InvalidSettingsError("; ".join(words)) from None


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)  # noqa: TID251 -- the one place that reads it
