"""What the app subscribed to in its shopify.app.toml, read as a deploy would read it."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic's address; `include_fields` None means the whole payload."""

    topic: str
    uri: str
    include_fields: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class AppToml:
    """The parts of the file that Shopify acts on."""

    scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]
    api_version: str
    subscriptions: tuple[Subscription, ...]
    redirect_urls: tuple[str, ...]


@cache
def read(path: Path) -> AppToml:
    """The file's scopes and subscriptions."""
    parsed = tomllib.loads(path.read_text())
    found: list[Subscription] = []
    for entry in parsed["webhooks"]["subscriptions"]:
        fields = entry.get("include_fields")
        topics = [*entry.get("topics", []), *entry.get("compliance_topics", [])]
        found += [
            Subscription(topic, entry["uri"], tuple(fields) if fields else None) for topic in topics
        ]
    scopes = parsed["access_scopes"]
    return AppToml(
        tuple(scopes["scopes"].split(",")),
        tuple(scopes.get("optional_scopes", [])),
        parsed["webhooks"]["api_version"],
        tuple(found),
        tuple(parsed.get("auth", {}).get("redirect_urls", [])),
    )
