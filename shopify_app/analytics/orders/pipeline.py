"""The distribution of on-hand stock, carried through the pipeline until an order lands and until the next one does.

In:  a forecast, stock, what is on its way, when an order would land and when the next one could.
Out: `StockAhead`.
Method: the distribution of on hand, level by level of demand, one convolution a period; what is not
there when it is wanted is lost, and is no demand on the order. From the landing on, `short` is how far
demand has run ahead of supply. The forecast's own distribution of the total then corrects what
levels and buckets approximate: a chance is read as the forecast's for the total of which the model
gives that chance, so that both agree where nothing is lost before the order lands.
Source: lost-sales recursion: Zipkin (2008), "Old and new methods for lost-sales inventory systems", Oper.
Res. 56, 1256-1263; quantile mapping: Piani et al. (2010), J. Hydrology 395, 199-215.
Weak: units that land after this order but before the next one count at the worst single period.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.demand import DemandForecast
from shopify_app.analytics.demand.levels import DemandLevels, demand_levels
from shopify_app.analytics.orders.stock_ahead import StockAhead

HIGHEST_LEVEL: Final = 0.9995
"""Quantile beyond which totals are lumped together."""

STATES: Final = (32, 64, 128)
"""Numbers of stock states (and as many of shortage), in buckets: as many as units are, if that is enough."""

CHECKED: Final = np.array([*range(16), 18, 20, 23, 26, 30, 35, 40, 46, 54, 63, 76, 92, 110, 127])
"""Buckets at which the forecast's own cdf is evaluated; its difference to the model's is interpolated between."""

CLOSE_PERIODS: Final = 3
"""Periods after the landing that are always followed one by one; the rest up to the end at once."""

SLOWEST_PERIODS: Final = 104.0
"""Periods a unit: floor of a level's rate of sale."""


@dataclass(frozen=True, slots=True)
class Landing:
    """Distribution of when orders land.

    Attributes
    ----------
    lead : array (n, periods), probability of 0, 1, ... whole periods between order and landing
    review : array (n,), periods until the next order, whose lead time has the same distribution
    """

    lead: np.ndarray
    review: np.ndarray

    def ends(self, lead: int) -> np.ndarray:
        """Probability (n, longest) that the next order lands 1, 2, ... periods after one that took `lead`."""
        n, width = self.lead.shape
        longest = int(width - 1 + self.review.max(initial=1))
        found = np.zeros((n, longest))
        for later in range(width):
            # Orders do not overtake each other: the next lands at least a period after this one.
            after = np.clip(self.review + later - lead, 1, longest)
            found[np.arange(n), after - 1] += self.lead[:, later]
        return found


def states_needed(forecast: DemandForecast, periods: np.ndarray) -> np.ndarray:
    """Number of states (n,) that tell each series' totals over its `periods` (n,) apart."""
    most = np.zeros(len(periods))
    for last in np.unique(periods):
        rows = periods == last
        most[rows] = forecast.quantile([HIGHEST_LEVEL], last=int(last))[rows, 0]
    enough = np.searchsorted(np.array(STATES) - 1, most + 1.0)
    return np.array(STATES)[np.minimum(enough, len(STATES) - 1)]


def run_ahead(
    forecast: DemandForecast,
    *,
    on_hand: np.ndarray,
    arriving: np.ndarray,
    landing: Landing,
    periods: int,
    states: int,
    holding: np.ndarray,
    shortage: np.ndarray,
    leftover: float,
) -> StockAhead:
    """The `StockAhead` of an order placed now.

    Parameters
    ----------
    forecast : of the n series
    on_hand : (n,) at the end of the last period known
    arriving : (n, periods) at the start of each coming period
    periods : how far ahead to look, within the horizon; to the last landing at least
    states : buckets to tell apart
    """
    longest = landing.lead.shape[1] - 1
    latest = int(longest + landing.review.max(initial=1))
    mean_lead = np.round(landing.lead @ np.arange(longest + 1)).astype(int)
    levels = demand_levels(forecast, span=mean_lead + landing.review)
    most = forecast.quantile([HIGHEST_LEVEL], last=latest)[:, 0]
    bucket = np.maximum(np.ceil((most + 1.0) / (states - 1)), 1.0)
    tables = _Tables.empty(len(on_hand), latest, states)
    stock = _spread(on_hand / bucket, levels.level.shape[1], states)
    total = _spread(on_hand * 0.0, levels.level.shape[1], states)
    for lead in range(longest + 1):
        rows = np.flatnonzero(landing.lead[:, lead] > 0)
        if len(rows):
            branch = _Branch(forecast, levels, bucket, arriving, landing, rows, lead, periods)
            branch.follow(stock[rows], total[rows], tables)
        if lead < longest:
            chances = levels.chances(lead, lead, bucket, states)
            total = _folded(_convolve(total, chances), states)
            # Lost-sales recursion (Zipkin 2008): I' = max(I + arriving - D, 0); what D exceeds is
            # lost.
            stock, gone = _through(stock, chances, arriving[:, lead] / bucket)
            still = landing.lead[:, lead + 1 :].sum(axis=1)
            lost = bucket[:, None] * (gone @ np.arange(states - 1, 0, -1.0))
            tables.lost_before += still * (lost @ levels.weight)
    tables.lost_without += tables.lost_before
    return StockAhead(
        bucket,
        tables.sold,
        tables.shelf,
        tables.wait,
        tables.unsold,
        tables.first,
        tables.lost_before,
        tables.lost_without,
        holding,
        shortage,
        leftover,
    )


