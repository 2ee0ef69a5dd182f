"""Placebo distributions: the same estimate made where nothing was done shows how far chance alone carries it.

In:  counts seen and expected (with the spread of their residual), of what was changed and of what was not.
Out: ranks and ranges that hold whatever the distribution of counts is.
Method: one product: the rank of its residual among those of products of its rate. Many: each changed
product gives its place to a product of its rate, drawn again and again. With a holdback: the draw of who
was held back is made again and again (randomisation inference).
Source: Abadie, Diamond & Hainmueller (2010), JASA 105, 493-505; Imbens & Rubin (2015), *Causal
Inference for Statistics, Social, and Biomedical Sciences*, ch. 5.
Weak: the drawn products stand for the changed ones only as far as they are exchangeable with them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

CLIP: Final = 2.0
"""Bound on standardised residuals, so that one wholesale week moves no total."""

EFFECT_SD: Final = 0.1
"""Prior standard deviation, between products, of the log effect of a suggestion: elasticities differ by about
one, prices move by about a tenth."""

LARGEST_LOG_RATIO: Final = 3.0
"""Bound on the common log ratio."""

BISECTIONS: Final = 24
"""Steps of its bisection."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """Ratios of seen to expected counts (n,), the spread of their residual (n,), and the weight of each in a total (n,)."""

    ratio: np.ndarray
    spread: np.ndarray
    weight: np.ndarray

    def take(self, rows: np.ndarray, weight: np.ndarray | None = None) -> "Residuals":
        """The chosen residuals, of any shape; with other weights where given."""
        return Residuals(
            self.ratio[rows], self.spread[rows], self.weight[rows] if weight is None else weight
        )

    def shifted(self, common_log_ratio: float) -> "Residuals":
        """The residuals with all ratios multiplied by exp(common_log_ratio)."""
        return Residuals(self.ratio * np.exp(common_log_ratio), self.spread, self.weight)


def rank_p_value(value: float, placebos: np.ndarray) -> float:
    """Two-sided p-value of a value's rank among placebos (n,); at least 2 / (n + 1).

    Examples
    --------
    Larger than all nine placebos: one side of ten ranks, doubled.

    >>> rank_p_value(10.0, np.arange(9.0))
    0.2
    """
    below, above = (placebos <= value).sum(), (placebos >= value).sum()
    return float(min(1.0, 2 * (1 + min(below, above)) / (len(placebos) + 1)))


def rank_range(placebos: np.ndarray, level: float) -> tuple[float, float]:
    """Range that holds the next of exchangeable values with probability `level` at least (conformal).

    Where there are too few placebos for the level, it is as wide as they are, and a quarter more.
    """
    ordered, count = np.sort(placebos), len(placebos)
    # Of n exchangeable placebos and one new value, each rank is as likely: (n + 1) places.
    rank = int(np.floor((1 - level) / 2 * (count + 1)))
    if rank < 1:
        reach = 0.25 * (ordered[-1] - ordered[0])
        return float(ordered[0] - reach), float(ordered[-1] + reach)
    return float(ordered[rank - 1]), float(ordered[count - rank])


def common_log_ratio(residuals: Residuals) -> np.ndarray:
    """Common log ratio of seen to expected over the last axis, an M-estimate with clipped residuals.

    Solves sum(weight * spread * clip((ratio / exp(x) - 1) / spread, -c, c)) = 0 by bisection.
    """
    shape = residuals.ratio.shape[:-1]
    low, high = np.full(shape, -LARGEST_LOG_RATIO), np.full(shape, LARGEST_LOG_RATIO)
    weight = residuals.weight * residuals.spread
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        residual = (residuals.ratio * np.exp(-middle)[..., None] - 1) / residuals.spread
        # The clipped sum falls in x: where it is above zero the common ratio is larger yet.
        up = (weight * np.clip(residual, -CLIP, CLIP)).sum(axis=-1) > 0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return (low + high) / 2


def precision_weighted(residuals: Residuals) -> Residuals:
    """The residuals with inverse-variance weights, whatever money hangs on each."""
    return Residuals(residuals.ratio, residuals.spread, residuals.spread**-2.0)


def money_weighted(residuals: Residuals) -> Residuals:
    """The residuals with the weights that estimate the money gained best, where weights are money (..., n).

    Effects are taken to differ between products by `EFFECT_SD` around a common one. Each product's
    effect is then shrunk toward the common one (best linear predictor, weight tau^2 / (tau^2 + s^2));
    the weights are those of each product in the sum of money x effect.
    """
    money = residuals.weight / residuals.weight.sum(axis=-1, keepdims=True)
    own = EFFECT_SD**2 / (EFFECT_SD**2 + residuals.spread**2)
    common = 1 / (EFFECT_SD**2 + residuals.spread**2)
    common = common / common.sum(axis=-1, keepdims=True)
    leaning = (money * (1 - own)).sum(axis=-1, keepdims=True)
    return Residuals(residuals.ratio, residuals.spread, money * own + leaning * common)


def placebo_log_ratios(
    residuals: Residuals,
    comparisons: list[np.ndarray],
    weights: np.ndarray,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Common log ratios (draws,) of portfolios in which products of the same rate take each place.

    `comparisons[i]` are rows of `residuals` that may stand for place i, `weights[i]` its money.
    """
    rows = np.stack([rng.choice(found, draws) for found in comparisons], axis=1)
    return common_log_ratio(
        money_weighted(residuals.take(rows, np.broadcast_to(weights, rows.shape)))
    )


def drawn_contrasts(
    done: Residuals, held: Residuals, effect: float, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Contrasts (draws,) of log ratios had the draw of the held-back fallen otherwise, the effect taken out."""
    done = done.shifted(-effect)
    both = Residuals(
        np.r_[done.ratio, held.ratio],
        np.r_[done.spread, held.spread],
        np.r_[done.weight, held.weight],
    )
    # Under the null the labels "done" and "held back" are exchangeable: permute them.
    order = rng.permuted(np.tile(np.arange(len(both.ratio)), (draws, 1)), axis=1)
    first, second = order[:, : len(done.ratio)], order[:, len(done.ratio) :]
    return common_log_ratio(both.take(first)) - common_log_ratio(both.take(second))
