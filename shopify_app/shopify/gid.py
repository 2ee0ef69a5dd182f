"""Shopify's global ids <-> our bigints. Outside `shopify/` there are only bigints."""

import re
from typing import Final

_GID: Final = re.compile(r"gid://shopify/(?P<kind>[A-Za-z]+)/(?P<id>[0-9]{1,19})(?:\?.*)?")


def to_gid(kind: str, number: int) -> str:
    """`gid://shopify/Product/42`."""
    return f"gid://shopify/{kind}/{number}"


def from_gid(gid: str, kind: str | None = None) -> int:
    """The number of a gid; ValueError if it is not one, or not of this kind."""
    match = _GID.fullmatch(gid)
    if match is None or (kind is not None and match["kind"] != kind):
        raise ValueError(f"not a gid of {kind or 'anything'}: {gid!r}")
    return int(match["id"])


def kind_of(gid: str) -> str:
    """`Product` of `gid://shopify/Product/42`."""
    match = _GID.fullmatch(gid)
    if match is None:
        raise ValueError(f"not a gid: {gid!r}")
    return match["kind"]