@dataclass(slots=True)
class _Tables:
    """Tables of `StockAhead`, added up branch by branch."""

    sold: np.ndarray
    shelf: np.ndarray
    wait: np.ndarray
    unsold: np.ndarray
    first: np.ndarray
    lost_before: np.ndarray
    lost_without: np.ndarray

    @classmethod
    def empty(cls, n: int, latest: int, states: int) -> "_Tables":
        """Tables of zeros."""
        sold, shelf, wait, unsold = (np.zeros((n, states)) for _ in range(4))
        first = np.zeros((n, max(latest, CLOSE_PERIODS), states))
        return cls(sold, shelf, wait, unsold, first, np.zeros(n), np.zeros(n))


@dataclass(slots=True)
class _Branch:
    """The series whose order may land after `lead` periods, followed from then on."""

    forecast: DemandForecast
    levels: DemandLevels
    bucket: np.ndarray
    arriving: np.ndarray
    landing: Landing
    rows: np.ndarray
    lead: int
    periods: int

    def follow(self, stock: np.ndarray, total: np.ndarray, tables: _Tables) -> None:
        """Nothing; adds what happens from the landing on to the tables, weighted by its probability."""
        rows, weight, states = self.rows, self.levels.weight, stock.shape[2]
        chance = self.landing.lead[rows, self.lead]
        ends = self.landing.ends(self.lead)[rows]
        short = _as_shortage(stock)
        worst = np.zeros((len(rows), states))
        close = max(min(max(ends.shape[1], CLOSE_PERIODS), self.periods - self.lead), 1)
        for after in range(close):
            at = self.lead + after
            chances, arrived = self._chances(at, at, states), self._arrived(at, at)
            short = _later(short, chances, arrived)
            mixed = np.einsum("nlz,l->nz", short, weight)
            wanted = _at_least(mixed)
            if after < ends.shape[1]:
                total = _folded(_convolve(total, chances), states)
                wanted = self._as_forecast(wanted, total, at)
            # A unit once wanted is sold: the probability of having been wanted cannot fall.
            worst = np.maximum(worst, wanted)
            tables.first[rows, after] += chance[:, None] * worst
            if after < ends.shape[1]:
                self._end(after, ends, chance, short, mixed, worst, tables)
        if self.lead + close < self.periods:
            chances = self._chances(self.lead + close, self.periods - 1, states)
            short = _later(short, chances, self._arrived(self.lead + close, self.periods - 1))
            worst = np.maximum(worst, _at_least(np.einsum("nlz,l->nz", short, weight)))
        tables.unsold[rows] += chance[:, None] * (1.0 - worst)

    def _end(
        self,
        after: int,
        ends: np.ndarray,
        chance: np.ndarray,
        short: np.ndarray,
        mixed: np.ndarray,
        worst: np.ndarray,
        tables: _Tables,
    ) -> None:
        """Nothing; adds a period in which the next order may land."""
        rows, bucket, states = self.rows, self.bucket[self.rows], worst.shape[1]
        going_on = chance * ends[:, after:].sum(axis=1)
        over = chance * ends[:, after]
        tables.shelf[rows] += going_on[:, None] * (1.0 - worst)
        tables.sold[rows] += over[:, None] * worst
        if not over.any():
            return
        ahead_by = np.arange(states)
        tables.lost_without[rows] += over * bucket * (mixed[:, states - 1 :] @ ahead_by)
        tables.wait[rows] += over[:, None] * self._waiting(short, states)

    def _waiting(self, short: np.ndarray, states: int) -> np.ndarray:
        """Periods that each unit waits for its turn at the level's rate (rows, states)."""
        levels = self.levels.rows(self.rows)
        rate = levels.level * levels.expected.mean(axis=1, keepdims=True)
        rate = np.maximum(rate, 1.0 / SLOWEST_PERIODS)
        # The u-th unit waits for as much demand as is still to come before it: E (u -
        # shortage)^+.
        below = short.cumsum(axis=2)
        left = np.concatenate([np.zeros((*short.shape[:2], 1)), below.cumsum(axis=2)], axis=2)
        left = left[:, :, states - 1 : 2 * states - 1] * self.bucket[self.rows][:, None, None]
        return np.einsum("nlu,nl,l->nu", left, 1.0 / rate, levels.weight)

    def _chances(self, first: int, last: int, states: int) -> np.ndarray:
        """Probabilities of buckets wanted over some periods."""
        return self.levels.rows(self.rows).chances(first, last, self.bucket[self.rows], states)

    def _arrived(self, first: int, last: int) -> np.ndarray:
        """Buckets that arrive over some periods (rows,)."""
        return self.arriving[self.rows, first : last + 1].sum(axis=1) / self.bucket[self.rows]

    def _as_forecast(self, wanted: np.ndarray, total: np.ndarray, at: int) -> np.ndarray:
        """Probabilities (rows, states) mapped quantile by quantile from the model's total to the forecast's."""
        states = wanted.shape[1]
        mixed = np.einsum("nlz,l->nz", total, self.levels.weight)
        model = np.minimum(mixed[:, ::-1].cumsum(axis=1)[:, ::-1], 1.0)
        checked = CHECKED[states > CHECKED]
        known = np.empty((len(self.rows), len(checked)))
        for place, column in enumerate(checked):
            below = self.forecast.cdf(column * self.bucket - 1.0, last=at + 1)
            known[:, place] = 1.0 - below[self.rows] - model[:, column]
        places = np.arange(states)
        found = np.empty_like(wanted)
        for row in range(len(self.rows)):
            true = model[row] + np.interp(places, checked, known[row])
            # A survival function falls: rounding of the interpolated difference must not turn it.
            true = np.minimum.accumulate(np.clip(true, 0.0, 1.0))
            # From the rarest up, between never and always.
            chances = np.concatenate([[0.0], model[row, ::-1], [1.0]])
            found[row] = np.interp(wanted[row], chances, np.concatenate([[0.0], true[::-1], [1.0]]))
        return found


