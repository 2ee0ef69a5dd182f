"""Records of an outcome: a decision, its registration, its verdict, and the verdict on all together.

Plain fields: `dataclasses.asdict` of each is JSON, and nothing in them is NaN or infinite.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

OUTCOMES: Final = ("helped", "hurt", "could_not_tell", "too_early", "not_measurable")
"""Every outcome of a verdict."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about to be made. Money is of one currency, per unit.

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
    """The registration of a decision: how it will be judged, fixed before it is written. Plain fields; `asdict` is JSON.

    Attributes
    ----------
    first_on, stop_on, pre_from : ISO dates (starts of weeks)
        The window measured is [first_on, stop_on), the past it is held against [pre_from, first_on).
    comparison_ids : the series it is held against, nearest in rate first.
    count_cap : a week's count above it counts as it (wholesale), declared now; None: no cap.
    expected_counts : counts expected in the window if nothing were done.
    detectable_share : minimum detectable effect: relative change of the counts that would be told from
        chance in half of all cases; None where even a doubling would not.
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
    """The outcome of one decision over its window, against the counterfactual.

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
    """The outcome of all decisions together, losers included.

    Attributes
    ----------
    outcome : `helped`, `hurt`, `could_not_tell` (the 90 % range of profit), `too_early`.
    basis : `held_back` (randomisation range), `matched` (comparison products; says so), `none`.
    profit ... profit_high_90 : gross profit gained by all done decisions that were judged.
    effect_share, effect_low, effect_high : change of counts as a share of what would have been, 80 %.
    drawn_effect_share, drawn_low, drawn_high, drawn_p_value : the same share by the draw alone, done
        against held back, which assumes nothing; None without a holdback. Wide until many were held back.
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
    drawn_effect_share: float | None
    drawn_low: float | None
    drawn_high: float | None
    drawn_p_value: float | None
    winners_profit: float
    losers_profit: float
    loser_ids: tuple[str, ...]


def registration_from(record: Mapping[str, Any]) -> Registration:
    """The registration that `dataclasses.asdict` and JSON made a record of."""
    fields = dict(record)
    fields["comparison_ids"] = tuple(fields["comparison_ids"])
    return Registration(**fields)


def verdict_from(record: Mapping[str, Any]) -> Verdict:
    """The verdict that `dataclasses.asdict` and JSON made a record of."""
    return Verdict(**record)
