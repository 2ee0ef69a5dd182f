"""What a price does: a posterior of every product's elasticity from the times its price changed.

In:  a weekly panel of units and the regular price.
Out: a `PriceResponse`: per series a posterior on a grid of elasticities.
Method: weeks at one price form a spell; each change of spell is used once, as counts before and
after against what unchanged products did; changes shared by much of the shop are left out (they are
a sale, not an experiment). Series lean on their group, the group on the literature: 1,851 measured
elasticities average -2.62, and shelf prices less.
Source: Bijmolt, van Heerde & Pieters (2005), "New empirical generalizations on the determinants of
price elasticity", JMR 42, 141-156.
Weak: prices that chased demand, and rivals' prices, are not seen; a product that never changed its
price has its group's answer with a wide range, and `prices_tried` says so.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import betaln

PRIOR_MEAN: Final = -2.2
PRIOR_SD: Final = 1.1
PRODUCT_SD: Final = 0.8
GRID: Final = np.linspace(-6.0, 1.0, 141)
WINDOW_WEEKS: Final = 6
LEAST_STEP: Final = 0.03
"""Smaller changes of price are rounding."""

LEAST_WEEKS: Final = 2
"""A price that stood for one week only may be a tier or a slip."""

SHOP_WIDE_SHARE: Final = 0.3
LEAST_OVERDISPERSION: Final = 0.005
UNKNOWN_OVERDISPERSION: Final = 0.05
"""Squared coefficient of variation of a window's demand that no price explains, where a shop is too small to show its own."""


@dataclass(frozen=True, slots=True)
class PriceResponse:
    """Posteriors of elasticity.

    Attributes
    ----------
    table : DataFrame, one row a series
        `series_id, elasticity, sd, low, high` (80 %), `prices_tried, events, information` (units in the
        windows of its events).
    posterior : array (n, len(GRID))
        Probability of each elasticity of `GRID`.
    """

    table: pd.DataFrame
    posterior: np.ndarray

    def expected_units(self, rows: np.ndarray, price_ratio: np.ndarray) -> np.ndarray:
        """Expected units relative to today's, (len(rows),), at prices relative to today's."""
        return (self.posterior[rows] * np.asarray(price_ratio)[:, None] ** GRID[None, :]).sum(
            axis=1
        )


def fit_price_response(panel: pd.DataFrame, *, seed: int = 0) -> PriceResponse:
    """Fit every series of a weekly panel.

    Parameters
    ----------
    panel : DataFrame
        `series_id, period, units, price` (the regular price of the week) and optional `group`, `in_stock`.
    seed : int
        Kept for callers that record it; the method draws nothing.

    Raises
    ------
    ValueError
        If columns are missing, prices are not positive, or units are negative.
    """
    del seed
    if missing := {"series_id", "period", "units", "price"} - set(panel.columns):
        raise ValueError(f"panel lacks {sorted(missing)}")
    if len(panel) and (not (panel["price"] > 0).all() or not (panel["units"] >= 0).all()):
        raise ValueError("prices must be > 0 and units >= 0")
    panel = panel.sort_values(["series_id", "period"], kind="stable").reset_index(drop=True)
    series, ids = pd.factorize(panel["series_id"], sort=True)
    events = _events(panel, series)
    likelihood = np.zeros((len(ids), len(GRID)))
    np.add.at(
        likelihood,
        events["series"].to_numpy(int),
        _log_likelihood(events, _overdispersion(panel, series)),
    )
    groups = (
        panel.groupby(series)["group"].first().to_numpy()
        if "group" in panel
        else np.zeros(len(ids))
    )
    posterior = _posterior(likelihood, pd.factorize(groups)[0])
    return PriceResponse(_table(np.asarray(ids), panel, series, events, posterior), posterior)


