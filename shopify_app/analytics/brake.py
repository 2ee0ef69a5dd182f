"""When a kind of suggestion stops itself: it measurably loses money in this shop, or its loss nears the cap.

In:  the running verdicts of one kind (`outcomes.judge(..., is_running=True)`), the cap, what is still open.
Out: a `BrakeRuling`: go on, wait, or stop, with the reason, the numbers and how many more may be open.
Method: the kind's summed profit is held against a boundary that stays valid however often one looks
(normal-mixture confidence sequence); worst cases of open decisions count against the cap before
they happen; until a kind has shown what it does in this shop, few of it are open at once.
Source: Robbins (1970), "Statistical methods related to the law of the iterated logarithm", Ann. Math.
Stat. 41, 1397-1409; Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Stat. 49, 1055-1080.
Weak: a loss too small to be measured is only bounded by the cap, not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shopify_app.analytics.outcomes import Verdict

RULINGS: Final = ("go", "wait", "stop")
PROBATION_OPEN: Final = 4
"""Decisions of a kind that may be open before any of it was measured in this shop."""


@dataclass(frozen=True, slots=True)
class BrakeRuling:
    """What a kind may do now. Plain fields; `asdict` is JSON.

    Attributes
    ----------
    ruling : `go`, `wait` (no new ones until more is known), `stop` (off until the merchant says otherwise).
    reason : a code: `new`, `measured_well`, `too_early`, `first_ones_lost`, `loses_money`, `cap_near`.
    may_open : how many further decisions of the kind may be accepted now.
    judged, losers, winners : decisions with figures; those whose estimate is below and above zero.
    profit, profit_low, profit_high : summed gross profit so far and its always-valid 90 % range.
    loss_so_far, open_risk, loss_cap : what the kind has lost net (>= 0), what open decisions may still
        lose at worst, and the cap on their sum.
    chance_it_loses : P(the kind loses on average), looked at once; shown, not used to stop.
    """

    kind: str
    ruling: str
    reason: str
    may_open: int
    judged: int
    losers: int
    winners: int
    profit: float
    profit_low: float | None
    profit_high: float | None
    loss_so_far: float
    open_risk: float
    loss_cap: float
    chance_it_loses: float


def judge_kind(
    kind: str,
    verdicts: Sequence[Verdict],
    *,
    loss_cap: float,
    open_risks: Sequence[float] = (),
    probation_open: int = PROBATION_OPEN,
) -> BrakeRuling:
    """Rule on one kind of suggestion; may be asked every week or every day.

    Parameters
    ----------
    verdicts : of this shop, newest figures each (others' kinds, held-back ones and those without
        figures are skipped).
    loss_cap : gross profit the merchant is willing to lose to this kind in all (> 0).
    open_risks : for each open decision of the kind, what it may still lose at worst (>= 0).

    Raises
    ------
    ValueError
        If the cap is not positive or a risk is negative.
    """
    raise NotImplementedError
