"""Price response: a posterior of every product's elasticity, from its own prices, its type, its shop and the literature.

In:  a weekly panel of units and prices, where known with stock, promotions, groups and stores.
Out: a `PriceResponse`: per series a posterior of elasticity, and expected units in any week at any price.
Method: `spells` leaves out what only looks like a price, `evidence` regresses each series' own weeks
(autocorrelated demand and common weeks taken out), `prior` pools: product, group, shop, literature.
Source: the modules named; Bijmolt, van Heerde & Pieters (2005), JMR 42, 141-156.
Weak: rivals' prices are not seen; a product that never changed its price has its group's elasticity with
a wide range, and `prices_tried` says so.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import ndtri

from shopify_app.analytics.prices import evidence as price_evidence
from shopify_app.analytics.prices import prior as price_prior
from shopify_app.analytics.prices import spells as price_spells
from shopify_app.analytics.prices.evidence import Evidence
from shopify_app.analytics.prices.prior import Pooled
from shopify_app.analytics.prices.spells import PriceWeeks

GRID: Final = np.linspace(-8.0, 3.0, 221)
"""Grid of elasticities."""

LEAST_WEEKS: Final = 2
"""Weeks for which a price must stand to be shown as tried."""

RANGE: Final = 0.8
"""Level of the range of an elasticity."""

RECENT_WEEKS: Final = 8
"""Weeks whose median common effect is carried on: an event's single week must not be."""

PULLED_FORWARD: Final = 0.1
"""Purchase acceleration: part of the response to a passing price that is bought earlier instead of more, so
that a lasting price does not get it. Up to a third for what can be stored (van Heerde, Leeflang & Wittink
2004, Marketing Science 23, 317-334), nothing for the rest."""

PULLED_FORWARD_SD: Final = 0.1
"""Standard deviation of that part over products."""

CHASE_LEFT: Final = 0.03
"""Residual endogeneity: share of the correlation of prices with the demand they were chosen at that is still
taken for response after `evidence.chased` (log demand per log price). Memories are never quite as assumed
and counts are noisy, which leaves some, always towards prices that seem not to matter."""

LEVEL_WEEKS: Final = 13
"""Coming weeks over which `units_per_week` is averaged."""

MOST_SPREAD: Final = 4.0
"""Largest variance of log demand in a predictive distribution."""


