"""Marginal gain of a unit ordered now, given the distribution of the stock it will meet.

In:  the tables that `pipeline.run_ahead` makes.
Out: gain of the last unit, value of all, losses and leftovers of any order.
Method: the u-th unit is sold in place of a lost sale where demand runs ahead of supply by u before the
next order lands, and lies on the shelf in each period in which it has not. Its gain, shortage x
chance of that - holding x periods on the shelf, falls in u. To this comes, in share `leftover`, the
holding of a unit that the next order finds still there until it sells: nothing if the next order is
simply smaller by it, all of it if there is no next order.
Source: marginal cost accounting: Levi, Janakiraman & Nagarajan (2008), "A 2-approximation algorithm for
stochastic inventory control models with lost sales", Math. Oper. Res. 33, 351-374.
"""

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, slots=True)
class StockAhead:
    """Fate of each unit of an order; tables are (n, states), column i is `bucket` x i units.

    Attributes
    ----------
    bucket : (n,) units in a bucket
    sold : probability that the unit sells before the next order lands
    shelf : expected periods of the unit on the shelf until then
    wait : expected periods on the shelf after that
    unsold : probability that it is still there at the end of the horizon
    first : (n, periods, states) probability that it is wanted within the first periods after the landing
    lost_before, lost_without : (n,) expected units lost before the order lands, and until the next without it
    holding, shortage : (n,) cost of a unit and period held, of a unit lost
    leftover : share of `wait` that is charged
    """

    bucket: np.ndarray
    sold: np.ndarray
    shelf: np.ndarray
    wait: np.ndarray
    unsold: np.ndarray
    first: np.ndarray
    lost_before: np.ndarray
    lost_without: np.ndarray
    holding: np.ndarray
    shortage: np.ndarray
    leftover: float

    def rows(self, chosen: np.ndarray) -> "StockAhead":
        """The tables of the chosen series."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return StockAhead(
            **{name: part if name == "leftover" else part[chosen] for name, part in held.items()}
        )

    @property
    def _gains(self) -> np.ndarray:
        """Expected gain of the unit at each column (n, states)."""
        # Levi et al. (2008): a unit's gain is c_u P(sold) less c_h times its expected periods on
        # the shelf.
        held = self.shelf + self.leftover * self.wait
        return self.shortage[:, None] * self.sold - self.holding[:, None] * held

    def gain(self, units: np.ndarray) -> np.ndarray:
        """Expected gain of the last of `units` (n,), each >= 1."""
        return self._at(self._gains, units)

    def value(self, units: np.ndarray) -> np.ndarray:
        """Expected gain of ordering `units` (n,) over ordering nothing."""
        return self._sum(self._gains, units)

    def best(self) -> np.ndarray:
        """Units (n,) up to the last whose expected gain is above zero."""
        gains = self._gains[:, 1:] > 0
        place = np.where(gains.all(axis=1), self.sold.shape[1] - 1, gains.argmin(axis=1))
        low, high = place * self.bucket, (place + 1) * self.bucket
        while np.any(high - low > 1):
            middle = np.floor((low + high) / 2)
            split, good = high - low > 1, self.gain(np.maximum(middle, 1.0)) > 0
            low, high = np.where(split & good, middle, low), np.where(split & ~good, middle, high)
        return low

    def lost(self, units: np.ndarray) -> np.ndarray:
        """Expected units lost until the next order could land, with `units` (n,) ordered."""
        return np.maximum(self.lost_without - self._sum(self.sold, units), self.lost_before)

    def unsold_risk(self, units: np.ndarray) -> np.ndarray:
        """Probability that the last of `units` still lies unsold at the end; 0 for no units."""
        return np.where(units > 0, np.clip(self._at(self.unsold, units), 0.0, 1.0), 0.0)

    def lost_by_waiting(self, units: np.ndarray) -> np.ndarray:
        """Expected units lost because `units` come one period later."""
        return self._sum(self.first[:, 0], units)

    def periods_to_wait(self) -> np.ndarray:
        """Whole periods (n,) by which an order may be put off before its first unit earns more by coming now."""
        wanted = np.stack(
            [
                self._at(self.first[:, at], np.ones(len(self.bucket)))
                for at in range(self.first.shape[1])
            ],
            axis=1,
        )
        # Coming now pays once the shortage it saves is above the holding of the periods it lies
        # unsold.
        lies = (1.0 - wanted).cumsum(axis=1)
        pays = self.shortage[:, None] * wanted > self.holding[:, None] * lies
        return np.where(pays.any(axis=1), pays.argmax(axis=1), pays.shape[1])

    def _at(self, table: np.ndarray, units: np.ndarray) -> np.ndarray:
        """A table at some units (n,), linear between buckets, constant beyond the last."""
        place = np.clip(units / self.bucket, 0.0, self.sold.shape[1] - 1)
        low = np.minimum(place.astype(int), self.sold.shape[1] - 2)
        pair = np.take_along_axis(table, np.stack([low, low + 1], axis=1), axis=1)
        share = place - low
        return (1 - share) * pair[:, 0] + share * pair[:, 1]

    def _sum(self, table: np.ndarray, units: np.ndarray) -> np.ndarray:
        """Sum of a table over units 1..units."""
        steps, place = np.zeros_like(table), units / self.bucket
        # Units i b + 1 .. (i + 1) b on the line between the columns i and i + 1.
        b = self.bucket[:, None]
        steps[:, 1:] = (b - 1) / 2 * table[:, :-1] + (b + 1) / 2 * table[:, 1:]
        whole = np.clip(place.astype(int), 0, self.sold.shape[1] - 1)
        done = np.take_along_axis(steps.cumsum(axis=1), whole[:, None], axis=1)[:, 0]
        rest = units - whole * self.bucket
        last = self._at(table, units)
        middle = self._at(table, units - (rest - 1) / 2)
        return done + np.where(
            rest > 0, rest * np.where(place < self.sold.shape[1] - 1, middle, last), 0.0
        )
