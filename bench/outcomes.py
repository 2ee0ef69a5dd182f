"""Do we claim effects that are not there, and see those that are? `./run bench outcomes [--data DIR]`.

Online Retail II, orders a week: a product and a date at random, 26 weeks before and 6 after, nothing
done: how often does each method claim an effect at .10. Then portfolios whose counts had orders added
or taken out at random by a known share: power, and how often the 80 % range holds the truth.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from bench.lib import data
from bench.lib.report import Target, arguments, finish
from shopify_app.analytics.outcomes import (
    PRE_PERIODS,
    WINDOW_PERIODS,
    Decision,
    PortfolioVerdict,
    Registration,
    hold_back,
    judge,
    judge_portfolio,
    register,
)
from shopify_app.analytics.panel import Panel, as_panel

ALPHA: Final = 0.10
HELD_BACK: Final = 0.15
LEAST_COUNTS: Final = 26
"""Portfolios are drawn from products of an order a week: fewer sales bring no price suggestion."""

DRAWS: Final = 399


def main() -> int:
    """Print the tables, then one JSON line."""
    chosen = arguments(
        __doc__ or "",
        placebos=(int, 720, "products and dates at which nothing was done"),
        reps=(int, 120, "portfolios a cell"),
        seed=(int, 11, "of every draw"),
    )
    started = time.process_time()
    orders = _text_ids(data.retail_orders(chosen.data).history)
    values = {
        "placebo": placebo(orders, chosen.placebos, chosen.seed),
        "other_sets": {
            name: _ours_only(_text_ids(read(chosen.data).history), chosen.placebos // 3)
            for name, read in OTHER_SETS.items()
        },
        "portfolio": portfolios(orders, chosen.reps, chosen.seed),
    }
    seconds = round(time.process_time() - started)
    _print(values)
    return finish("outcomes", _targets(values), figures=values, cpu_seconds=seconds)


OTHER_SETS: Final = {
    "online retail, units": data.retail_units,
    "vn2": data.vn2,
    "complete journey": data.complete_journey,
}


def _text_ids(history: pd.DataFrame) -> pd.DataFrame:
    return history.assign(series_id=history["series_id"].astype(str))


# ---------------------------------------------------------------- a single product, nothing done


def placebo(history: pd.DataFrame, count: int, seed: int) -> dict[str, Any]:
    """Share of claims at .10 of every method, and how often our ranges hold."""
    rng = np.random.default_rng(seed)
    panel = as_panel(history, period="W")
    claims: dict[str, list[bool]] = {name: [] for name in PEERS}
    ours: list[bool] = []
    covered: list[bool] = []
    hurt_and_helped = {"helped": 0, "hurt": 0}
    for start, registrations in _placebo_batches(history, panel, count, rng):
        stop = panel.periods[start + WINDOW_PERIODS]
        for registration, verdict in zip(
            registrations, judge(history, registrations, as_of=stop), strict=True
        ):
            if verdict.p_value is None or verdict.profit_low is None:
                continue
            ours.append(verdict.outcome in hurt_and_helped)
            if ours[-1]:
                hurt_and_helped[verdict.outcome] += 1
            covered.append(verdict.profit_low <= 0 <= (verdict.profit_high or 0.0))
            product, others = _weeks_around(panel, registration, start)
            for name, p_value in PEERS.items():
                claims[name].append(p_value(product, others) < ALPHA)
    return {
        "judged": len(ours),
        "claims": {
            "placebo rank (ours)": float(np.mean(ours)),
            **{name: float(np.mean(found)) for name, found in claims.items()},
        },
        "ours_claimed": hurt_and_helped,
        "cover_80": float(np.mean(covered)),
    }


def _ours_only(history: pd.DataFrame, count: int) -> dict[str, float]:
    found = placebo(history, count, 5)
    return {
        "claims": found["claims"]["placebo rank (ours)"],
        "cover_80": found["cover_80"],
        "judged": found["judged"],
    }


def _placebo_batches(
    history: pd.DataFrame, panel: Panel, count: int, rng: np.random.Generator
) -> list[tuple[int, list[Registration]]]:
    """Random products at random dates, registered as if something were done."""
    starts = np.arange(PRE_PERIODS + 1, len(panel.periods) - WINDOW_PERIODS)
    dates = rng.choice(starts, min(len(starts), 24), replace=False)
    batches: list[tuple[int, list[Registration]]] = []
    for start in dates:
        past = panel.units[:, start - PRE_PERIODS : start].sum(axis=1)
        known = np.flatnonzero(past >= WINDOW_PERIODS)
        chosen = rng.choice(known, min(max(count // len(dates), 1), len(known) // 4), replace=False)
        decisions = [_decision(str(panel.series_ids[row]), 5.0, 5.0) for row in chosen]
        batches.append((int(start), register(history, decisions, first_on=panel.periods[start])))
    return batches


def _decision(series_id: str, before: float, after: float) -> Decision:
    return Decision(series_id, series_id, "price_rise", before, after)


def _weeks_around(
    panel: Panel, registration: Registration, start: int
) -> tuple[np.ndarray, np.ndarray]:
    """(product's weeks (26 + 6,), all comparison products' weeks together (26 + 6,))."""
    place = {str(series): row for row, series in enumerate(panel.series_ids)}
    window = slice(start - PRE_PERIODS, start + WINDOW_PERIODS)
    others = [place[series] for series in registration.comparison_ids]
    return panel.units[place[registration.series_id], window], panel.units[others, window].sum(0)


def _poisson_z(product: np.ndarray, others: np.ndarray) -> float:
    """Before against after, counts taken for Poisson."""
    del others
    before, after = product[:PRE_PERIODS].sum(), product[PRE_PERIODS:].sum()
    total, share = before + after, WINDOW_PERIODS / (PRE_PERIODS + WINDOW_PERIODS)
    z = (after - total * share) / np.sqrt(max(total * share * (1 - share), 1e-9))
    return float(2 * stats.norm.sf(abs(z)))


def _t_test(product: np.ndarray, others: np.ndarray) -> float:
    """Weeks before against weeks after, Welch's t."""
    del others
    before, after = product[:PRE_PERIODS], product[PRE_PERIODS:]
    if before.std() == 0 and after.std() == 0:
        return 0.0 if before.mean() != after.mean() else 1.0
    return float(stats.ttest_ind(before, after, equal_var=False).pvalue)


