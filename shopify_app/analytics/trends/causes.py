"""Causes of a change other than demand: a discount, stock that came back, one outlying week, the season.

In:  a `Setting`: units and what was to be expected of each week, stock, prices, the window judged.
Out: a word for each product; `demand` where nothing else explains it.
Method: the units above expectation are laid beside the weeks that could explain them; a cause is named
when it holds most of them. A discount is a week marked as one, or sold well under the usual price of
the half year before. Stock-outs are taken from the stock, and from runs of empty weeks that chance
does not give. A season is last year's same weeks having moved the same way, beyond chance.
Source: van Heerde, Leeflang & Wittink (2000), "The estimation of pre- and postpromotion dips",
J. Marketing Research 37, 383-395 (dips after discounts); Heese & Swaminathan (2010) on demand that waits.
Weak: a price cut for good is named a promotion for its first half year; a discount nobody marked, on a
product without prices in its lines, is not seen.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

DEMAND, PROMOTION, REBOUND = "demand", "promotion", "stock-out rebound"
SEASON, ONE_OFF = "season", "one-off"

DISCOUNT: Final = 0.07
"""Share under its usual price from which a week counts as a discount."""

PRICE_WEEKS: Final = 26
"""Weeks whose median price is the usual one."""

PRICE_STEP: Final = 4
"""Weeks between two looks at the usual price."""

MARKED: Final = 0.3
"""Share of a week's lines or days marked as promoted that makes it a promoted week."""

DIP_WEEKS: Final = 2
"""Weeks of post-promotion dip."""

AFTER_PROMOTION_WEEKS: Final = 6
"""Weeks after a discount within which a fall is put down to its end."""

MOST: Final = 0.5
"""Share of the excess units that promoted weeks must hold."""

REBOUND_MOST: Final = 0.7
"""Share of the excess units that must come after stock came back."""

REBOUND_WEEKS: Final = 8
"""Weeks after stock came back in which waiting demand may show."""

OUT_BELOW: Final = 0.5
"""Share of a week in stock under which the week counts as out of stock."""

EMPTY_CHANCE: Final = 1e-3
"""Probability below which a run of empty weeks was a stock-out, whatever the records say."""

SINGLE_WEEK: Final = 0.7
"""Share of the excess units in one week that makes it a one-off."""

YEAR: Final = 52
"""Weeks in a year."""

SEASON_HISTORY_WEEKS: Final = 60
"""Weeks of history below which no season is named."""

SEASON_SURE: Final = 1.2816
"""Standard errors by which last year's move must be away from none: 10 % on one side."""

SEASON_EXPLAINS: Final = 0.5
"""Share of this year's log ratio that last year's must reach."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Inputs of the causes; arrays (n, T) unless said.

    Attributes
    ----------
    units, exposure, in_stock, promoted
        `exposure` has the common factors in it; `promoted` is bool.
    rate : array (n,), units a week of full exposure before the change
    dispersion : array (n,)
    window : array (n,), weeks judged
    log_ratio : array (n,), the change if there is one
    """

    units: np.ndarray
    exposure: np.ndarray
    in_stock: np.ndarray
    promoted: np.ndarray
    rate: np.ndarray
    dispersion: np.ndarray
    window: np.ndarray
    log_ratio: np.ndarray


def promoted_weeks(
    price: np.ndarray | None, marked: np.ndarray | None, shape: tuple[int, int]
) -> np.ndarray:
    """True (n, T) for promoted weeks; NaN prices and marks say nothing."""
    found = np.zeros(shape, bool)
    if marked is not None:
        found |= np.nan_to_num(marked) >= MARKED
    if price is not None:
        found |= _under_usual_price(price)
    return found


