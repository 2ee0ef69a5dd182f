"""The total effect of all decisions, losers included, with its range; and the draw of who is held back.

In:  registrations (done and held back) and the history gone on.
Out: a `PortfolioVerdict` with a range; which suggestions a draw holds back.
Method: the ratio of seen to expected over all done products, weighted so that the money gained is surest,
large residuals clipped, against the same of portfolios drawn from products of the same rates. What suggestions have in
common besides being done shows in those held back, and is taken out as far as it is known.
Source: Imbens & Rubin (2015), *Causal Inference*, ch. 5 and 6; randomisation ranges: Rosenbaum (2002), ch. 2.
Weak: effects on products not in the portfolio (a substitute's lost sale) are not in the total; copies of
one product count as many.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from shopify_app.analytics.outcomes import comparisons as held_against
from shopify_app.analytics.outcomes.comparisons import WEEK, Weeks
from shopify_app.analytics.outcomes.placebo import (
    Residuals,
    common_log_ratio,
    drawn_contrasts,
    money_weighted,
    placebo_log_ratios,
    precision_weighted,
)
from shopify_app.analytics.outcomes.records import PortfolioVerdict, Registration, Verdict
from shopify_app.analytics.outcomes.registration import LEAST_COMPARISONS
from shopify_app.analytics.outcomes.verdicts import Window, judge, weeks_of, window_of

MATCH_SD: Final = 0.02
"""Prior standard deviation, in logarithms, of the bias between suggested products and comparison products of
the same rate. A holdback narrows it."""

LEAST_HELD_BACK: Final = 4
"""Number held back below which the draw gives no range."""


def hold_back(ids: Sequence[str], share: float, seed: int) -> tuple[str, ...]:
    """Ids of the suggestions that a draw keeps from being made, sorted.

    The same ids (in any order), share and seed give the same draw. The number is `share * len(ids)`
    rounded up or down by the draw, so that short lists are held back in the right share on average.

    Raises
    ------
    ValueError
        If the share is outside 0..0.5 or an id stands twice.

    Examples
    --------
    >>> hold_back(["d", "c", "b", "a"], 0.5, seed=1) == hold_back(["a", "b", "c", "d"], 0.5, seed=1)
    True
    >>> len(hold_back(["a", "b", "c", "d"], 0.5, seed=1))
    2
    """
    if not 0 <= share <= 0.5:
        raise ValueError("a share of 0 to 0.5 can be held back")
    if len(set(ids)) != len(ids):
        raise ValueError("a suggestion stands twice")
    rng = np.random.default_rng(seed)
    # Stochastic rounding: the expected number is exactly share x n.
    count = int(share * len(ids) + rng.random())
    known = sorted(ids)  # numpy's strings would lose a zero byte at their end
    return tuple(sorted(known[place] for place in rng.permutation(len(known))[:count]))


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
    """The `PortfolioVerdict`: the total of all registrations with its range.

    With held-back decisions among them, what they did is part of the comparison, and the range by the
    draw alone stands beside it (`drawn_low`, `drawn_high`). Without, products of the same rate stand
    in, `basis` says `matched` and the range is wider for it. Arguments as for `judge`; `draws` random
    portfolios, from `seed`.

    Examples
    --------
    One of forty products doubled its counts from the week on in which its price was cut:

    >>> weeks = np.datetime64("2025-01-06", "s") + np.arange(38) * np.timedelta64(7, "D")
    >>> counts = np.random.default_rng(0).poisson(10, (40, 38))
    >>> counts[0, 32:] *= 2
    >>> history = pd.DataFrame({"series_id": np.repeat([f"p{n}" for n in range(40)], 38)})
    >>> history["period"], history["units"] = np.tile(weeks, 40), counts.ravel()
    >>> from shopify_app.analytics.outcomes import Decision, register
    >>> decision = Decision("d", "p0", "price_cut", unit_profit_before=5.0, unit_profit_after=4.0)
    >>> registered = register(history, [decision], first_on=weeks[32])
    >>> found = judge_portfolio(history, registered, as_of="2025-09-29", draws=99)
    >>> found.outcome, found.basis, round(found.effect_share, 1)
    ('helped', 'matched', 1.0)
    """
    changed = set(changed)
    verdicts = judge(history, registrations, as_of=as_of, changed=changed, ended=ended)
    ready = [
        (registration, window_of(registration, as_of, ended, is_running=False))
        for registration, verdict in zip(registrations, verdicts, strict=True)
        if verdict.profit is not None
    ]
    done = [pair for pair in ready if not pair[0].is_held_back]
    held = [pair for pair in ready if pair[0].is_held_back]
    if not done:
        return _summary(verdicts, "none", None)
    weeks = weeks_of(history, [registration for registration, _ in ready], as_of)
    rng = np.random.default_rng(seed)
    own = _Side.of(weeks, done, changed)
    other = _Side.of(weeks, held, changed) if len(held) >= LEAST_HELD_BACK else None
    effects = _log_effects(own, other, draws, rng)
    drawn = None if other is None else _drawn(own, other, draws, rng)
    money = _money([registration for registration, _ in done], own.seen, effects)
    return _summary(
        verdicts,
        "matched" if other is None else "held_back",
        _Totals(money=money, log_effects=effects, drawn=drawn),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """Residuals of one side, done or held back, and of the products that may stand in their places.

    `residuals` holds both; `rows` (n,) are the side's own, `comparisons[i]` those of place i.
    """

    residuals: Residuals
    rows: np.ndarray
    comparisons: list[np.ndarray]
    seen: np.ndarray
    pool: int

    @classmethod
    def of(
        cls, weeks: Weeks, pairs: Sequence[tuple[Registration, Window]], changed: set[str]
    ) -> "_Side":
        """The side of some registrations, measured window by window."""
        parts: list[Residuals] = []
        rows: list[int] = []
        comparisons: list[np.ndarray] = []
        seen: list[float] = []
        offset = 0
        for window in sorted({window for _, window in pairs}, key=str):
            group = [registration for registration, other in pairs if other == window]
            residuals, own, others, counts = _measured_together(weeks, group, window, changed)
            parts.append(residuals)
            rows.extend((own + offset).tolist())
            comparisons.extend(found + offset for found in others)
            seen.extend(counts.tolist())
            offset += len(residuals.ratio)
        joined = Residuals(
            np.concatenate([part.ratio for part in parts]),
            np.concatenate([part.spread for part in parts]),
            np.concatenate([part.weight for part in parts]),
        )
        return cls(joined, np.array(rows, int), comparisons, np.array(seen), offset - len(rows))

    def own(self) -> Residuals:
        """Residuals of the side's own products."""
        return self.residuals.take(self.rows)


