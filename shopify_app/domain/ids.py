"""Ids as Shopify gives them and Postgres keeps them."""

from typing import Final

LARGEST_ID: Final = 2**63 - 1
"""Postgres' bigint: a larger number is nobody's id."""