def _under_usual_price(price: np.ndarray) -> np.ndarray:
    """True (n, T) for weeks at least `DISCOUNT` under the usual price."""
    found = np.zeros(price.shape, bool)
    length = price.shape[1]
    for first in range(PRICE_STEP, length, PRICE_STEP):
        past = price[:, max(0, first - PRICE_WEEKS) : first]
        known = np.sort(past, axis=1)
        count = np.isfinite(past).sum(axis=1)
        usual = known[np.arange(len(known)), np.maximum(count // 2, 0).clip(max=known.shape[1] - 1)]
        usual = np.where(count >= 3, usual, np.nan)[:, None]
        weeks = slice(first, first + PRICE_STEP)
        with np.errstate(invalid="ignore"):
            found[:, weeks] = price[:, weeks] <= (1 - DISCOUNT) * usual
    return found


def with_dips(promoted: np.ndarray) -> np.ndarray:
    """True (n, T) for promoted weeks and those shortly after."""
    found = promoted.copy()
    for weeks in range(1, DIP_WEEKS + 1):
        found[:, weeks:] |= promoted[:, :-weeks]
    return found


def causes(setting: Setting) -> np.ndarray:
    """A cause's word for each product, (n,) of str."""
    rising = setting.log_ratio >= 0
    above = _above(setting)
    total = above.sum(axis=1)
    # Later lines overrule earlier ones: a promotion is named before a rebound, that before a
    # one-off.
    found = np.full(len(rising), DEMAND, dtype=object)
    found[_season(setting)] = SEASON
    found[rising & (total > 0) & (above.max(axis=1) >= SINGLE_WEEK * total)] = ONE_OFF
    found[rising & _rebound(setting, above, total)] = REBOUND
    found[np.where(rising, _in_promotion(setting, above, total), _after_promotion(setting))] = (
        PROMOTION
    )
    return found


def _above(setting: Setting) -> np.ndarray:
    """Excess units (n, T): above expectation, in the judged window."""
    length = setting.units.shape[1]
    age = np.arange(length)[::-1]
    expected = setting.rate[:, None] * setting.exposure
    return np.maximum(setting.units - expected, 0.0) * (age[None, :] < setting.window[:, None])


def _in_promotion(setting: Setting, above: np.ndarray, total: np.ndarray) -> np.ndarray:
    """True (n,) where promoted weeks hold most of the excess units."""
    return (total > 0) & ((above * setting.promoted).sum(axis=1) >= MOST * total)


def _after_promotion(setting: Setting) -> np.ndarray:
    """True (n,) for a fall that began shortly after a discount ended."""
    age = np.arange(setting.units.shape[1])[::-1]
    since = setting.window[:, None]
    before = (age[None, :] >= since - 1) & (age[None, :] < since + AFTER_PROMOTION_WEEKS)
    return (setting.promoted & before).any(axis=1)


def _rebound(setting: Setting, above: np.ndarray, total: np.ndarray) -> np.ndarray:
    """True (n,) for a rise that began when stock came back."""
    length = setting.units.shape[1]
    age = np.arange(length)[::-1]
    out = (setting.in_stock < OUT_BELOW) & (setting.exposure > 0) | _empty_runs(setting)
    out |= _dark(setting)
    back = np.where(out, age[None, :], length).min(axis=1)
    after = (above * (age[None, :] < back[:, None])).sum(axis=1)
    return (back >= 1) & (back <= REBOUND_WEEKS) & (total > 0) & (after >= REBOUND_MOST * total)


def _dark(setting: Setting) -> np.ndarray:
    """True (n, T) for weeks wholly out of stock after the product's first sale."""
    started = np.cumsum(setting.units, axis=1) > 0
    return started & (setting.in_stock <= 0)


def _empty_runs(setting: Setting) -> np.ndarray:
    """True (n, T) for runs of weeks without a sale that chance does not give."""
    mean = setting.rate[:, None] * setting.exposure
    k = np.maximum(setting.dispersion, 1e-6)[:, None]
    # log P(0) of a negative binomial, -log(1 + K M) / K; a run's is the sum.
    log_empty = -np.log1p(k * mean) / k
    empty = (setting.units <= 0) & (np.cumsum(setting.units, axis=1) > 0)
    run, whole = np.zeros(mean.shape), np.zeros(mean.shape)
    for week in range(mean.shape[1]):
        before = run[:, week - 1] if week else 0.0
        run[:, week] = np.where(empty[:, week], before + log_empty[:, week], 0.0)
    # Every week of a run is judged by the whole run.
    for week in range(mean.shape[1] - 1, -1, -1):
        later = whole[:, week + 1] if week + 1 < mean.shape[1] else 0.0
        whole[:, week] = np.where(empty[:, week], np.minimum(run[:, week], later), 0.0)
    return whole < np.log(EMPTY_CHANCE)


def _season(setting: Setting) -> np.ndarray:
    """True (n,) where last year's same weeks moved the same way, beyond chance."""
    length = setting.units.shape[1]
    if length < SEASON_HISTORY_WEEKS:
        return np.zeros(len(setting.rate), bool)
    age = np.arange(length)[::-1][None, :]
    window = setting.window[:, None]
    same = (age >= YEAR - 1) & (age < YEAR + window + 1)
    earlier = (age >= YEAR + window + 1) & (age < YEAR + window + 27)
    usable = ~setting.promoted & (setting.exposure > 0)
    if length < YEAR + int(setting.window.max()) + 7:
        earlier = (age >= window) & (age < YEAR - 1)
    now, before = usable & same, usable & earlier
    units, exposure = setting.units, setting.exposure
    sold, sold_before = (units * now).sum(axis=1) + 0.5, (units * before).sum(axis=1) + 0.5
    ratio = np.log(
        sold
        / np.maximum((exposure * now).sum(axis=1), 1e-9)
        * np.maximum((exposure * before).sum(axis=1), 1e-9)
        / sold_before
    )
    weeks = 1 / np.maximum(now.sum(axis=1), 1) + 1 / np.maximum(before.sum(axis=1), 1)
    # Delta method: Var log ratio = 1 / y1 + 1 / y0 + K (1 / n1 + 1 / n0).
    noise = np.sqrt(1 / sold + 1 / sold_before + setting.dispersion * weeks)
    known = (now.sum(axis=1) >= 2) & (before.sum(axis=1) >= 6)
    side = np.where(setting.log_ratio >= 0, 1.0, -1.0)
    explains = side * ratio >= np.maximum(
        SEASON_EXPLAINS * np.abs(setting.log_ratio), SEASON_SURE * noise
    )
    return known & explains
