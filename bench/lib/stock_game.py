"""A shop that is restocked by a rule: real demand, lost sales, orders that take their time.

In:  a `Game` (demand that really was, lead times, costs) and a policy.
Out: a `Score`.
What a policy sees is what its own shelf let be sold, and how long in each period the shelf was not
empty. Where a product sold out within a period, the moment is drawn: that of the last unit's sale
among as many as were wanted, in random order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Game:
    """What all policies meet alike.

    Attributes
    ----------
    demand : (n, T) units wanted in each period
    on_sale : (n, T) share of the period in which the product was offered at all (1 where not known)
    start : periods before it are history, seen by all; the first order is placed at its beginning
    counted : first period whose cost counts
    lead_time : (n,) whole periods; an order arrives at the start of period lead_time + 1
    review : periods between orders
    holding, shortage : (n,) money per unit and period, and per unit lost
    on_hand, in_transit : (n,) and (n, k) at the start
    pack, minimum : (n,) units
    """

    name: str
    demand: np.ndarray
    on_sale: np.ndarray
    start: int
    counted: int
    lead_time: np.ndarray
    review: int
    holding: np.ndarray
    shortage: np.ndarray
    on_hand: np.ndarray
    in_transit: np.ndarray
    pack: np.ndarray
    minimum: np.ndarray
    until: int = 0
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The period after the last."""
        return self.until or self.demand.shape[1]


@dataclass(frozen=True, slots=True)
class View:
    """What a policy knows when it orders: period `now` is the next to come."""

    now: int
    sold: np.ndarray
    in_stock: np.ndarray
    on_hand: np.ndarray
    incoming: np.ndarray


Policy = Callable[[View], np.ndarray]


@dataclass(frozen=True, slots=True)
class Score:
    """Over the counted periods: cost by its parts, share of demand met, mean stock, and cost by period."""

    cost: float
    held: float
    lost: float
    fill: float
    stock: float
    by_period: np.ndarray


def play(game: Game, policy: Policy, *, seed: int) -> Score:
    """Run a policy through a game."""
    rng = np.random.default_rng(seed)
    sold, share = game.demand.astype(float).copy(), game.on_sale.astype(float).copy()
    sold[:, game.start :] = 0.0
    on_hand = game.on_hand.astype(float).copy()
    reach = int(game.lead_time.max()) + 1
    pipeline = np.zeros((len(on_hand), game.end + reach + 1))
    pipeline[:, game.start : game.start + game.in_transit.shape[1]] = game.in_transit
    held, lost = np.zeros(game.end), np.zeros(game.end)
    met = wanted = stock = 0.0
    rows = np.arange(len(on_hand))
    for t in range(game.start, game.end):
        if (t - game.start) % game.review == 0:
            view = View(t, sold[:, :t], share[:, :t], on_hand, pipeline[:, t : t + reach])
            pipeline[rows, t + game.lead_time] += policy(view)
        on_hand = on_hand + pipeline[:, t]
        demand = game.demand[:, t]
        sold[:, t] = np.minimum(on_hand, demand)
        share[:, t] *= _share(on_hand, demand, rng)
        on_hand = on_hand - sold[:, t]
        short = demand - sold[:, t]
        held[t], lost[t] = game.holding @ on_hand, game.shortage @ short
        if t >= game.counted:
            met, wanted = met + sold[:, t].sum(), wanted + demand.sum()
            stock += float(on_hand.sum())
    part = slice(game.counted, game.end)
    cost = held + lost
    return Score(
        float(cost[part].sum()),
        float(held[part].sum()),
        float(lost[part].sum()),
        met / max(wanted, 1e-9),
        stock / max(game.end - game.counted, 1),
        cost[game.start :],
    )


def _share(stock: np.ndarray, demand: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share of the period until the shelf was empty, were the buyers to come evenly.

    The moment of the last unit's sale, the stock-th of `demand` in random order; a shelf that was empty from the start was
    so whether anybody came or not.
    """
    emptied = rng.beta(np.maximum(stock, 1.0), np.maximum(demand - stock, 0.0) + 1.0)
    return np.where(stock < 1.0, 0.0, np.where(demand < stock, 1.0, emptied))


def round_up(units: np.ndarray, pack: np.ndarray, minimum: np.ndarray) -> np.ndarray:
    """Whole packs at or beyond the minimum, for a rule that knows no better."""
    packs = np.ceil(np.maximum(units, 0.0) / pack - 1e-9) * pack
    return np.where(packs > 0, np.maximum(packs, np.ceil(minimum / pack) * pack), 0.0)


def z_rule(game: Game, z: float, window: int) -> Policy:
    """The rivals' rule: mean x (lead time + review) + z x deviation x root, on what was sold in the window."""
    span = game.lead_time + game.review

    def order(view: View) -> np.ndarray:
        recent = view.sold[:, -window:]
        level = span * recent.mean(axis=1) + z * recent.std(axis=1) * np.sqrt(span)
        position = view.on_hand + view.incoming.sum(axis=1)
        return round_up(level - position, game.pack, game.minimum)

    return order


def empirical_rule(game: Game, level: float, window: int) -> Policy:
    """Up to a quantile of the totals that were sold over runs of lead time + review."""
    span = game.lead_time + game.review

    def order(view: View) -> np.ndarray:
        target = np.zeros(len(span))
        recent = view.sold[:, -window:]
        before = np.concatenate([np.zeros((len(span), 1)), recent.cumsum(axis=1)], axis=1)
        for one in np.unique(span):
            rows = span == one
            run = min(int(one), recent.shape[1])
            totals = before[rows, run:] - before[rows, : before.shape[1] - run]
            target[rows] = np.quantile(totals, level, axis=1, method="higher") * one / run
        position = view.on_hand + view.incoming.sum(axis=1)
        return round_up(target - position, game.pack, game.minimum)

    return order


def clairvoyant(game: Game) -> Policy:
    """Orders exactly what will be short, knowing all that is to come."""

    def order(view: View) -> np.ndarray:
        n = len(game.lead_time)
        stock = view.on_hand.copy()
        need, short = np.zeros(n), np.zeros(n)
        for ahead in range(int(game.lead_time.max()) + game.review):
            t = view.now + ahead
            arriving = view.incoming[:, ahead] if ahead < view.incoming.shape[1] else 0.0
            wanted = game.demand[:, t] if t < game.demand.shape[1] else 0.0
            stock = stock + arriving - wanted
            due = (ahead >= game.lead_time) & (ahead < game.lead_time + game.review)
            before = ahead < game.lead_time
            stock = np.where(before, np.maximum(stock, 0.0), stock)
            short = np.where(due, np.maximum(short, -stock), short)
        need = short
        return round_up(need, game.pack, game.minimum)

    return order
