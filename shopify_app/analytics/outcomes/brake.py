"""The brake: a kind of suggestion stops itself when it measurably loses money in this shop, or its loss nears the cap.

In:  the running verdicts of one kind (`outcomes.judge(..., is_running=True)`), the cap, what is still open.
Out: a `BrakeRuling`: go on, wait, or stop, with the reason, the numbers and how many more may be open.
Method: the kind's summed profit is held against a boundary that stays valid however often one looks
(normal-mixture confidence sequence); worst cases of open decisions count against the cap before
they happen; until a kind has shown over whole windows what it does in this shop, few of it are
open at once, and a kind whose first ones look like losing waits, long before it is proven to lose;
if they still do after two windows it stops.
Source: Robbins (1970), "Statistical methods related to the law of the iterated logarithm", Ann. Math.
Stat. 41, 1397-1409; Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Stat. 49, 1055-1080.
Weak: a loss too small to be measured is only bounded by the cap, not found. A good kind may wait for a
while after an unlucky start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, inf, log, sqrt
from typing import Final

from shopify_app.analytics.outcomes.records import Verdict
from shopify_app.analytics.outcomes.registration import WINDOW_PERIODS

PROBATION_OPEN: Final = 4
"""Number of decisions of a kind that may be open before any was measured over a whole window in this shop."""

FALSE_STOP: Final = 0.05
"""Type I error alpha: probability that a kind that neither earns nor loses is ever stopped, however often one
looks."""

WAIT_AT: Final = 0.8
"""Probability of a loss from which no new decisions are opened."""

CLIP: Final = 3.0
"""Bound on a decision's profit, in its own standard deviations (winsorised)."""

PRIOR_DECISIONS: Final = 1.0
"""Mixture variance rho of the boundary, in typical decisions; it is tightest at about ten times as many."""

CAP_SHARE_LOST: Final = 0.5
"""Share of the loss cap, measured as lost, at which a kind that looks like losing stops."""

CAP_SHARE_LOST_AT: Final = 0.9
"""Probability of a loss from which that holds."""

RISK_SHARE: Final = 1 / 24
"""Share of the loss cap that one decision may risk over its window: the first four, at their worst for six
windows, lose the cap."""

SHOWN_AT: Final = 0.1
"""Probability of a loss below which a kind counts as shown to earn, and more of it may be open."""

RIPE_WINDOWS: Final = 2
"""Windows after which a decision is known as well as it will be."""

STOP_AT: Final = 0.95
"""Probability of a loss at which a kind whose first decisions are ripe stops."""

UNBOUNDED: Final = 1000
"""`may_open` of a kind that nothing holds."""


