"""A proof is whole when every order agrees and every day adds up, and is read back as it was kept."""

from datetime import date
from decimal import Decimal

from shopify_app.domain.proof import Disagreement, OddDay, Proof
from shopify_app.domain.sale import Action, LineType, Reason

WHOLE = Proof(
    orders=3,
    agreeing=3,
    exact=1,
    wanted=0,
    settled_unlike=0,
    disagreements=[],
    odd_days=[],
    odd_days_in_all=0,
)
ODD = OddDay(day=date(2026, 11, 20), currency="GBP", parts=Decimal(1), total=Decimal(2))


def test_one_order_or_day_that_does_not_agree_is_enough():
    assert WHOLE.is_whole
    assert not WHOLE.with_changes(agreeing=2).is_whole
    assert not WHOLE.with_changes(odd_days=[ODD]).is_whole


def test_it_is_read_back_as_it_was_kept():
    unlike = Disagreement(
        order_id=1, name="#1", of="current", ours=Decimal("1.50"), theirs=Decimal(2)
    )
    kept = WHOLE.with_changes(disagreements=[unlike], odd_days=[ODD])

    assert Proof.of_json(kept.as_json()) == kept


def test_a_kind_that_shopify_adds_is_unknown():
    assert (Reason("GIFT"), Action("SWAP"), LineType("DONATION")) == (
        Reason.UNKNOWN,
        Action.UNKNOWN,
        LineType.UNKNOWN,
    )
