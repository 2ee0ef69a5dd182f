"""Shops where prices and orders are both decided, and demand at any price is known.

In:  a kind (`long`, `easy`), a seed, a policy.
Out: a `JointShop`; a `Year`: gross profit of every product over the weeks played.
Method: the past, the elasticities and the demand are those of `price_shops`. Long lead times: 8 to 16 weeks, what is
there and on its way was ordered by a forecast that was wrong by half either way, levels jump once in the time played,
and one product in four was bought once for a season that ends. Easy: 1 to 2 weeks, ample stock, small jumps.
All policies meet the same wishes (common uniforms), and each sees only what its own shelf let be sold.
Gross profit: sales less cost, less holding, less what a season's rest lost of its cost; other stock left is worth its cost.
Weak: constant elasticity, no cross effects; who finds the shelf empty does not come back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import poisson

from bench.lib.price_shops import PriceShop, make_shop

PLAYED: Final = 40
"""Weeks."""

REPRICED: Final = 4
"""Weeks between prices."""

HOLDING_A_YEAR: Final = 0.25
"""Of the cost."""

SALVAGE: Final = 0.3
"""Of the cost, for what is left of a season."""

LEADS: Final = {"long": (8, 12, 16), "easy": (1, 2)}
REVIEWS: Final = {"long": 4, "easy": 2}
MISJUDGED: Final = {"long": 0.5, "easy": 0.2}
"""Standard deviation of the log of what was foreseen over what came."""

JUMP: Final = {"long": 0.35, "easy": 0.15}
SEASONAL: Final = {"long": 0.25, "easy": 0.0}
NEVER: Final = 10_000


@dataclass(frozen=True, slots=True)
class JointShop:
    """A shop at its first day played.

    Attributes
    ----------
    base : the past and the truth
    lead, end : (n,) whole weeks; the last week of a season counted from today (`NEVER`: none)
    on_hand, in_transit : (n,) and (n, weeks) units
    holding, salvage : (n,) money a unit and week; a unit left at the end
    wish : (n, PLAYED) uniforms that all policies share
    """

    base: PriceShop
    review: int
    lead: np.ndarray
    end: np.ndarray
    on_hand: np.ndarray
    in_transit: np.ndarray
    holding: np.ndarray
    salvage: np.ndarray
    wish: np.ndarray


@dataclass(slots=True)
class View:
    """What a policy sees in week `now` of those played: histories (n, past + now), stock, what is on its way."""

    shop: JointShop
    now: int
    units: np.ndarray
    prices: np.ndarray
    in_stock: np.ndarray
    price: np.ndarray
    on_hand: np.ndarray
    incoming: np.ndarray

    @property
    def left(self) -> np.ndarray:
        """Weeks until a season's end, (n,)."""
        return self.shop.end - self.now

    @property
    def is_seasonal(self) -> np.ndarray:
        """(n,) bool."""
        return self.shop.end < NEVER


@dataclass(frozen=True, slots=True)
class Policy:
    """How a shop decides: prices (n,) every `REPRICED` weeks, then orders (n,) every review."""

    price: Callable[[View], np.ndarray]
    order: Callable[[View], np.ndarray]


@dataclass(frozen=True, slots=True)
class Year:
    """Of each product (n,): gross profit and its parts, and units wanted, sold, and left of a season."""

    profit: np.ndarray
    margin: np.ndarray
    held: np.ndarray
    written_off: np.ndarray
    wanted: np.ndarray
    sold: np.ndarray


def make_joint_shop(kind: str, *, seed: int, n: int = 100) -> JointShop:
    """A shop of a kind with `n` products."""
    rng = np.random.default_rng([seed, len(kind), 71])
    base = make_shop("mid", seed=900 + seed, endogeneity=0.4, n=n)
    _jump(base, JUMP[kind], rng)
    high = max(LEADS[kind])
    lead = rng.choice(LEADS[kind], n)
    seasonal = rng.random(n) < SEASONAL[kind]
    end = np.where(seasonal, rng.integers(16, 37, n), NEVER)
    usual = base.units[:, -13:].mean(axis=1)
    foreseen = usual * np.exp(rng.normal(0, MISJUDGED[kind], n))
    review = REVIEWS[kind]
    transit = np.zeros((n, PLAYED + high + 1))
    first = rng.integers(0, review, n)
    for week in range(high):
        comes = (week % review == first) & (week < lead) & ~seasonal
        transit[:, week] = np.where(comes, np.round(foreseen * review), 0.0)
    weeks = np.where(seasonal, np.minimum(end, NEVER), (first if kind == "long" else lead) + review)
    return JointShop(
        base,
        review,
        lead,
        end,
        np.round(foreseen * weeks),
        transit,
        base.unit_cost * HOLDING_A_YEAR / 52,
        base.unit_cost * SALVAGE,
        rng.random((n, PLAYED)),
    )


def _jump(base: PriceShop, spread: float, rng: np.random.Generator) -> None:
    """Levels jump once, up or down alike, in the first half of the weeks played."""
    n = len(base.elasticity)
    factor = np.exp(rng.normal(0, spread, n) - spread**2 / 2)
    begins = base.weeks + rng.integers(0, PLAYED // 2, n)
    after = np.arange(base.demand.shape[1])[None, :] >= begins[:, None]
    base.demand[...] *= np.where(after, factor[:, None], 1.0)


def play(shop: JointShop, policy: Policy) -> Year:
    """Let a policy decide."""
    base, n = shop.base, len(shop.lead)
    price, on_hand, transit = base.price_now.copy(), shop.on_hand.copy(), shop.in_transit.copy()
    units, prices, in_stock = base.units, base.price, np.ones_like(base.units)
    margin, held, wanted_all, sold_all = np.zeros((4, n))
    for now in range(PLAYED):
        on_hand += transit[:, now]
        transit[:, now] = 0.0
        view = View(shop, now, units, prices, in_stock, price, on_hand, transit[:, now + 1 :])
        if now % REPRICED == 0:
            price = view.price = policy.price(view)
        if now % shop.review == 0:
            ordered = policy.order(view)
            transit[np.arange(n), now + shop.lead] += np.where(view.is_seasonal, 0.0, ordered)
        wanted = poisson.ppf(shop.wish[:, now], base.expected(base.weeks + now, price))
        wanted = np.where(now < shop.end, wanted, 0.0)
        sold = np.minimum(wanted, on_hand)
        on_hand = on_hand - sold
        margin += sold * (price - base.unit_cost)
        held += on_hand * shop.holding * (now < shop.end)
        wanted_all, sold_all = wanted_all + wanted, sold_all + sold
        share = np.where(wanted > 0, sold / np.maximum(wanted, 1.0), (on_hand > 0).astype(float))
        units = np.column_stack([units, sold])
        prices = np.column_stack([prices, price])
        in_stock = np.column_stack([in_stock, share])
    written_off = np.where(shop.end < NEVER, on_hand * (base.unit_cost - shop.salvage), 0.0)
    profit = margin - held - written_off
    return Year(profit, margin, held, written_off, wanted_all, sold_all)
