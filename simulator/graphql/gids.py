"""Shopify's global ids: `gid://shopify/Order/123`."""

import re
from typing import Final

GID: Final = re.compile(r"gid://shopify/(\w+)/(\d+)")


def number_of(gid: str) -> int:
    """The number of a gid; 0 if it is not one (no row has it)."""
    match = GID.match(gid)
    return int(match[2]) if match else 0