def _measured_together(
    weeks: Weeks, group: Sequence[Registration], window: Window, changed: set[str]
) -> tuple[Residuals, np.ndarray, list[np.ndarray], np.ndarray]:
    """(residuals of all needed series, rows of the group, rows that may take each place, counts seen)."""
    first, through = weeks.column(window.first), weeks.column(window.through)
    pre = int((window.first - window.pre_from) // WEEK)
    is_open = weeks.exposure[:, first:through].mean(axis=1) > 0.5
    open_ids = set(weeks.ids[is_open].tolist())
    named = [
        [series for series in r.comparison_ids if series not in changed and series in open_ids]
        for r in group
    ]
    own_ids = [r.series_id for r in group]
    pool_ids = sorted({series for names in named for series in names} - set(own_ids))
    some = weeks.take(weeks.rows([*pool_ids, *own_ids]))
    some = held_against.capped(some, held_against.count_caps(some, first - pre, first))
    every = np.arange(len(some.ids))
    expected = held_against.expect(some, every[: len(pool_ids)], every, first, through, pre)
    seen = some.counts[:, first:through].sum(axis=1)
    own = every[len(pool_ids) :]
    weight = np.ones(len(every))
    for row, registration in zip(own, group, strict=True):
        worth = max(registration.unit_profit_before, 0.0) * registration.units_per_count
        weight[row] = worth * expected.counts[row]
    weight[own] = np.maximum(weight[own], 1e-9)
    residuals = Residuals(seen / expected.counts, expected.spread, weight)
    return residuals, own, [some.rows(names) for names in named], seen[own]


def _log_effects(
    own: _Side, other: _Side | None, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws (draws,) from the distribution of the done products' common log effect."""
    estimate, placebos = _against_placebos(own, draws, rng)
    common, match_sd = 0.0, MATCH_SD
    if other is not None:
        seen, chance = _against_placebos(other, draws, rng)
        # What suggestions have in common, done or not: the held-back ones' estimate, shrunk.
        # The held-back measure the bias of matching; posterior of bias ~ N(0, MATCH_SD^2) given
        # them.
        known = MATCH_SD**2 / (MATCH_SD**2 + float(np.var(chance)))
        common, match_sd = known * seen, MATCH_SD * float(np.sqrt(1 - known))
    return estimate - placebos - common - rng.normal(0, match_sd, draws)


def _against_placebos(
    side: _Side, draws: int, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """(log ratio of a side less the median of its placebos, the placebos (draws,) around their median)."""
    own = side.own()
    placebos = placebo_log_ratios(side.residuals, side.comparisons, own.weight, draws, rng)
    middle = float(np.median(placebos))
    estimate = float(common_log_ratio(money_weighted(own)))
    # The comparison products are themselves a sample.
    width = np.sqrt(1 + len(side.rows) / max(side.pool, LEAST_COMPARISONS))
    return estimate - middle, (placebos - middle) * width


def _drawn(
    own: _Side, other: _Side, draws: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """(log ratio, 80 % low, high, p-value) by the draw of the held-back alone."""
    done, held = precision_weighted(own.own()), precision_weighted(other.own())
    effect = float(common_log_ratio(done) - common_log_ratio(held))
    around = drawn_contrasts(done, held, effect, draws, rng)
    low, high = np.quantile(effect - around, [0.1, 0.9])
    null = drawn_contrasts(done, held, 0.0, draws, rng)
    p_value = float((1 + (np.abs(null) >= abs(effect)).sum()) / (draws + 1))
    return effect, float(low), float(high), p_value


@dataclass(frozen=True, slots=True)
class _Totals:
    """Draws of the total: `money` (2, draws) profit and units gained, `log_effects` (draws,); `drawn`: what the draw alone says."""

    money: np.ndarray
    log_effects: np.ndarray
    drawn: tuple[float, float, float, float] | None


def _money(done: Sequence[Registration], seen: np.ndarray, log_effects: np.ndarray) -> np.ndarray:
    """Profit and units gained (2, draws): what was sold, less what of it would have been sold anyway."""
    units = np.array([r.units_per_count for r in done]) * seen
    before = np.array([r.unit_profit_before for r in done])
    after = np.array([r.unit_profit_after for r in done])
    # Counterfactual units = seen units / exp(effect).
    without = np.exp(-log_effects)
    profit = float(units @ after) - float(units @ before) * without
    return np.stack([profit, float(units.sum()) * (1 - without)])


def _summary(verdicts: Sequence[Verdict], basis: str, totals: _Totals | None) -> PortfolioVerdict:
    """The `PortfolioVerdict`: single verdicts counted, the totals beside them."""
    done = [verdict for verdict in verdicts if not verdict.is_held_back]
    count: dict[str, Any] = {name: sum(v.outcome == name for v in done) for name in _COUNTED}
    gains = {v.decision_id: v.profit for v in done if v.profit is not None}
    return PortfolioVerdict(
        basis=basis,
        decisions=len(done),
        held_back=len(verdicts) - len(done),
        winners_profit=float(sum(gain for gain in gains.values() if gain > 0)),
        losers_profit=float(sum(gain for gain in gains.values() if gain < 0)),
        loser_ids=tuple(name for name, gain in gains.items() if gain < 0),
        **count,
        **_figures(totals),
    )


_COUNTED: Final = ("helped", "hurt", "could_not_tell", "too_early", "not_measurable")
"""Outcomes that a portfolio counts."""

_FIGURES: Final = (
    "profit",
    "profit_low",
    "profit_high",
    "profit_low_90",
    "profit_high_90",
    "units",
    "units_low",
    "units_high",
    "effect_share",
    "effect_low",
    "effect_high",
    "p_value",
    "drawn_effect_share",
    "drawn_low",
    "drawn_high",
    "drawn_p_value",
)
"""Figures of a portfolio, in the order they are worked out."""


def _figures(totals: _Totals | None) -> dict[str, Any]:
    """The figures of a portfolio; None where there are none."""
    if totals is None:
        return {"outcome": "too_early", **dict.fromkeys(_FIGURES)}
    profit = np.quantile(totals.money[0], [0.5, 0.1, 0.9, 0.05, 0.95])
    units = np.quantile(totals.money[1], [0.5, 0.1, 0.9])
    share = np.expm1(np.quantile(totals.log_effects, [0.5, 0.1, 0.9]))
    tail = min((totals.money[0] <= 0).mean(), (totals.money[0] >= 0).mean())
    p_value = min(1.0, 2 * max(float(tail), 1 / (len(totals.log_effects) + 1)))
    drawn: list[float | None] = [None] * 4
    if totals.drawn is not None:
        drawn = [*np.expm1(totals.drawn[:3]).tolist(), totals.drawn[3]]
    values = [*profit.tolist(), *units.tolist(), *share.tolist(), p_value, *drawn]
    outcome = "helped" if profit[3] > 0 else "hurt" if profit[4] < 0 else "could_not_tell"
    return {"outcome": outcome, **dict(zip(_FIGURES, values, strict=True))}
