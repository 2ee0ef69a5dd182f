"""What a shop's granted scopes allow, by shopifyapi's algebra: writing implies reading."""

from collections.abc import Iterable

from shopify import ApiAccess


def may(granted: Iterable[str], scope: str) -> bool:
    """Whether a scope is granted; Shopify echoes only the write where writing implies reading.

    Names that `ApiAccess` does not know (`customer_read_orders`) are left out: it would raise for
    the whole grant, and a shop must not be lost by a scope that is none of ours.
    """
    known = [name for name in granted if ApiAccess.SCOPE_RE.match(name)]
    if not ApiAccess.SCOPE_RE.match(scope):
        return False
    return ApiAccess(known).covers(ApiAccess([scope]))