def _did(product: np.ndarray, others: np.ndarray) -> float:
    """Difference in differences on the log scale, Poisson deviations."""
    return _did_with(product, others, 0.0)


def _did_overdispersed(product: np.ndarray, others: np.ndarray) -> float:
    """The same, with the overdispersion of the product's own weeks before."""
    before = product[:PRE_PERIODS]
    mean = max(before.mean(), 1e-9)
    return _did_with(product, others, max((before.var(ddof=1) - mean) / mean**2, 0.0))


def _did_with(product: np.ndarray, others: np.ndarray, dispersion: float) -> float:
    before, after = product[:PRE_PERIODS].sum() + 0.5, product[PRE_PERIODS:].sum() + 0.5
    shop_before, shop_after = others[:PRE_PERIODS].sum() + 0.5, others[PRE_PERIODS:].sum() + 0.5
    effect = np.log(after / before) - np.log(shop_after / shop_before)
    variance = (
        1 / before
        + 1 / after
        + 1 / shop_before
        + 1 / shop_after
        + dispersion * (1 / PRE_PERIODS + 1 / WINDOW_PERIODS)
    )
    return float(2 * stats.norm.sf(abs(effect) / np.sqrt(variance)))


def _regression_on_shop(product: np.ndarray, others: np.ndarray) -> float:
    """A regression of the product's weeks on the shop's, carried on: what CausalImpact does at heart."""
    design = np.c_[np.ones(len(others)), others]
    slope, *_ = np.linalg.lstsq(design[:PRE_PERIODS], product[:PRE_PERIODS], rcond=None)
    miss = product - design @ slope
    spread = miss[:PRE_PERIODS].std(ddof=2)
    z = miss[PRE_PERIODS:].sum() / max(spread * np.sqrt(WINDOW_PERIODS), 1e-9)
    return float(2 * stats.norm.sf(abs(z)))


PEERS: Final[dict[str, Callable[[np.ndarray, np.ndarray], float]]] = {
    "before/after, Poisson z": _poisson_z,
    "before/after, t test": _t_test,
    "difference in differences": _did,
    "the same, overdispersed": _did_overdispersed,
    "regression on the shop": _regression_on_shop,
}

# ---------------------------------------------------------------- portfolios with a known effect


def portfolios(history: pd.DataFrame, reps: int, seed: int) -> list[dict[str, Any]]:
    """One row a cell: size, effect, basis; claims and how often the ranges hold."""
    panel = as_panel(history, period="W")
    cells = [
        (size, effect, share)
        for size in (10, 30, 100)
        for effect in ("none", "+20 %", "+50 %")
        for share in (HELD_BACK,)
    ] + [(100, effect, HELD_BACK) for effect in ("-20 %", "prices +10 %")]
    cells += [(100, effect, 0.0) for effect in ("none", "+20 %")]
    rows: list[dict[str, Any]] = []
    for number, (size, effect, share) in enumerate(cells):
        rng = np.random.default_rng([seed, number])
        found = [_one_portfolio(panel, size, effect, share, rng) for _ in range(reps)]
        rows.append(
            {
                "products": size,
                "effect": effect,
                "held_back": share,
                "helped": float(np.mean([v.outcome == "helped" for v, _ in found])),
                "hurt": float(np.mean([v.outcome == "hurt" for v, _ in found])),
                "cover_80": float(
                    np.mean([v.profit_low <= truth <= v.profit_high for v, truth in found])  # type: ignore[operator]
                ),
                "drawn_claims": float(
                    np.mean(
                        [v.drawn_p_value is not None and v.drawn_p_value < ALPHA for v, _ in found]
                    )
                ),
            }
        )
    return rows