def _events(panel: pd.DataFrame, series: np.ndarray) -> pd.DataFrame:
    """Changes of price: counts and exposures in the windows before and after, one row a change."""
    price = panel["price"].to_numpy(float)
    week = (
        ((panel["period"] - panel["period"].min()) / np.timedelta64(7, "D")).round().to_numpy(int)
        if len(panel)
        else np.array([], int)
    )
    starts = (
        np.r_[True, (series[1:] != series[:-1]) | (np.abs(np.diff(np.log(price))) > LEAST_STEP)]
        if len(panel)
        else np.array([], bool)
    )
    spell = np.cumsum(starts) - 1
    units = panel["units"].to_numpy(float)
    exposure = panel["in_stock"].to_numpy(float) if "in_stock" in panel else np.ones(len(panel))
    first = np.flatnonzero(starts)
    last = np.r_[first[1:], len(panel)] - 1
    index = _shop_index(week, units)
    rows: list[tuple[Any, ...]] = []
    for left, right in zip(range(len(first) - 1), range(1, len(first)), strict=True):
        if (
            series[first[left]] != series[first[right]]
            or last[left] - first[left] + 1 < LEAST_WEEKS
            or last[right] - first[right] + 1 < LEAST_WEEKS
        ):
            continue
        before = slice(max(first[left], last[left] - WINDOW_WEEKS + 1), last[left] + 1)
        after = slice(first[right], min(last[right], first[right] + WINDOW_WEEKS - 1) + 1)
        rows.append(
            (
                series[first[left]],
                week[first[right]],
                np.log(price[first[right]] / price[last[left]]),
                units[before].sum(),
                units[after].sum(),
                (exposure[before] * index[week[before]]).sum(),
                (exposure[after] * index[week[after]]).sum(),
            )
        )
    del spell
    found = pd.DataFrame(
        rows,
        columns=["series", "week", "step", "before", "after", "before_exposure", "after_exposure"],
    )
    return _without_shop_wide(found, week, series)


def _shop_index(week: np.ndarray, units: np.ndarray) -> np.ndarray:
    """The whole shop's weekly demand around 1, large orders capped: what unchanged products did."""
    if not len(week):
        return np.ones(1)
    cap = np.quantile(units, 0.99) if len(units) else 1.0
    total = np.bincount(week, np.minimum(units, max(cap, 1.0)))
    return np.maximum(
        total / max(total[total > 0].mean() if (total > 0).any() else 1.0, 1e-9), 0.05
    )


def _without_shop_wide(events: pd.DataFrame, week: np.ndarray, series: np.ndarray) -> pd.DataFrame:
    """Leave out changes in weeks in which much of the shop changed its prices, and empty windows."""
    if events.empty:
        return events
    active = pd.Series(series).groupby(week).nunique()
    changed = events.groupby("week")["series"].nunique()
    share = (changed / active.reindex(changed.index)).reindex(events["week"]).to_numpy()
    usable = (
        (events["before_exposure"] > 0)
        & (events["after_exposure"] > 0)
        & (events["before"] + events["after"] > 0)
    )
    return events[(share <= SHOP_WIDE_SHARE) & usable.to_numpy()].reset_index(drop=True)