@dataclass(frozen=True, slots=True)
class PriceResponse:
    """Posteriors of elasticity, and the demand they imply at a price.

    Attributes
    ----------
    table : DataFrame, one row a series
        `series_id, elasticity, sd, low, high` (80 %; of a price that stays: less than what passing prices showed), `prices_tried, events` (changes of price used),
        `information` (what the series' own weeks know of its elasticity, as 1 / variance),
        `units_per_week` (over the coming weeks, at today's regular price), `level_sd` (of its log), `promotion_lift` (log units of a promotion itself),
        `promotion_extra` (what a promotion's cut adds to the elasticity).
    posterior : array (n, len(GRID))
        Probability of each elasticity of `GRID`.
    flatter : array (n, len(GRID))
        The same without the endogeneity correction `CHASE_LEFT`: by it a cut is judged.
    shop_elasticity, shop_sd : float
        The shop's mean elasticity and how well it is known.
    """

    table: pd.DataFrame
    posterior: np.ndarray
    flatter: np.ndarray
    shop_elasticity: float
    shop_sd: float
    _weeks: PriceWeeks
    _evidence: Evidence
    _pooled: Pooled
    _level: "_Level"

    def expected_units(self, rows: pd.DataFrame) -> np.ndarray:
        """Expected units (len(rows),) in weeks and at prices of one's choosing.

        Parameters
        ----------
        rows : DataFrame
            `series_id, period` (start, datetime64), `price` and optional `on_promotion, in_stock` (0..1). Periods
            may lie inside, after or before those that were fitted.

        Raises
        ------
        ValueError
            If a column lacks, a series was not fitted, or a price is not positive.
        """
        return self.predictive(rows)[0]

    def predictive(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """(mean M, dispersion K) of a negative binomial with variance M + K M^2, as `expected_units` takes rows."""
        number = self._numbers(rows)
        unit = self._weeks.unit_of[number]
        week = price_evidence.week_numbers(
            rows["period"].to_numpy("datetime64[s]"), self._weeks.periods
        )
        columns = self._columns(rows, unit, week)
        answers = slice(0, price_prior.ANSWERS)
        mean = self._pooled.mean[unit, answers]
        whole = self._pooled.variance[unit, answers, answers]
        variance = np.einsum("ri,rij,rj->r", columns, whole, columns)
        noise = self._evidence.noise
        common = common_effect(self._evidence, week)
        # log demand = price effects + common week + autocorrelated level; their variances add.
        wander, wander_variance = self._level.at(unit, week)
        log = np.einsum("ri,ri->r", columns, mean) + common + wander
        spread = np.minimum(
            variance
            + wander_variance
            + np.where(
                week > self._evidence.week[-1:].max(initial=0), self._evidence.common_variance, 0
            )
            + (noise.white + noise.answers * columns[:, 0] ** 2) * self._evidence.scale[unit],
            MOST_SPREAD,
        )
        exposure = np.clip(rows["in_stock"].to_numpy(float), 0, 1) if "in_stock" in rows else 1.0
        level = self._level.base[unit] * self._weeks.share[number] * exposure
        # Mean of a log-normal: exp(mu + variance / 2), the variance of the estimate capped.
        expected = level * np.exp(np.clip(log + 0.5 * np.minimum(variance, 1.0), -12, 12))
        return np.maximum(expected, 1e-9), np.expm1(spread)

    def _numbers(self, rows: pd.DataFrame) -> np.ndarray:
        """Row number of each row's series."""
        if missing := {"series_id", "period", "price"} - set(rows.columns):
            raise ValueError(f"rows lack {sorted(missing)}")
        number = pd.Index(self._weeks.series_ids).get_indexer(pd.Index(rows["series_id"]))
        if (number < 0).any():
            raise ValueError(f"not fitted: {rows['series_id'].iloc[int(np.argmin(number))]!r}")
        if not (rows["price"] > 0).all():
            raise ValueError("prices must be > 0")
        return number

    def _columns(self, rows: pd.DataFrame, unit: np.ndarray, week: np.ndarray) -> np.ndarray:
        """Columns of the price effects for rows that may lie outside the panel."""
        price = np.log(rows["price"].to_numpy(float))
        promotion = (
            np.clip(rows["on_promotion"].astype(float).to_numpy(), 0, 1)
            if "on_promotion" in rows
            else np.zeros(len(rows))
        )
        off = price - self._evidence.reference[unit]
        gap = np.minimum(price - self._weeks.regular[unit, -1], 0.0)
        return price_evidence.columns(off, gap, promotion, self._others(off, unit, week))

    def _others(self, off: np.ndarray, unit: np.ndarray, week: np.ndarray) -> np.ndarray:
        """Mean log price over reference of the others in the market: as the rows say, else as last known."""
        weeks = self._weeks
        known = weeks.log_price - self._evidence.reference[:, None]
        sums, size = price_evidence.market_sums(weeks, known)
        at = np.clip(np.searchsorted(self._evidence.week, week), 0, known.shape[1] - 1)
        market = weeks.market[unit]
        asked = pd.DataFrame({"week": week, "market": market, "unit": unit})
        asked["moved"] = off - np.where(weeks.level[unit, at] == 0, known[unit, at], 0.0)
        # Several prices of one product in one week are asked after, not all in force: their mean stands for it.
        once = asked.groupby(["week", "market", "unit"])["moved"].mean()
        moved = once.groupby(["week", "market"]).sum()
        index = pd.MultiIndex.from_frame(asked[["week", "market"]])
        whole = sums[market, at] + moved.reindex(index).to_numpy()
        own = known[unit, at] * (weeks.level[unit, at] == 0)
        own = (
            own
            + once.reindex(pd.MultiIndex.from_frame(asked[["week", "market", "unit"]])).to_numpy()
        )
        return np.where(size[market] < 2, 0.0, (whole - own) / np.maximum(size[market] - 1, 1))


def common_effect(evidence: Evidence, week: np.ndarray) -> np.ndarray:
    """The shop's week effect, the shape of `week`: estimated inside the panel, decaying after it."""
    known, effects = evidence.week, evidence.common
    if not len(known):
        return np.zeros(len(week))
    last = float(np.median(effects[-RECENT_WEEKS:]))
    ahead = np.maximum(week - known[-1], 0.0)
    # After the panel the effect decays as an AR(1) at its own autocorrelation.
    inside = np.interp(week, known, effects)
    fading = last * price_evidence.common_memory(evidence) ** ahead
    return np.where(ahead > 0, fading, inside)


@dataclass(frozen=True, slots=True)
class _Level:
    """A row's level at its reference price: `base` (m,) units a week, and its autocorrelated deviation."""

    base: np.ndarray
    weights: np.ndarray
    last_variance: np.ndarray
    last_level: np.ndarray
    evidence: Evidence

    def at(self, unit: np.ndarray, week: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(log of the level over `base`, its variance) in weeks (r,)."""
        noise, known = self.evidence.noise, self.evidence.week
        keys, inverse = np.unique(week, return_inverse=True)
        kernel = noise.level_covariance(np.abs(keys[:, None] - known[None, :]))
        wander = np.einsum("rt,rt->r", kernel[inverse], self.weights[unit]) + self.last_level[unit]
        ahead = np.maximum(week - (known[-1] if len(known) else 0.0), 0.0)
        # Prediction variance grows from that of the last week to the level's own: k(0) - k(2h).
        fade = noise.level_covariance(np.zeros(1)) - noise.level_covariance(2 * ahead)
        return wander, self.last_variance[unit] + self.evidence.scale[unit] * fade


def fit_price_response(panel: pd.DataFrame, *, seed: int = 0) -> PriceResponse:
    """The `PriceResponse` of every series of a weekly panel.

    Parameters
    ----------
    panel : DataFrame
        `series_id, period` (start of the week), `units, price` (as it stood that week) and optional `group` (product type),
        `on_promotion` (0..1), `in_stock` (0..1), `randomised` (whether the price was drawn by lot: a test's), `unit_cost`, `store`.
    seed : int
        Kept for callers that record it; the method draws nothing.

    Raises
    ------
    ValueError
        If columns are missing, prices are not positive, units are negative, or a series has a period twice.

    Examples
    --------
    Six products of elasticity -2, each cut once from 20 to 18 and back; the literature's -2.2 is still heard:

    >>> weeks = np.datetime64("2025-01-06", "s") + np.arange(24) * np.timedelta64(7, "D")
    >>> price = np.full((6, 24), 20.0)
    >>> for row in range(6):
    ...     price[row, 6 + 2 * row : 14 + row] = 18.0
    >>> panel = pd.DataFrame({"series_id": np.repeat([f"p{n}" for n in range(6)], 24)})
    >>> panel["period"], panel["price"] = np.tile(weeks, 6), price.ravel()
    >>> panel["units"], panel["unit_cost"] = np.round(400 * (panel["price"] / 20) ** -2), 14.0
    >>> response = fit_price_response(panel)
    >>> response.table["elasticity"].round(1).tolist()
    [-2.2, -2.2, -2.2, -2.2, -2.2, -2.0]
    >>> response.table["events"].tolist(), response.table["prices_tried"].tolist()
    ([2, 2, 2, 2, 2, 2], [2, 2, 2, 2, 2, 2])
    """
    del seed
    weeks = price_spells.price_weeks(panel)
    evidence = price_evidence.gather(weeks)
    repeated, shop_repeated = price_evidence.repeats(evidence, weeks.group, len(weeks.groups))
    pooled = price_prior.pool(
        evidence.information,
        evidence.score,
        price_prior.implied_elasticity(np.exp(evidence.reference), weeks.unit_cost),
        weeks.group,
        repeated,
        shop_repeated,
        price_evidence.randomised_share(weeks, evidence),
    )
    level = _levels(weeks, evidence, pooled)
    lasting = _lasting(weeks, pooled)
    posterior = _on_grid(*lasting)[weeks.unit_of]
    flatter = _on_grid(*_lasting(weeks, pooled, chase_left=0.0))[weeks.unit_of]
    return PriceResponse(
        _table(panel, weeks, evidence, pooled, level, lasting),
        posterior,
        flatter,
        float(pooled.shop_mean[0]),
        float(np.sqrt(pooled.shop_variance[0, 0])),
        weeks,
        evidence,
        pooled,
        level,
    )


def _lasting(
    weeks: PriceWeeks, pooled: Pooled, *, chase_left: float = CHASE_LEFT
) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation) (m,) of the elasticity of a price that stays."""
    passing = price_evidence.passing_share(weeks)
    chase = chase_left * np.maximum(pooled.mean[:, price_prior.LEVEL_CHASED], 0.0)
    # A lasting price lacks the purchase acceleration of the share of prices that passed.
    mean, kept = pooled.mean[:, 0] - chase, 1 - PULLED_FORWARD * passing
    unsure = (PULLED_FORWARD_SD * passing * mean) ** 2 + chase**2
    return mean * kept, np.sqrt(pooled.variance[:, 0, 0] * kept**2 + unsure)


def _on_grid(mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """A normal's probabilities on `GRID` (m, g)."""
    weight = np.exp(-0.5 * ((GRID[None, :] - mean[:, None]) / sd[:, None]) ** 2) + 1e-300
    return weight / weight.sum(axis=1, keepdims=True)


def _levels(weeks: PriceWeeks, evidence: Evidence, pooled: Pooled) -> _Level:
    """The `_Level` of every row, filtered from residuals with the price effects taken out."""
    m, count = weeks.units.shape
    if not count or not m:
        empty = np.zeros(m)
        return _Level(empty, np.zeros((m, count)), empty, empty, evidence)
    return price_levels(weeks, evidence, pooled)


def price_levels(weeks: PriceWeeks, evidence: Evidence, pooled: Pooled) -> _Level:
    """The `_Level` of panels that hold something."""
    # Endogeneity: demand that a price followed is part of the level, not of the price response.
    answers = slice(0, price_prior.ANSWERS)
    effect = np.einsum("mtp,mp->mt", evidence.design[..., answers], pooled.mean[:, answers])
    effect = effect + evidence.common[None]
    shape = weeks.exposure * np.exp(np.clip(effect, -6, 6))
    sold = np.where(weeks.known, weeks.units, 0.0).sum(axis=1)
    whole = np.where(weeks.known, shape, 0.0).sum(axis=1)
    # Ratio estimate of the level: units over expected units at level 1.
    base = (sold + 0.1) / np.maximum(whole, 0.1)
    expected = np.maximum(base[:, None] * shape, 1e-6)
    weights, last_variance, last_level, smear = price_evidence.filter_levels(
        weeks, evidence, expected
    )
    return _Level(base * smear, weights, last_variance, last_level, evidence)


def _table(
    panel: pd.DataFrame,
    weeks: PriceWeeks,
    evidence: Evidence,
    pooled: Pooled,
    level: _Level,
    lasting: tuple[np.ndarray, np.ndarray],
) -> pd.DataFrame:
    """The frame of `PriceResponse`."""
    unit = weeks.unit_of
    mean, sd = (values[unit] for values in lasting)
    reach = float(ndtri(0.5 + RANGE / 2))
    now, level_sd = (values[unit] for values in _units_now(weeks, evidence, pooled, level))
    return pd.DataFrame(
        {
            "series_id": weeks.series_ids,
            "elasticity": mean,
            "sd": sd,
            "low": mean - reach * sd,
            "high": mean + reach * sd,
            "prices_tried": _prices_tried(panel, weeks),
            "events": _changes(weeks)[unit],
            "information": _own_information(evidence.information)[unit],
            "units_per_week": now * weeks.share,
            "level_sd": level_sd,
            "promotion_extra": pooled.mean[unit, 1],
            "promotion_lift": pooled.mean[unit, 2],
        }
    )


def _units_now(
    weeks: PriceWeeks, evidence: Evidence, pooled: Pooled, level: _Level
) -> tuple[np.ndarray, np.ndarray]:
    """(units a week at the last regular price over the coming weeks (m,), standard deviation of its log (m,))."""
    if not len(evidence.week):
        return np.zeros(len(level.base)), np.full(len(level.base), np.sqrt(MOST_SPREAD))
    rows = np.arange(len(level.base))
    ahead = evidence.week[-1] + np.arange(1, LEVEL_WEEKS + 1)
    price = (weeks.regular[:, -1] - evidence.reference) * pooled.mean[:, 0]
    units, variance = np.zeros(len(rows)), np.zeros(len(rows))
    for week in ahead:
        wander, unsure = level.at(rows, np.full(len(rows), week))
        units += np.exp(wander + common_effect(evidence, np.array([week]))[0]) / LEVEL_WEEKS
        variance += unsure / LEVEL_WEEKS
    spread = np.minimum(variance + evidence.common_variance, MOST_SPREAD)
    return level.base * units * np.exp(price), np.sqrt(spread)


def _own_information(information: np.ndarray) -> np.ndarray:
    """Fisher information (1 / variance) of a series' own weeks on its elasticity, nuisance effects at their prior's width."""
    whole = information + np.diag(np.r_[0.0, 1 / price_prior.known_variance()[1:]])
    # Schur complement: information on the elasticity with the other effects profiled out.
    rest = np.linalg.solve(whole[:, 1:, 1:], whole[:, 1:, :1])
    return np.maximum(whole[:, 0, 0] - (whole[:, :1, 1:] @ rest)[:, 0, 0], 0.0)


def _changes(weeks: PriceWeeks) -> np.ndarray:
    """Number of price changes that count (m,): between known weeks of one level."""
    if weeks.units.shape[1] < 2:
        return np.zeros(len(weeks.units), int)
    moved = np.abs(np.diff(weeks.log_price, axis=1)) > price_spells.LEAST_STEP
    return (moved & (np.diff(weeks.lasting_level, axis=1) == 0)).sum(axis=1)


def _prices_tried(panel: pd.DataFrame, weeks: PriceWeeks) -> np.ndarray:
    """Number of distinct prices of each series (n,)."""
    tried: Any = panel["price"].round(2).groupby(panel["series_id"]).nunique()
    return tried.reindex(weeks.series_ids).fillna(0).to_numpy(int)
