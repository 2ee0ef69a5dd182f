"""Whether a decision helped: registered before the write, judged once after its stop date.

In:  a weekly history of counts, the decisions, and later the same history gone on.
Out: a `Registration` per decision (kept before the write), a `Verdict` per decision, a `PortfolioVerdict`.
Method: what a product would have sold is its own 26 weeks before, times what products of the same
rate did meanwhile; how far such a guess is off is seen on those products themselves, to which
nothing was done. A single product mostly cannot be told; many together can.
Source: Abadie, Diamond & Hainmueller (2010), "Synthetic control methods for comparative case
studies", JASA 105, 493-505 (placebo ranks); Rosenbaum (2002), *Observational Studies*, ch. 2.
Weak: without a holdback, suggestions are not a random draw of products and the range says
`matched`; a wholesale order in the window is capped as declared; substitutes not named as such
take part in the comparison.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

PRE_PERIODS: Final = 26
WINDOW_PERIODS: Final = 6
OUTCOMES: Final = ("helped", "hurt", "could_not_tell", "too_early", "not_measurable")


@dataclass(frozen=True, slots=True)
class Decision:
    """What is about to be done. Money is of one currency, per unit.

    `unit_profit_before`, `unit_profit_after`: gross profit of a unit at the old and the new price.
    `units_per_count`: units in one count of the history (1 where the history counts units; the usual
    units an order where it counts orders). `substitutes`: series a customer would buy instead; they
    are never compared with. `kind` is the brake's, for example `price_rise`.
    """

    decision_id: str
    series_id: str
    kind: str
    unit_profit_before: float
    unit_profit_after: float
    units_per_count: float = 1.0
    substitutes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """How a decision will be judged, fixed before it is written. Plain fields; `asdict` is JSON.

    Attributes
    ----------
    first_on, stop_on, pre_from : ISO dates (starts of weeks)
        The window measured is [first_on, stop_on), the past it is held against [pre_from, first_on).
    comparison_ids : the series it is held against, nearest in rate first.
    count_cap : a week's count above it counts as it (wholesale), declared now; None: no cap.
    expected_counts : counts expected in the window if nothing were done.
    detectable_share : a change of the counts of this share, up or down, would be told in half of all
        cases; None where even a doubling would not.
    is_held_back : the draw kept it from being done; it stands for what would have happened.
    not_measurable_because : a code (`no_history`, `too_few_comparisons`) or None.
    """

    decision_id: str
    series_id: str
    kind: str
    metric: str
    method: str
    pre_from: str
    first_on: str
    stop_on: str
    comparison_ids: tuple[str, ...]
    count_cap: float | None
    expected_counts: float
    detectable_share: float | None
    unit_profit_before: float
    unit_profit_after: float
    units_per_count: float
    is_held_back: bool
    not_measurable_because: str | None
    seed: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one decision over its window, against what would have been.

    Attributes
    ----------
    outcome : one of `OUTCOMES`; `helped` and `hurt` where the 90 % range of profit leaves out zero.
    profit, profit_low, profit_high : gross profit gained over the window and its 80 % range.
    profit_low_90, profit_high_90 : its 90 % range.
    units, units_low, units_high : units gained over the window, 80 % range.
    profit_sd : half the 80 % range / 1.28; what the brake weighs with.
    counts_seen, counts_expected : in the window.
    p_value : placebo rank of the profit, two-sided.
    periods_judged, comparisons_used : how much it rests on.
    Figures are None where nothing can be said (`too_early`, `not_measurable`).
    """

    decision_id: str
    series_id: str
    kind: str
    outcome: str
    first_on: str
    judged_through: str
    is_held_back: bool
    profit: float | None
    profit_low: float | None
    profit_high: float | None
    profit_low_90: float | None
    profit_high_90: float | None
    profit_sd: float | None
    units: float | None
    units_low: float | None
    units_high: float | None
    counts_seen: float | None
    counts_expected: float | None
    p_value: float | None
    periods_judged: int
    comparisons_used: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class PortfolioVerdict:
    """All decisions together, losers included.

    Attributes
    ----------
    outcome : `helped`, `hurt`, `could_not_tell` (the 90 % range of profit), `too_early`.
    basis : `held_back` (randomisation range), `matched` (comparison products; says so), `none`.
    profit ... profit_high_90 : gross profit gained by all done decisions that were judged.
    effect_share, effect_low, effect_high : change of counts as a share of what would have been, 80 %.
    winners_profit, losers_profit : sums of the single estimates above and below zero; they add to
        about `profit`, and each is too extreme by chance.
    helped, hurt, could_not_tell, too_early, not_measurable : how many decisions had which outcome.
    """

    outcome: str
    basis: str
    decisions: int
    held_back: int
    helped: int
    hurt: int
    could_not_tell: int
    too_early: int
    not_measurable: int
    profit: float | None
    profit_low: float | None
    profit_high: float | None
    profit_low_90: float | None
    profit_high_90: float | None
    units: float | None
    units_low: float | None
    units_high: float | None
    effect_share: float | None
    effect_low: float | None
    effect_high: float | None
    p_value: float | None
    winners_profit: float
    losers_profit: float
    loser_ids: tuple[str, ...]


