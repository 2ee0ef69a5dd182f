"""Whether a shop's books are whole: what Keel may not read, what could not be compared, what a count could not mend.

    whole --a scope taken away, a history step failed, orders refused, a count that left differences,
            a proof in which more than one order in a thousand, or a day of the last 30, is not as Shopify says--> held
    held  --given back, read, compared, counted without rest, proved--> whole

While they are not, suggestions are not worked out anew: those that stand keep standing and say why.
A comparison that fails or is too old is told, and holds nothing by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from shopify_app import clock
from shopify_app.db import backfills, proofs, reconciliations, shops
from shopify_app.db.backfills import BackfillStep
from shopify_app.db.connection import Connection, sweep_transaction, transaction
from shopify_app.db.reconciliations import Comparison
from shopify_app.domain.shop import Shop
from shopify_app.metrics import SHOPS_WITH_HELD_SUGGESTIONS
from shopify_app.shopify import scopes
from shopify_app.usecases.history import proof
from shopify_app.usecases.history.proof import Proved

OLDEST: Final[Mapping[str, timedelta]] = {
    "orders": timedelta(days=1),
    "products": timedelta(days=1),
    "inventory": timedelta(days=1),
    "shop": timedelta(days=3),
    "full_count": timedelta(days=15),
    "sales_report": timedelta(days=3),
}
"""How old the last good comparison of a kind may be: each is due several times within that."""

NEEDED: Final = ("orders", "products", "inventory", "locations")
"""What every number rests on: the scopes `read_orders`, ..."""

REPORTS_SCOPE: Final = "read_reports"
"""Optional: with it Shopify's own figures can be laid beside ours."""

ORDERS_A_DISAGREEMENT: Final = 1_000
"""More than one order in so many that disagrees with Shopify's own totals, and no money is decided on."""

PROVED_DAYS: Final = timedelta(days=30)

DENIED: Final = "AccessDeniedError"


class What(StrEnum):
    """What is wrong with the books."""

    SCOPE = "scope"
    """`of`: orders, products, inventory or locations."""
    HISTORY = "history"
    """`of`: the step that could not be read."""
    DENIED = "denied"
    """Shopify refuses orders, whatever the scopes say (the approval for protected customer data)."""
    LEFT = "left"
    """`rows` differences that the full count could not mend."""
    UNPROVED = "unproved"
    """`rows` orders, or days, whose money is not what Shopify says; `of`: orders or days."""
    FAILING = "failing"
    """`of`: the kind of comparison."""
    OLD = "old"
    """`of`: the kind of comparison."""


HOLDS: Final = frozenset({What.SCOPE, What.HISTORY, What.DENIED, What.LEFT, What.UNPROVED})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong, and since when (None: not known)."""

    what: What
    of: str
    since: datetime | None
    rows: int = 0
    error: str | None = None

    @property
    def holds(self) -> bool:
        """Whether no suggestion may be worked out while it lasts."""
        return self.what in HOLDS


@dataclass(frozen=True, slots=True)
class Books:
    """How a shop's books stand."""

    troubles: Sequence[Trouble]
    comparisons: Mapping[str, Comparison]

    @property
    def held_by(self) -> Trouble | None:
        """The first trouble for which suggestions are held; None: they are not."""
        return next((one for one in self.troubles if one.holds), None)

    @property
    def full_count(self) -> Comparison | None:
        """How the full counts stand; None before the first."""
        return self.comparisons.get("full_count")


def books(conn: Connection, shop: Shop, *, now: datetime | None = None) -> Books:
    """How a shop's books stand now, the worst first."""
    moment = now or clock.now(shop)
    steps = backfills.progress(conn, shop.shop_id)
    comparisons = {one.kind: one for one in reconciliations.standing(conn, shop.shop_id)}
    return Books(
        [
            *_scopes(shop),
            *_history(steps),
            *_denied(shop, comparisons),
            *_left(comparisons),
            *_unproved(proof.newest_of(proofs.newest(conn, shop.shop_id)), clock.today(shop)),
            *_failing(comparisons),
            *_old(shop, comparisons, steps, moment),
        ],
        comparisons,
    )


def _scopes(shop: Shop) -> list[Trouble]:
    return [Trouble(What.SCOPE, what, shop.scopes_changed_at) for what in _unreadable(shop)]


def _unreadable(shop: Shop) -> list[str]:
    return [what for what in NEEDED if not scopes.may(shop.granted_scopes, f"read_{what}")]


def _history(steps: Sequence[BackfillStep]) -> list[Trouble]:
    return [
        Trouble(What.HISTORY, step.step, step.started_at, error=step.error)
        for step in steps
        if step.state == "failed"
    ]


def _denied(shop: Shop, comparisons: Mapping[str, Comparison]) -> list[Trouble]:
    found = comparisons.get("orders")
    if found is None or not (found.error or "").startswith(DENIED) or "orders" in _unreadable(shop):
        return []
    return [Trouble(What.DENIED, "orders", found.failing_since, error=found.error)]


def _left(comparisons: Mapping[str, Comparison]) -> list[Trouble]:
    found = comparisons.get("full_count")
    if found is None or not found.left_rows:
        return []
    return [Trouble(What.LEFT, "full_count", found.compared_at, rows=found.left_rows)]


def _unproved(proved: Proved | None, today: date) -> list[Trouble]:
    """Orders that disagree beyond what rounding and a change under way can be, or a late day that does not add up."""
    if proved is None:
        return []
    found = proved.proof
    odd = sum(one.day >= today - PROVED_DAYS for one in found.odd_days)
    unlike = found.settled_unlike
    troubles: list[Trouble] = []
    if unlike * ORDERS_A_DISAGREEMENT > found.orders:
        troubles.append(Trouble(What.UNPROVED, "orders", proved.proved_at, rows=unlike))
    if odd:
        troubles.append(Trouble(What.UNPROVED, "days", proved.proved_at, rows=odd))
    return troubles


def _failing(comparisons: Mapping[str, Comparison]) -> list[Trouble]:
    return [
        Trouble(What.FAILING, one.kind, one.failing_since, error=one.error)
        for one in comparisons.values()
        if one.failing_since is not None
    ]


def _old(
    shop: Shop, comparisons: Mapping[str, Comparison], steps: Sequence[BackfillStep], now: datetime
) -> list[Trouble]:
    """Kinds not compared well for too long: since their last good comparison, or since the history was in."""
    ended = [step.finished_at for step in steps]
    read_at = max((at for at in ended if at is not None), default=None)
    if not steps or read_at is None or None in ended:
        return []
    read_at = max(read_at, clock.as_old(shop, shop.installed_at))  # simulated days compare nothing
    since = {
        kind: (comparisons[kind].compared_at if kind in comparisons else None) or read_at
        for kind in OLDEST
        if kind != "sales_report" or scopes.may(shop.granted_scopes, REPORTS_SCOPE)
    }
    return [Trouble(What.OLD, kind, at) for kind, at in since.items() if now - at > OLDEST[kind]]


def troubles_of_all() -> dict[int, Books]:
    """Every shop's books, for the operator."""
    with sweep_transaction() as conn:
        every = shops.every(conn, states=["installed", "needs_open", "frozen"])
    found: dict[int, Books] = {}
    for shop in every:
        with transaction(shop.shop_id) as conn:
            found[shop.shop_id] = books(conn, shop)
    return found


def watch_books() -> int:
    """How many shops' suggestions are held, set as a metric."""
    held = sum(one.held_by is not None for one in troubles_of_all().values())
    SHOPS_WITH_HELD_SUGGESTIONS.set(held)
    return held
