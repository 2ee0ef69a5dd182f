"""What is known of a price's effect before a product's own evidence, and how the evidence is pooled.

In:  every series' evidence (information matrix and score), its group, how far groups are one voice.
Out: `Pooled`: the posterior of every series' effects.
Method: product around its group, group around its shop, shop around the literature, all Gaussian; how far
products differ is learned. Evidence of series whose shocks and prices move together is divided by
the number of times it repeats itself (design effect).
Source: Bijmolt, van Heerde & Pieters (2005), JMR 42, 141-156 (1,851 elasticities, mean -2.62); single
items in one shop less (Dominick's orange juice with the promotion calendar removed: -1.96); Kish (1965),
*Survey Sampling*, for the design effect; Gelman & Hill (2007), ch. 12, for the pooling.
Weak: Gaussian tails; two levels of grouping only.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

EFFECTS: Final = (
    "price",
    "extra in promotion",
    "promotion itself",
    "others' prices",
    "step chased",
    "level chased",
    "shop-wide sale itself",
)
LEVEL_CHASED: Final = EFFECTS.index("level chased")
SALE: Final = EFFECTS.index("shop-wide sale itself")
ANSWERS: Final = 4
"""The first effects are answers of demand to a price; the others are answers of the merchant to demand."""

PRIOR_MEAN: Final = np.array([-2.2, 0.0, 0.15, 0.7, 0.0, 0.0, 0.0])
"""Elasticity of the price as it stands; what a promotion's cut adds to it; the log lift of a flag without a cut; elasticity
of the mean price of the others beside it (a whole category answers far less than one of its items); how
much demand was up (log) per log step, and per log level, of a price that chased it; the log lift of what a shop-wide sale
cut, over that of what it left and besides its price."""

COUNT: Final = len(EFFECTS) + 1
"""The effects and, last, by how much elasticities follow what costs imply."""

FOLLOWS: Final = 0.65
"""How far an elasticity lies from the literature's towards the one at which today's price would be best, until the
shop's own answers tell: products of a type differ by .8, and what a price implies is off by .6 where
merchants price within a quarter of what would be best; .8 squared over the sum of the squares."""

KNOWN_COST: Final = 0.6
"""By which the spread of products is smaller where their costs tell of it: the square root of one less `FOLLOWS`."""

EVIDENCE_WORTH: Final = 0.6
"""What weeks tell counts by so much: models are wrong in ways that every week repeats, so that evidence taken in full
is too sure of itself (Grünwald & van Ommen 2017, Bayesian Analysis 12, 1069-1103). On orange juice, cheese,
avocado and Complete Journey it foresees seven of eight parts better than evidence taken in full."""

MARGINS: Final = (0.1, 0.9)
SHOP_SD: Final = np.array([0.8, 0.7, 0.3, 0.7, 5.0, 5.0, 1.0, 0.25])
GROUP_SD: Final = np.array([0.4, 0.4, 0.2, 0.3, 0.2, 0.2, 0.3, 0.05])
PRODUCT_SD: Final = np.array([0.8, 0.7, 0.3, 0.3, 0.8, 0.8, 0.2, 0.05])
PRODUCT_SDS: Final = np.array([0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.6])
"""Spreads of products that are tried."""

PRODUCT_SD_LOOSE: Final = 0.4
"""Standard deviation of the log of how far products differ, around `PRODUCT_SD`."""

SALE_SDS: Final = np.array([0.05, 0.1, 0.2, 0.3, 0.5])
"""Spreads that are tried of what a shop-wide sale does to single products."""

SALE_UNKNOWN: Final = 3.0
"""A spread with which a sale tells nothing of its products' answers."""

SALE_SD_LOOSE: Final = 0.7
"""Standard deviation of the log of that spread, around its `PRODUCT_SD`."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Posterior of effects.

    `mean` (m, p), `variance` (m, p, p); `shop_mean` (q,), `shop_variance` (q, q), `group_mean` (G, q), where
    q = p + 1 counts how far elasticities follow costs; `product_sd`, and `sale_sd` of the pull of a sale.
    """

    mean: np.ndarray
    variance: np.ndarray
    shop_mean: np.ndarray
    shop_variance: np.ndarray
    group_mean: np.ndarray
    product_sd: float
    sale_sd: float