def hold_back(ids: Sequence[str], share: float, seed: int) -> tuple[str, ...]:
    """The suggestions a draw keeps from being made, with the merchant's consent.

    The same ids (in any order), share and seed give the same draw. The number is `share * len(ids)`
    rounded up or down by the draw, so that small lists are held back in the right share on average.

    Raises
    ------
    ValueError
        If the share is outside 0..0.5 or an id stands twice.
    """
    raise NotImplementedError


def register(
    history: pd.DataFrame,
    decisions: Sequence[Decision],
    *,
    first_on: object,
    held_back: Iterable[str] = (),
    under_change: Iterable[str] = (),
    pre_periods: int = PRE_PERIODS,
    window_periods: int = WINDOW_PERIODS,
    seed: int = 0,
) -> list[Registration]:
    """Fix how each decision will be judged, from what is known before it is written.

    Parameters
    ----------
    history : DataFrame, weekly
        `series_id, period` (start of the week, datetime64), `units` (counts) and optional `in_stock`
        (share) and `group`. Rows at or after `first_on` are not read. Weeks without a row are zero.
    decisions : what is about to be done; all of them start with the week `first_on`.
    first_on : date-like
        Start of the first week that is measured (the first whole week after the write).
    held_back : decision ids that the draw keeps from being done.
    under_change : series that changed lately or are being measured; never compared with.

    Raises
    ------
    ValueError
        If columns are missing, counts are negative or a decision id stands twice.
    """
    raise NotImplementedError


def judge(
    history: pd.DataFrame,
    registrations: Sequence[Registration],
    *,
    as_of: object,
    changed: Iterable[str] = (),
    ended: Mapping[str, object] | None = None,
    is_running: bool = False,
) -> list[Verdict]:
    """A verdict per registration.

    Parameters
    ----------
    history : as for `register`, gone on; rows at or after `as_of` are not read.
    as_of : date-like; weeks that ended before it are judged. Before the stop date the outcome is
        `too_early` and no figures are given (looking every day would find an effect in time).
    changed : series whose price (or stock) was changed since; they leave the comparison.
    ended : decision id -> date at which it was undone or overwritten; its window stops there.
    is_running : give the figures so far, through `as_of` and beyond the stop date if so, for the brake
        only (which allows for looking often); the outcome then stays `too_early`.
    """
    raise NotImplementedError


def judge_portfolio(
    history: pd.DataFrame,
    registrations: Sequence[Registration],
    *,
    as_of: object,
    changed: Iterable[str] = (),
    ended: Mapping[str, object] | None = None,
    draws: int = 999,
    seed: int = 0,
) -> PortfolioVerdict:
    """All registrations together: the ledger's total with its range.

    With held-back decisions among them the range is a randomisation range: the draw is made again
    `draws` times. Without, products of the same rate stand in, and `basis` says `matched`.
    """
    raise NotImplementedError


def registration_from(record: Mapping[str, Any]) -> Registration:
    """A registration back from what `dataclasses.asdict` and JSON made of it."""
    return Registration(**{**record, "comparison_ids": tuple(record["comparison_ids"])})


def verdict_from(record: Mapping[str, Any]) -> Verdict:
    """A verdict back from what `dataclasses.asdict` and JSON made of it."""
    return Verdict(**record)