def _spread(stock: np.ndarray, slices: int, states: int) -> np.ndarray:
    """A known stock (n,), in buckets, as a distribution over 0..states - 1 for each level."""
    place = np.clip(stock, 0.0, states - 1)
    low = np.minimum(place.astype(int), states - 2)
    found = np.zeros((len(stock), states))
    line = np.arange(len(stock))
    found[line, low], found[line, low + 1] = 1.0 - (place - low), place - low
    return np.repeat(found[:, None, :], slices, axis=1)


def _shifted(chances: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Distributions (n, levels, size) moved up by (n,) buckets, whole or not; the last bucket holds all more."""
    if not by.any():
        return chances
    size = chances.shape[2]
    steps = np.minimum(by, size).astype(int)
    share = np.minimum(by, size) - steps
    place = np.arange(size)[None, :]
    found = np.zeros_like(chances)
    for extra, part in ((0, 1.0 - share), (1, share)):
        origin = place - steps[:, None] - extra
        moved = np.take_along_axis(chances, np.maximum(origin, 0)[:, None, :], axis=2)
        moved = np.where(origin[:, None, :] >= 0, moved, 0.0)
        moved[:, :, -1] += np.maximum(chances.sum(axis=2) - moved.sum(axis=2), 0.0)
        found += part[:, None, None] * moved
    return found


def _at_least(chances: np.ndarray) -> np.ndarray:
    """Survival function: probability (n, states) of a shortage of at least 0, 1, ... buckets."""
    states = (chances.shape[1] + 1) // 2
    return np.clip(chances[:, ::-1].cumsum(axis=1)[:, ::-1][:, states - 1 :], 0.0, 1.0)


def _through(
    stock: np.ndarray, chances: np.ndarray, arriving: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(stock after a period of lost sales, distribution of what was lost in it, the most first)."""
    states = stock.shape[2]
    # Stock minus demand: a convolution with demand mirrored, negative values being lost sales.
    left = _convolve(_shifted(stock, arriving), chances[:, :, ::-1])
    after = left[:, :, states - 1 : 2 * states - 1].copy()
    gone = left[:, :, : states - 1]
    after[:, :, 0] += gone.sum(axis=2)
    return after, gone


def _as_shortage(stock: np.ndarray) -> np.ndarray:
    """Distribution of shortage -s, from that of stock s, on the axis -(states - 1)..states - 1."""
    states = stock.shape[2]
    found = np.zeros((*stock.shape[:2], 2 * states - 1))
    found[:, :, :states] = stock[:, :, ::-1]
    return found


def _later(short: np.ndarray, chances: np.ndarray, arriving: np.ndarray) -> np.ndarray:
    """Distribution of shortage a period later: less what arrives at its start, plus what is wanted in it."""
    supplied = _shifted(short[:, :, ::-1], arriving)[:, :, ::-1]
    return _folded(_convolve(supplied, chances), short.shape[2])


def _folded(chances: np.ndarray, size: int) -> np.ndarray:
    """Distributions cut to `size` buckets, all beyond the last counted in it."""
    found = chances[:, :, :size].copy()
    found[:, :, -1] += chances[:, :, size:].sum(axis=2)
    return found


def _convolve(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Full convolution along the last axis, by FFT."""
    size = one.shape[2] + other.shape[2] - 1
    # A length 3 x 2^k, not less than the result: fast to transform and no wrap-around.
    length = 3 << (size // 3).bit_length()
    found = np.fft.irfft(np.fft.rfft(one, length) * np.fft.rfft(other, length), length)
    return np.maximum(found[:, :, :size], 0.0)