@dataclass(frozen=True, slots=True)
class _Groups:
    """How series hang together: `group` (m,), `repeats` (G,), `shop_repeats`, `between` (G, q, q), `shop_sd` (q,)."""

    group: np.ndarray
    repeats: np.ndarray
    shop_repeats: float
    between: np.ndarray
    shop_sd: np.ndarray

    def sums(
        self, information: np.ndarray, score: np.ndarray, product: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Evidence about each group's mean (G, q, q) and (G, q), of series that scatter by `product` (m, q, q)."""
        count = len(self.repeats)
        marginal, weighted = _seen_through(information, score, product)
        whole, push = np.zeros((count, COUNT, COUNT)), np.zeros((count, COUNT))
        np.add.at(whole, self.group, marginal / self.repeats[self.group][:, None, None])
        np.add.at(push, self.group, weighted / self.repeats[self.group][:, None])
        return whole, push


def prior_variance() -> np.ndarray:
    """Of a product of which nothing is known, (p,)."""
    return (SHOP_SD**2 + GROUP_SD**2 + PRODUCT_SD**2)[:-1]


def known_variance() -> np.ndarray:
    """(p,) as `prior_variance`, but the shop's sale known for what it was: how well a product's own weeks tell its answer."""
    result = prior_variance()
    result[SALE] = PRODUCT_SD[SALE] ** 2
    return result


def pool(
    information: np.ndarray,
    score: np.ndarray,
    implied: np.ndarray,
    group: np.ndarray,
    repeats: np.ndarray,
    shop_repeats: float,
    randomised: np.ndarray | None = None,
) -> Pooled:
    """Pool evidence.

    Parameters
    ----------
    information : (m, p, p), score : (m, p)
        Precision of a series' own estimate, and precision times estimate.
    implied : (m,)
        Elasticity at which the price now would be best for its cost; NaN where the cost is unknown.
    group : (m,) codes 0..G-1; repeats : (G,) and shop_repeats
        How many times the evidence of a group, and of the shop's groups, repeats itself (>= 1).
    randomised : (m,) share of a series' evidence that comes from prices drawn by lot: it counts in full; None: nothing of it.
    """
    turn = _turn(implied)
    inside = np.swapaxes(turn, 1, 2) @ information @ turn
    pushed = (np.swapaxes(turn, 1, 2) @ score[..., None])[..., 0]
    narrowing = np.where(np.isnan(implied), 1.0, KNOWN_COST)
    setting = _Groups(group, repeats, shop_repeats, *_between(narrowing, group, len(repeats)))
    sd, sale_sd = _spreads(inside, pushed, setting, narrowing)
    # How far products differ is read off the whole evidence: read off a part, they would seem alike.
    drawn = np.zeros(len(group)) if randomised is None else randomised
    worth = EVIDENCE_WORTH + (1 - EVIDENCE_WORTH) * drawn
    found = _pooled(
        worth[:, None, None] * inside, worth[:, None] * pushed, setting, (sd, sale_sd), narrowing
    )
    return replace(
        found,
        mean=(turn @ found.mean[..., None])[..., 0],
        variance=turn @ found.variance @ np.swapaxes(turn, 1, 2),
    )


def implied_elasticity(price: np.ndarray, unit_cost: np.ndarray) -> np.ndarray:
    """Elasticity at which `price` earns most at `unit_cost`: -price / (price - cost), within reason; NaN where unknown."""
    margin = 1 - unit_cost / price
    return np.where(np.isnan(margin), np.nan, -1 / np.clip(margin, *MARGINS))


def _turn(implied: np.ndarray) -> np.ndarray:
    """(m, p, COUNT): from effects around what costs imply to effects."""
    result = np.zeros((len(implied), COUNT - 1, COUNT))
    result[:, :, :-1] = np.eye(COUNT - 1)
    # By ratio: the answer of a product with a thin margin is larger, and so is what costs get wrong of it.
    result[:, 0, -1] = np.nan_to_num(PRIOR_MEAN[0] * np.log(implied / PRIOR_MEAN[0]))
    return result


def _spreads(
    information: np.ndarray, score: np.ndarray, setting: _Groups, narrowing: np.ndarray
) -> tuple[float, float]:
    """How far products differ: in their answer to a price, in what a sale does to them besides.

    The first is read off the prices of their own only: in a sale the two cannot be told apart.
    """

    def likely(pairs: list[tuple[float, float]]) -> np.ndarray:
        logs = np.array(
            [_log_evidence(information, score, setting, pair, narrowing) for pair in pairs]
        )
        weight = np.exp(logs - logs.max())
        # The mean of the variances, not the likeliest: too narrow a spread costs more than too wide a one.
        return np.sqrt(weight @ np.array(pairs) ** 2 / weight.sum())

    sd = float(likely([(sd, SALE_UNKNOWN) for sd in PRODUCT_SDS.tolist()])[0])
    if not information[:, SALE, SALE].any():
        return sd, float(PRODUCT_SD[SALE])
    return sd, float(likely([(sd, sale) for sale in SALE_SDS.tolist()])[1])


def _product_spread(spreads: tuple[float, float], narrowing: np.ndarray) -> np.ndarray:
    """Covariance (m, COUNT, COUNT) of products around their group; `told` (m,) is what costs leave of it."""
    sd, sale_sd = spreads
    result = np.zeros((len(narrowing), COUNT, COUNT))
    result[:, np.arange(1, COUNT), np.arange(1, COUNT)] = PRODUCT_SD[1:] ** 2
    result[:, 0, 0] = (sd * narrowing) ** 2
    result[:, SALE, SALE] = sale_sd**2
    return result


def _between(narrowing: np.ndarray, group: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(covariance of groups around the shop (G, COUNT, COUNT), deviations of shops (COUNT,)): costs tell of them too."""
    size = np.maximum(np.bincount(group, minlength=count), 1)
    left = np.bincount(group, weights=narrowing, minlength=count) / size
    result = np.zeros((count, COUNT, COUNT))
    result[:, np.arange(1, COUNT), np.arange(1, COUNT)] = GROUP_SD[1:] ** 2
    result[:, 0, 0] = (GROUP_SD[0] * np.where(left > 0, left, 1.0)) ** 2
    shop = SHOP_SD.copy()
    shop[0] *= float(narrowing.mean()) if len(narrowing) else 1.0
    return result, shop


def _pooled(
    information: np.ndarray,
    score: np.ndarray,
    setting: _Groups,
    spreads: tuple[float, float],
    narrowing: np.ndarray,
) -> Pooled:
    product = _product_spread(spreads, narrowing)
    group, between = setting.group, setting.between
    group_information, group_score = setting.sums(information, score, product)
    shop_marginal, shop_weighted = _seen_through(group_information, group_score, between)
    before = np.diag(setting.shop_sd**-2.0)
    shop_variance = np.linalg.inv(before + shop_marginal.sum(axis=0) / setting.shop_repeats)
    shop_mean = shop_variance @ (
        before @ np.r_[PRIOR_MEAN, FOLLOWS] + shop_weighted.sum(axis=0) / setting.shop_repeats
    )
    group_mean, group_variance = _lean(
        group_information, group_score, between, shop_mean[None], shop_variance[None]
    )
    mean, variance = _lean(information, score, product, group_mean[group], group_variance[group])
    return Pooled(mean, variance, shop_mean, shop_variance, group_mean, *spreads)


def _seen_through(
    information: np.ndarray, score: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Evidence about the mean that units scatter around with covariance `spread`."""
    inner = np.linalg.inv(np.eye(COUNT) + information @ spread)
    return inner @ information, (inner @ score[..., None])[..., 0]


def _lean(
    information: np.ndarray,
    score: np.ndarray,
    spread: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of units around a mean that is itself uncertain; its own share in that mean is kept."""
    precision = np.linalg.inv(spread)
    conditional = np.linalg.inv(information + precision)
    shrinkage = conditional @ precision
    centre = (conditional @ (score[..., None] + precision @ mean[..., None]))[..., 0]
    return centre, conditional + shrinkage @ variance @ np.swapaxes(shrinkage, -1, -2)


def _log_evidence(
    information: np.ndarray,
    score: np.ndarray,
    setting: _Groups,
    spreads: tuple[float, float],
    narrowing: np.ndarray,
) -> float:
    """Log marginal likelihood of spreads of products, groups at their means, plus their prior."""
    product = _product_spread(spreads, narrowing)
    # The group's mean given everything: what the series' posterior leans on.
    centre = _pooled(information, score, setting, spreads, narrowing).group_mean[setting.group]
    inner = np.eye(COUNT) + information @ product
    off = score - (information @ centre[..., None])[..., 0]
    quadratic = np.einsum(
        "mi,mij,mj->m", off, np.linalg.inv(information + np.linalg.inv(product)), off
    )
    each = -0.5 * np.linalg.slogdet(inner)[1] + 0.5 * quadratic
    usual, loose = PRODUCT_SD[[0, SALE]], np.array([PRODUCT_SD_LOOSE, SALE_SD_LOOSE])
    prior = -0.5 * float(((np.log(spreads / usual) / loose) ** 2).sum())
    return float((each / setting.repeats[setting.group]).sum() + prior)
