"""A small Shopify on loopback: real schema, real protocol, known truth. It meets the app on HTTP alone."""
