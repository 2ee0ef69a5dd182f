"""What may be called a shop's domain: the only road from outside text to a shop."""

import re
from typing import Final

from shopify.utils import shop_url

PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com")


def shop_domain(text: object) -> str | None:
    """The domain in lower case, or None if the text is anything else.

    ASCII is checked before lower-casing: U+212A lower-cases to an ASCII `k`. `fullmatch` is used
    because `$` lets a trailing newline pass. Shopify's own package is asked last, and must agree.
    """
    if not isinstance(text, str) or not text.isascii():
        return None
    domain = text.lower()
    if not PATTERN.fullmatch(domain) or len(domain.split(".", 1)[0]) < 2:
        return None
    return domain if shop_url.sanitize_shop_domain(domain) == domain else None
