"""Hierarchical prior of price effects, and the posterior that pools evidence over products, groups and the shop.

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
"""Names of the effects, in the order of every array."""

LEVEL_CHASED: Final = EFFECTS.index("level chased")
"""Index of "level chased"."""

SALE: Final = EFFECTS.index("shop-wide sale itself")
"""Index of "shop-wide sale itself"."""

ANSWERS: Final = 4
"""Number of first effects that are price response; the others are the merchant's reaction to demand."""

PRIOR_MEAN: Final = np.array([-2.2, 0.0, 0.15, 0.7, 0.0, 0.0, 0.0])
"""Prior means: elasticity; extra elasticity of a promotion's cut; log lift of a flag without a cut; cross
elasticity of the mean price of the others (a whole category responds far less than one of its items); log
demand per log step, and per log level, of a price that followed it; log lift of a shop-wide sale itself."""

COUNT: Final = len(EFFECTS) + 1
"""Number of effects plus one: the coefficient of implied elasticities."""

FOLLOWS: Final = 0.65
"""Regression of an elasticity on the one at which today's price would be best, until the shop's own response
tells: products of a type differ by .8, and what a price implies is off by .6 where merchants price within a
quarter of what would be best; .8 squared over the sum of the squares."""

KNOWN_COST: Final = 0.6
"""Factor by which knowing the cost narrows the standard deviation between products: the square root of one
less `FOLLOWS`."""

EVIDENCE_WORTH: Final = 0.6
"""Learning rate eta: power of the likelihood in the posterior. Models are wrong in ways that every week
repeats, so that evidence taken in full is too sure of itself (Grünwald & van Ommen 2017, Bayesian Analysis
12, 1069-1103). On orange juice, cheese, avocado and Complete Journey it foresees seven of eight parts
better than evidence taken in full."""

MARGINS: Final = (0.1, 0.9)
"""Bounds of the margin from which an elasticity is implied."""

SHOP_SD: Final = np.array([0.8, 0.7, 0.3, 0.7, 5.0, 5.0, 1.0, 0.25])
"""Standard deviations of shops around the literature."""

GROUP_SD: Final = np.array([0.4, 0.4, 0.2, 0.3, 0.2, 0.2, 0.3, 0.05])
"""Standard deviations of groups around their shop."""

PRODUCT_SD: Final = np.array([0.8, 0.7, 0.3, 0.3, 0.8, 0.8, 0.2, 0.05])
"""Standard deviations of products around their group."""

PRODUCT_SDS: Final = np.array([0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.6])
"""Grid of the standard deviation of elasticity between products."""

PRODUCT_SD_LOOSE: Final = 0.4
"""Standard deviation of the log of that, around its `PRODUCT_SD`."""

SALE_SDS: Final = np.array([0.05, 0.1, 0.2, 0.3, 0.5])
"""Grid of the standard deviation of a shop-wide sale's own effect between products."""

SALE_UNKNOWN: Final = 3.0
"""Such a standard deviation at which a sale is no evidence of price response."""

SALE_SD_LOOSE: Final = 0.7
"""Standard deviation of the log of that, around its `PRODUCT_SD`."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Posterior of the effects.

    `mean` (m, p), `variance` (m, p, p); `shop_mean` (q,), `shop_variance` (q, q), `group_mean` (G, q), where
    q = p + 1 counts the coefficient of implied elasticities; `product_sd` and `sale_sd`, standard deviations between
    products of elasticity and of a shop-wide sale's own effect.
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
    """Grouping of the series: `group` (m,), `repeats` (G,), `shop_repeats`, `between` (G, q, q), `shop_sd` (q,)."""

    group: np.ndarray
    repeats: np.ndarray
    shop_repeats: float
    between: np.ndarray
    shop_sd: np.ndarray

    def sums(
        self, information: np.ndarray, score: np.ndarray, product: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(information (G, q, q), score (G, q)) on each group's mean, from series that scatter by `product` (m, q, q)."""
        count = len(self.repeats)
        marginal, weighted = _seen_through(information, score, product)
        whole, push = np.zeros((count, COUNT, COUNT)), np.zeros((count, COUNT))
        # Evidence of series that move as one is divided by its design effect (Kish 1965).
        np.add.at(whole, self.group, marginal / self.repeats[self.group][:, None, None])
        np.add.at(push, self.group, weighted / self.repeats[self.group][:, None])
        return whole, push


