"""Shopify's own schema of the Admin API, and documents held to it."""

import gzip
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, parse, validate

VERSION: Final = "2026-10"
SCHEMA_FILE: Final = Path(__file__).with_name(f"admin-{VERSION}.graphql.gz")


@cache
def schema() -> GraphQLSchema:
    """The schema; reading it takes a second, once a process."""
    return build_schema(gzip.decompress(SCHEMA_FILE.read_bytes()).decode(), assume_valid=True)


@lru_cache(maxsize=256)
def checked(text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """A document (None if it cannot be parsed) and what is wrong with it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return None, [error]
    return document, validate(schema(), document)
