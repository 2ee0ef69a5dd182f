"""Keel: a merchant's decision desk inside the Shopify admin."""