def prior_variance() -> np.ndarray:
    """Variance (p,) of the effects of a product of which nothing is known."""
    return (SHOP_SD**2 + GROUP_SD**2 + PRODUCT_SD**2)[:-1]


def known_variance() -> np.ndarray:
    """Variance (p,) as `prior_variance`, but with the shop's sale known: for the information of a product's own weeks."""
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
    """The `Pooled` posterior of evidence.

    Parameters
    ----------
    information : (m, p, p), score : (m, p)
        Precision of a series' own estimate, and precision times estimate.
    implied : (m,)
        Elasticity at which the price now would be best for its cost; NaN where the cost is unknown.
    group : (m,) codes 0..G-1; repeats : (G,) and shop_repeats
        How many times the evidence of a group, and of the shop's groups, repeats itself (>= 1).
    randomised : (m,) share of a series' evidence that comes from prices drawn by lot, which counts in full; None: none.
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
    """Elasticity at which `price` earns most at `unit_cost`: -price / (price - cost), bounded; NaN where unknown.

    Examples
    --------
    Lerner's rule: at a margin of one half a price is best where the elasticity is -2.

    >>> implied_elasticity(np.array([20.0]), np.array([10.0])).tolist()
    [-2.0]
    """
    margin = 1 - unit_cost / price
    return np.where(np.isnan(margin), np.nan, -1 / np.clip(margin, *MARGINS))


def _turn(implied: np.ndarray) -> np.ndarray:
    """Matrix (m, p, COUNT) from effects around implied elasticities to effects."""
    result = np.zeros((len(implied), COUNT - 1, COUNT))
    result[:, :, :-1] = np.eye(COUNT - 1)
    # By ratio: the answer of a product with a thin margin is larger, and so is what costs get wrong of it.
    result[:, 0, -1] = np.nan_to_num(PRIOR_MEAN[0] * np.log(implied / PRIOR_MEAN[0]))
    return result


def _spreads(
    information: np.ndarray, score: np.ndarray, setting: _Groups, narrowing: np.ndarray
) -> tuple[float, float]:
    """(standard deviation of elasticity between products, of a sale's own effect), posterior means on their grids.

    The first is estimated from products' own prices only: in a sale the two are not identified.
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
    """Covariance (m, COUNT, COUNT) of products around their group; `narrowing` (m,) is the factor by which knowing the cost narrows it."""
    sd, sale_sd = spreads
    result = np.zeros((len(narrowing), COUNT, COUNT))
    result[:, np.arange(1, COUNT), np.arange(1, COUNT)] = PRODUCT_SD[1:] ** 2
    result[:, 0, 0] = (sd * narrowing) ** 2
    result[:, SALE, SALE] = sale_sd**2
    return result


def _between(narrowing: np.ndarray, group: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(covariance of groups around the shop (G, COUNT, COUNT), deviations of shops (COUNT,)), narrowed by known costs."""
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
    """The posterior at given spreads: shop, then groups, then products."""
    product = _product_spread(spreads, narrowing)
    group, between = setting.group, setting.between
    group_information, group_score = setting.sums(information, score, product)
    shop_marginal, shop_weighted = _seen_through(group_information, group_score, between)
    before = np.diag(setting.shop_sd**-2.0)
    # From the bottom up: information on the shop's mean; then back down, group by group, product
    # by product.
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
    """(information, score) on the mean that units scatter around with covariance `spread`."""
    # (I + J S)^-1 J = (J^-1 + S)^-1: information left once the scatter S is added (Woodbury).
    inner = np.linalg.inv(np.eye(COUNT) + information @ spread)
    return inner @ information, (inner @ score[..., None])[..., 0]


def _lean(
    information: np.ndarray,
    score: np.ndarray,
    spread: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(mean, variance) of units around a mean that is itself uncertain."""
    precision = np.linalg.inv(spread)
    conditional = np.linalg.inv(information + precision)
    shrinkage = conditional @ precision
    centre = (conditional @ (score[..., None] + precision @ mean[..., None]))[..., 0]
    # Law of total variance: shrinkage weight B = (J + S^-1)^-1 S^-1 carries the mean's variance
    # down.
    return centre, conditional + shrinkage @ variance @ np.swapaxes(shrinkage, -1, -2)


def _log_evidence(
    information: np.ndarray,
    score: np.ndarray,
    setting: _Groups,
    spreads: tuple[float, float],
    narrowing: np.ndarray,
) -> float:
    """Log marginal likelihood of spreads of products, groups at their means, plus their log prior."""
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
