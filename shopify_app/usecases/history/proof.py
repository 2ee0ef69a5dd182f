"""The nightly proof that the books say of each order what Shopify says of it, and that each day adds up.

Per order: what was ordered is its original total, all but adjustments its current total, the adjustments
the discrepancy of its refunds, each line's units those it still has. Orders whose sales are wanted
and were not read, whatever lost the news, are asked for again.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from shopify_app.db import due_work, proofs, sales, shops
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.db.proofs import ProvedOrder
from shopify_app.domain.proof import Disagreement, OddDay, Proof
from shopify_app.domain.shop import Shop
from shopify_app.usecases.inbox import ledgers
from shopify_app.usecases.rounds import each

MOST_KEPT: Final = 100
"""Orders named in a proof; how many there are is told in any case."""

ASKED_AT_ONCE: Final = 1_000
"""Orders whose sales are asked for after a proof: a hundred calls; the rest with the next one."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof and when it was made; `sales_changed` is how many sale rows ever came back otherwise."""

    proved_at: datetime
    proof: Proof
    sales_changed: int


def prove_shop(shop_id: int) -> Proved:
    """Prove a shop's books now, and keep what was found."""
    with transaction(shop_id) as conn:
        wanted = sales.note_wanted(conn, shop_id, None)
        ledgers.ask(conn, shop_id, wanted[-ASKED_AT_ONCE:])
        before = newest_of(proofs.newest(conn, shop_id))
        counts = proofs.orders_proved(conn, shop_id)
        unlike = proofs.orders_unlike(conn, shop_id)
        odd = proofs.days_unlike(conn, shop_id)
        proof = Proof(
            orders=counts[0],
            agreeing=counts[0] - len(unlike),
            exact=counts[1],
            wanted=counts[2],
            settled_unlike=sum(one.is_settled for one in unlike),
            disagreements=[told for one in unlike[:MOST_KEPT] for told in _disagreements(one)],
            odd_days=[
                OddDay(day=day.day, currency=day.currency, parts=day.parts, total=day.total)
                for day in odd[:MOST_KEPT]
            ],
            odd_days_in_all=len(odd),
        )
        proofs.keep(conn, shop_id, proof.as_json())
        if proof.is_whole and before is not None and not before.proof.is_whole:
            due_work.ask(conn, shop_id, "suggestions")  # they may have been held
        proved = newest_of(proofs.newest(conn, shop_id))
    assert proved is not None, "just kept"  # noqa: S101 -- for the type checker
    if not proof.is_whole:
        log.warning(
            "books_disagree",
            shop_id=shop_id,
            orders=proof.orders,
            agreeing=proof.agreeing,
            odd_days=len(odd),
        )
    return proved


def newest_of(kept: tuple[datetime, dict[str, object], int] | None) -> Proved | None:
    """A kept proof."""
    return None if kept is None else Proved(kept[0], Proof.of_json(kept[1]), kept[2])


def _disagreements(one: ProvedOrder) -> list[Disagreement]:
    pairs = {
        "original": (one.original, one.original_told),
        "current": (one.current, one.current_told),
        "discrepancy": (one.discrepancy, one.discrepancy_told),
    }
    about = partial(
        Disagreement,
        order_id=one.id,
        name=one.name,
        is_exact=one.is_exact,
        is_wanted=one.is_wanted,
    )
    found = [
        about(of=of, ours=ours, theirs=theirs)
        for of, (ours, theirs) in pairs.items()
        if theirs is not None and ours != theirs
    ]
    return found if one.units_agree else [*found, about(of="units")]


def ask_for_proofs() -> None:
    """Have the books of every shop proved."""
    with sweep_transaction() as conn:
        having = shops.every(conn, states=["installed", "needs_open", "frozen"])
    each(having, _ask, of="proofs")


def _ask(shop: Shop) -> int:
    with transaction(shop.shop_id) as conn:
        due_work.ask(conn, shop.shop_id, "proof")
    return 1