@dataclass(frozen=True, slots=True)
class BrakeRuling:
    """The ruling on a kind: what it may do now, and why. Plain fields; `asdict` is JSON.

    Attributes
    ----------
    ruling : `go`, `wait` (no new ones until more is known), `stop` (off until the merchant says otherwise).
    reason : a code: `new`, `measured_well`, `too_early`, `first_ones_lost`, `loses_money`, `cap_near`.
    may_open : how many further decisions of the kind may be accepted now.
    judged, losers, winners : decisions with figures; those whose estimate is below and above zero.
    profit, profit_low, profit_high : summed gross profit so far and its always-valid 90 % range.
    loss_so_far, open_risk, loss_cap : what the kind has lost net (>= 0), what open decisions may still
        lose at worst, and the cap on their sum.
    chance_it_loses : P(the kind loses on average), looked at once; shown, and waited on, not stopped on.
    risk_room : what the next decision may risk over its window at most (`worst_loss`); a dearer one is
        not to be accepted now.
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
    risk_room: float


def judge_kind(
    kind: str,
    verdicts: Sequence[Verdict],
    *,
    loss_cap: float,
    open_risks: Sequence[float] = (),
    probation_open: int = PROBATION_OPEN,
) -> BrakeRuling:
    """The `BrakeRuling` on one kind of suggestion; may be asked every week or every day.

    Parameters
    ----------
    verdicts : of this shop, newest figures each (other kinds, held-back ones and those without
        figures are skipped).
    loss_cap : gross profit the merchant is willing to lose to this kind in all (> 0).
    open_risks : for each decision of the kind that is still in force, what it may lose at worst before the
        brake is asked again and can undo it (>= 0).

    Raises
    ------
    ValueError
        If the cap is not positive or a risk is negative.

    Examples
    --------
    Nothing is known yet: four decisions may be open, and each may risk a twenty-fourth of the cap.

    >>> ruling = judge_kind("price_rise", [], loss_cap=2400.0)
    >>> ruling.ruling, ruling.reason, ruling.may_open, ruling.risk_room
    ('go', 'new', 4, 100.0)
    """
    if loss_cap <= 0 or any(risk < 0 for risk in open_risks):
        raise ValueError("the cap must be > 0 and risks >= 0")
    profits, spreads, periods = _figures(kind, verdicts)
    matured = sum(count >= WINDOW_PERIODS for count in periods)
    ripe = sum(count >= RIPE_WINDOWS * WINDOW_PERIODS for count in periods)
    total, variance = sum(profits), sum(spread**2 for spread in spreads)
    # P(mean profit < 0) under a flat prior: Phi(-total / sd).
    chance = 0.5 if variance <= 0 else 0.5 * erfc(total / sqrt(2 * variance))
    # The always-valid range is sum +- reach, whenever and however often it is looked at.
    reach = boundary(variance, spreads)
    loss, risk = max(0.0, -total), float(sum(open_risks))
    ruling, reason = _rule(
        judged=len(profits),
        matured=matured,
        is_proven=total < -reach or (ripe >= probation_open and chance >= STOP_AT),
        chance=chance,
        is_near=loss + risk >= loss_cap,
        is_cap_share_lost=loss >= CAP_SHARE_LOST * loss_cap,
    )
    is_shown = matured >= probation_open and chance <= SHOWN_AT
    room = (min(probation_open * matured, UNBOUNDED) if is_shown else probation_open) - len(
        open_risks
    )
    left = max(loss_cap - loss - risk, 0.0)
    return BrakeRuling(
        kind=kind,
        ruling=ruling,
        reason=reason,
        may_open=max(room, 0) if ruling == "go" else 0,
        judged=len(profits),
        losers=sum(profit < 0 for profit in profits),
        winners=sum(profit > 0 for profit in profits),
        profit=total,
        profit_low=total - reach if profits else None,
        profit_high=total + reach if profits else None,
        loss_so_far=loss,
        open_risk=risk,
        loss_cap=loss_cap,
        chance_it_loses=chance,
        risk_room=min(left, loss_cap * RISK_SHARE),
    )


def boundary(variance: float, spreads: Sequence[float]) -> float:
    """Bound that a sum of given variance crosses with probability `FALSE_STOP` at most, whenever one looks.

    One-sided normal mixture (Howard et al. 2021, eq. 14), tightest where about ten typical
    decisions have been judged.

    Examples
    --------
    Four decisions of standard deviation 5 (V = 100, rho = 25): sqrt(250 x log(1 + sqrt(5) / 0.1)).

    >>> round(boundary(100.0, [5.0] * 4), 2)
    28.07
    """
    if variance <= 0 or not spreads:
        return inf
    prior = PRIOR_DECISIONS * variance / len(spreads)
    share = (variance + prior) / prior
    # sqrt(2 (V + rho) log(1 + sqrt((V + rho) / rho) / (2 alpha))), V the variance, rho the
    # mixture's.
    return sqrt(2 * (variance + prior) * log(1 + sqrt(share) / (2 * FALSE_STOP)))


def worst_loss(
    profit_per_week: float, weeks: int, *, price_change: float, margin_share: float
) -> float:
    """Gross profit that a change of price may lose over some weeks at worst, in the money of `profit_per_week`.

    A rise may drive away customers as at an elasticity of -5; a cut may even lose some, as at +1.

    Parameters
    ----------
    price_change : new over old price less 1.
    margin_share : gross profit over price, before, in (0, 1].

    Examples
    --------
    Ten per cent dearer at a margin of one half: units fall to 1.1 ^ -5 = 62 %, each earns 1.2 times as
    much, so a quarter of 600 is lost.

    >>> round(worst_loss(100.0, 6, price_change=0.1, margin_share=0.5))
    153
    """
    # Gross profit of a unit after over before, times the units kept: (1 + change) ^ elasticity.
    unit = (price_change + margin_share) / margin_share
    kept = exp((-5.0 if price_change > 0 else 1.0) * log(1 + price_change))
    return max(profit_per_week * weeks * (1 - unit * kept), 0.0)


def _figures(kind: str, verdicts: Sequence[Verdict]) -> tuple[list[float], list[float], list[int]]:
    """(winsorised profits, their standard deviations, weeks each rests on) of a kind's done decisions."""
    profits: list[float] = []
    spreads: list[float] = []
    periods: list[int] = []
    for verdict in verdicts:
        if verdict.kind != kind or verdict.is_held_back:
            continue
        if verdict.profit is None or not verdict.profit_sd:
            continue
        bound = CLIP * verdict.profit_sd
        profits.append(min(max(verdict.profit, -bound), bound))
        spreads.append(verdict.profit_sd)
        periods.append(verdict.periods_judged)
    return profits, spreads, periods


def _rule(
    *,
    judged: int,
    matured: int,
    is_proven: bool,
    chance: float,
    is_near: bool,
    is_cap_share_lost: bool,
) -> tuple[str, str]:
    """(ruling, reason)."""
    looks_bad = judged > 0 and chance >= WAIT_AT
    if is_proven:
        return "stop", "loses_money"
    if (looks_bad and is_near) or (is_cap_share_lost and chance >= CAP_SHARE_LOST_AT):
        return "stop", "cap_near"
    if is_near:
        return "wait", "cap_near"
    if looks_bad:
        return "wait", "first_ones_lost"
    if not judged:
        return "go", "new"
    return ("go", "measured_well") if matured and chance <= 0.5 else ("go", "too_early")
