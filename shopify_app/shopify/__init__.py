"""Shopify on the wire: the only package that knows GraphQL, gids and Shopify's JSON."""