def _one_portfolio(
    panel: Panel, size: int, effect: str, share: float, rng: np.random.Generator
) -> tuple[PortfolioVerdict, float]:
    """A verdict and the true profit gained."""
    start = int(rng.integers(PRE_PERIODS + 1, len(panel.periods) - WINDOW_PERIODS))
    past = panel.units[:, start - PRE_PERIODS : start].sum(axis=1)
    known = np.flatnonzero(past >= LEAST_COUNTS)
    suggested = rng.choice(known, round(size / (1 - share)), replace=False)
    margin = rng.uniform(2, 10, len(suggested))
    after = margin * (1.2 if effect.startswith("prices") else 1.0)
    decisions = [
        _decision(str(panel.series_ids[row]), float(old), float(new))
        for row, old, new in zip(suggested, margin, after, strict=True)
    ]
    held = hold_back([d.decision_id for d in decisions], share, int(rng.integers(2**31)))
    window = slice(start - PRE_PERIODS - WINDOW_PERIODS, start + WINDOW_PERIODS)
    units, first = panel.units[:, max(window.start, 0) : window.stop].copy(), max(window.start, 0)
    done = np.array([str(panel.series_ids[row]) not in held for row in suggested])
    rows = suggested[done]
    column = slice(start - first, start - first + WINDOW_PERIODS)
    untouched = units[rows, column].copy()
    units[rows, column] = _changed(untouched, effect, rng)
    truth = float(
        (after[done] * units[rows, column].sum(1) - margin[done] * untouched.sum(1)).sum()
    )
    history = _long(panel, units, first)
    registrations = register(history, decisions, first_on=panel.periods[start], held_back=held)
    verdict = judge_portfolio(
        history,
        registrations,
        as_of=panel.periods[start] + np.timedelta64(7 * WINDOW_PERIODS, "D"),
        draws=DRAWS,
        seed=int(rng.integers(2**31)),
    )
    return verdict, truth


def _long(panel: Panel, units: np.ndarray, first: int) -> pd.DataFrame:
    """A panel's part as a history of the weeks in which something was sold."""
    row, column = np.nonzero(units)
    return pd.DataFrame(
        {
            "series_id": panel.series_ids[row].astype(str),
            "period": panel.periods[first + column],
            "units": units[row, column],
        }
    )


def _changed(counts: np.ndarray, effect: str, rng: np.random.Generator) -> np.ndarray:
    """The same counts with orders added or taken out at random."""
    whole = counts.astype(int)
    if effect == "none":
        return counts
    if effect.startswith("prices"):  # a tenth dearer; every product answers in its own way
        elasticity = rng.normal(-2.0, 0.8, len(counts))
        factor = np.broadcast_to(np.exp(elasticity * np.log(1.1))[:, None], counts.shape)
        less = rng.binomial(whole, np.minimum(factor, 1.0))
        return (less + rng.binomial(whole, np.maximum(factor - 1, 0.0))).astype(float)
    share = float(effect.split(maxsplit=1)[0]) / 100
    if share < 0:
        return rng.binomial(whole, 1 + share).astype(float)
    return (whole + rng.binomial(whole, share)).astype(float)


# ---------------------------------------------------------------- what it says


def _targets(values: dict[str, Any]) -> list[Target]:
    ours = values["placebo"]["claims"]["placebo rank (ours)"]
    cell = {(row["products"], row["effect"], row["held_back"]): row for row in values["portfolio"]}
    big = cell[100, "+20 %", HELD_BACK]
    covers = [row["cover_80"] for row in values["portfolio"]]
    return [
        Target("false claims, single", ours, low=0.08, high=0.12),
        Target("power, 100 products +20 %", big["helped"], low=0.90),
        Target("80 % ranges of portfolios hold", float(np.mean(covers)), low=0.75, high=0.85),
        Target("worst cell's cover", min(covers), low=0.70),
    ]


def _print(values: dict[str, Any]) -> None:
    found = values["placebo"]
    print(f"Nothing done: {found['judged']} products and dates, claims at .10")
    for name, share in found["claims"].items():
        print(f"  {name:28s} {share:.3f}")
    print(f"  our 80 % ranges hold         {found['cover_80']:.3f}   {found['ours_claimed']}")
    for name, row in values["other_sets"].items():
        print(f"  ours on {name:22s} {row['claims']:.3f}  ranges hold {row['cover_80']:.3f}")
    print("\nPortfolios   effect        held back   helped    hurt  80 % holds  by the draw alone")
    for row in values["portfolio"]:
        print(
            f"  {row['products']:4d}       {row['effect']:13s} {row['held_back']:6.2f}"
            f"      {row['helped']:6.3f}  {row['hurt']:6.3f}   {row['cover_80']:6.3f}     {row['drawn_claims']:6.3f}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