def _overdispersion(panel: pd.DataFrame, series: np.ndarray) -> float:
    """How much two neighbouring windows at one price differ beyond chance, in the middle of the shop.

    The middle (median absolute deviation) is taken because a few wholesale orders must not widen
    every range.
    """
    if not len(panel):
        return UNKNOWN_OVERDISPERSION
    price, units = panel["price"].to_numpy(float), panel["units"].to_numpy(float)
    week = (
        ((panel["period"] - panel["period"].min()) / np.timedelta64(7, "D")).round().to_numpy(int)
    )
    index = _shop_index(week, units)[week]
    starts = np.r_[
        True, (series[1:] != series[:-1]) | (np.abs(np.diff(np.log(price))) > LEAST_STEP)
    ]
    spell = np.cumsum(starts) - 1
    place = np.arange(len(panel)) - np.flatnonzero(starts)[spell]
    block = pd.DataFrame(
        {"spell": spell, "block": place // WINDOW_WEEKS, "units": units, "index": index}
    )
    sums = block.groupby(["spell", "block"]).agg(
        units=("units", "sum"), index=("index", "sum"), weeks=("units", "size")
    )
    sums = sums[(sums["weeks"] == WINDOW_WEEKS) & (sums["units"] >= 5)].reset_index()
    after = sums.merge(
        sums.assign(block=sums["block"] + 1), on=["spell", "block"], suffixes=("", "_before")
    )
    if len(after) < 30:
        return UNKNOWN_OVERDISPERSION
    change = np.log(
        (after["units"] / after["index"]) / (after["units_before"] / after["index_before"])
    )
    chance = float(np.median(1 / after["units"] + 1 / after["units_before"]))
    spread = (1.4826 * float(np.median(np.abs(change - np.median(change))))) ** 2
    return max((spread - chance) / 2, LEAST_OVERDISPERSION)


def _log_likelihood(events: pd.DataFrame, overdispersion: float) -> np.ndarray:
    """Beta-binomial log likelihood of the later count given both, (events, grid)."""
    if events.empty:
        return np.zeros((0, len(GRID)))
    step = events["step"].to_numpy(float)[:, None]
    odds = (
        np.exp(GRID[None, :] * step)
        * (events["after_exposure"] / events["before_exposure"]).to_numpy(float)[:, None]
    )
    share = np.clip(odds / (1 + odds), 1e-9, 1 - 1e-9)
    concentration = np.clip(1 / (share * (1 - share) * 2 * overdispersion) - 1, 0.5, 1e6)
    a, b = share * concentration, (1 - share) * concentration
    after, before = (
        events["after"].to_numpy(float)[:, None],
        events["before"].to_numpy(float)[:, None],
    )
    return betaln(a + after, b + before) - betaln(a, b)


def _posterior(log_likelihood: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Each series' posterior: its own events, its group's mean, the literature, in that order of weight."""
    result = np.empty_like(log_likelihood)
    spread = np.exp(-0.5 * ((GRID[:, None] - GRID[None, :]) / PRODUCT_SD) ** 2)
    spread /= spread.sum(axis=0)
    literature = np.exp(-0.5 * ((GRID - PRIOR_MEAN) / np.sqrt(PRIOR_SD**2)) ** 2)
    for group in np.unique(groups):
        rows = groups == group
        likelihood = np.exp(log_likelihood[rows] - log_likelihood[rows].max(axis=1, keepdims=True))
        informative = np.ptp(log_likelihood[rows], axis=1) > 1e-9
        group_log = (
            np.log(np.maximum(likelihood[informative] @ spread, 1e-300)).sum(axis=0)
            if informative.any()
            else np.zeros(len(GRID))
        )
        centre = literature * np.exp(group_log - group_log.max())
        prior = spread @ (centre / centre.sum())
        posterior = likelihood * prior
        result[rows] = posterior / posterior.sum(axis=1, keepdims=True)
    return result


def _table(
    ids: np.ndarray,
    panel: pd.DataFrame,
    series: np.ndarray,
    events: pd.DataFrame,
    posterior: np.ndarray,
) -> pd.DataFrame:
    mean = posterior @ GRID
    cumulative = posterior.cumsum(axis=1)
    low, high = (
        GRID[np.minimum((cumulative < level).sum(axis=1), len(GRID) - 1)] for level in (0.1, 0.9)
    )
    count = np.bincount(events["series"].to_numpy(int), minlength=len(ids))
    information = np.bincount(
        events["series"].to_numpy(int),
        (events["before"] + events["after"]).to_numpy(float),
        minlength=len(ids),
    )
    tried = (
        panel["price"]
        .round(2)
        .groupby(series)
        .nunique()
        .reindex(range(len(ids)))
        .fillna(0)
        .to_numpy(int)
    )
    return pd.DataFrame(
        {
            "series_id": ids,
            "elasticity": mean,
            "sd": np.sqrt(np.maximum((posterior @ GRID**2) - mean**2, 0)),
            "low": low,
            "high": high,
            "prices_tried": tried,
            "events": count,
            "information": information,
        }
    )
