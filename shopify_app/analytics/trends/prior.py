"""Empirical-Bayes prior of changes, learned from the whole shop, and the posterior of each product's change.

In:  `Evidence` of all products; groups of products that may move together.
Out: a `Posterior` over each product's change; which directions may be said.
Method: adaptive shrinkage. A change is none, one odd week, or drawn from normals of several widths for each
window; their shares are learned from the whole shop by EM. If the rest of a product's group has
moved, the product's prior is centred on that move (its own sales left out of it). Directions are said
as long as the average chance of a wrong sign among them stays below the rate asked for: over both
windows at once, so that nothing is lost to looking twice.
Source: Stephens (2017), "False discovery rates: a new deal", Biostatistics 18, 275-294; Efron (2010),
*Large-Scale Inference*, ch. 5; Fay & Herriot (1979) for borrowing from the group.
Weak: under 20 informative products the shares are the stated ones, not learned.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shopify_app.analytics.trends.evidence import GRID, MIDDLE, Evidence

WIDTHS: Final = (0.15, 0.3, 0.6, 1.0)
"""Standard deviations of the mixture's normals, in log ratio."""

FIRST_SHARES: Final = (0.8, 0.02)
"""Starting shares of "no change" and "one odd week"; the rest evenly over windows and widths."""

NO_CHANGE_CASES: Final = 10.0
"""Pseudo-count of products without a change (the penalty of Stephens' ash)."""

LEAST_PRODUCTS: Final = 20
"""Informative products below which shares are the stated ones."""

ROUNDS: Final = 100
"""Rounds of EM."""

LEAST_EFFECT: Final = 1.15
"""Ratio below which a change is no news to a merchant, however sure."""

STAYS_UNTIL: Final = 0.3
"""False sign probability up to which a direction of the last run is kept."""

GROUP_STANDS_STILL: Final = 0.9
"""Prior probability that a group did not move."""

GROUP_WIDTH: Final = 0.5
"""Standard deviation of a group's log ratio where it moved."""

APART: Final = 0.3
"""Standard deviation of members' log ratios around their group's."""

GROUP_MOST: Final = 30
"""Members above which a group is a department, not siblings: its moves are the shop's, not a product's."""

GROUP_COUNTS: Final = 2.0
"""Effective sales expected of the others below which a group says nothing."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Posterior of each product's change.

    Attributes
    ----------
    change : array (n, windows, grid), probability of a change of that size within that window
    still : array (n,), probability of no change at all
    odd_week : array (n,), probability that one odd week is all there is (part of `still`)
    """

    change: np.ndarray
    still: np.ndarray
    odd_week: np.ndarray

    @property
    def rising(self) -> np.ndarray:
        """Probability of a rise, (n,)."""
        return self.change[:, :, MIDDLE + 1 :].sum(axis=(1, 2))

    @property
    def falling(self) -> np.ndarray:
        """Probability of a fall, (n,)."""
        return self.change[:, :, :MIDDLE].sum(axis=(1, 2))

    @property
    def false_sign(self) -> np.ndarray:
        """Local false sign rate, (n,): the chance that the likelier direction is wrong or there is none."""
        return 1.0 - np.maximum(self.rising, self.falling)

    @property
    def window(self) -> np.ndarray:
        """Number of the likelier window, (n,)."""
        return self.change.sum(axis=2).argmax(axis=1)

    def density(self) -> np.ndarray:
        """Probability over the grid, windows together, (n, grid)."""
        found = self.change.sum(axis=1)
        found[:, MIDDLE] += self.still
        return found

    def mean_if_changed(self) -> np.ndarray:
        """Mean log ratio given a change in the likelier direction, (n,)."""
        found = self.change.sum(axis=1)
        up = self.rising >= self.falling
        side = np.where(up[:, None], GRID[None, :] > 0, GRID[None, :] < 0) * found
        return (side @ GRID) / np.maximum(side.sum(axis=1), 1e-300)


@dataclass(frozen=True, slots=True)
class WindowSums:
    """Sales, weeks and exposure of the judged window and of what came before; each (n, windows)."""

    sold: np.ndarray
    weeks: np.ndarray
    exposed: np.ndarray
    sold_before: np.ndarray
    weeks_before: np.ndarray
    exposed_before: np.ndarray


def posterior(found: Evidence, windows: WindowSums, groups: np.ndarray) -> Posterior:
    """The `Posterior` of all products; `groups` is a code per product (n,), all the same where there are none."""
    bells = _bells()
    shares = _shares(found, bells)
    count = found.likelihood.shape[1]
    weights = shares[2:].reshape(count, len(WIDTHS))
    change = found.likelihood * (weights @ bells)[None, :, :]
    still = found.likelihood[:, :, MIDDLE].mean(axis=1) * shares[0]
    # Siblings that moved carry the prior's centre with them.
    rows, shift = _moved_groups(found, windows, groups)
    if len(rows):
        change[rows], still[rows] = _centred(found.likelihood[rows], shift, shares[0], weights)
    odd = found.single_week * shares[1]
    # Bayes: prior x likelihood of every hypothesis, over their sum.
    total = change.sum(axis=(1, 2)) + still + odd
    return Posterior(change / total[:, None, None], (still + odd) / total, odd / total)


def typical_move(found: Evidence) -> np.ndarray:
    """Log ratio of the typical product, per window (windows,): the centre of the empirical null.

    Notes
    -----
    The shop's sum moves with whatever moves most; the typical product is where "no change" fits most
    products best: Efron's (2004) empirical null, by likelihood.
    """
    # Where "no change" fits most products best is the centre of the empirical null.
    likelihood = found.likelihood[found.informative].astype(float)
    if len(likelihood) < LEAST_PRODUCTS:
        return np.zeros(found.likelihood.shape[1])
    elsewhere = likelihood @ (_bells()[2])
    still = FIRST_SHARES[0]
    fit = np.log(still * likelihood + (1 - still) * elsewhere[..., None] + 1e-300).sum(axis=0)
    return np.array([_peak(row) for row in fit])


def _peak(fit: np.ndarray) -> float:
    """Abscissa of a curve's maximum on the grid, by a parabola through its top."""
    top = int(np.clip(fit.argmax(), 1, len(GRID) - 2))
    left, middle, right = fit[top - 1 : top + 2]
    # Vertex of the parabola through three points: (l - r) / (2 (l - 2 m + r)) cells from the
    # middle.
    bend = left - 2 * middle + right
    step = 0.0 if bend >= 0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))
    return float(GRID[top] + step * (GRID[1] - GRID[0]))


def _bells() -> np.ndarray:
    """Normals of all widths on the grid (widths, grid), each summing to 1."""
    heights = np.exp(-0.5 * (GRID[None, :] / np.array(WIDTHS)[:, None]) ** 2)
    return heights / heights.sum(axis=1, keepdims=True)


def _shares(found: Evidence, bells: np.ndarray) -> np.ndarray:
    """Mixture shares of: no change, one odd week, then every window's widths."""
    count = found.likelihood.shape[1]
    rest = (1 - sum(FIRST_SHARES)) / (count * len(WIDTHS))
    shares = np.array([*FIRST_SHARES, *[rest] * (count * len(WIDTHS))])
    telling = found.informative
    if telling.sum() < LEAST_PRODUCTS:
        return shares
    likelihood = found.likelihood[telling]
    marginal = np.column_stack(
        [
            likelihood[:, :, MIDDLE].mean(axis=1),
            found.single_week[telling],
            (likelihood @ bells.T).reshape(len(likelihood), -1),
        ]
    ).astype(float)
    marginal /= np.maximum(marginal.max(axis=1, keepdims=True), 1e-300)
    for _ in range(ROUNDS):
        mixed = marginal @ shares
        # E step and M step in one: expected cases of each component, plus the penalty.
        cases = shares * (marginal.T @ (1 / np.maximum(mixed, 1e-300)))
        cases[0] += NO_CHANGE_CASES
        shares = cases / cases.sum()
    return shares


def _moved_groups(
    found: Evidence, windows: WindowSums, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(rows whose group probably moved, probability of its log ratio on the grid (rows, windows, grid)).

    Notes
    -----
    With weights w = expected / variance, the weighted sum of a group's sales is quasi-Poisson with mean
    e^shift times its expectation; a member's own sales are left out of both (leave-one-out).
    """
    sizes = np.bincount(groups)
    if len(sizes) < 2 or sizes.max() < 3:
        return np.array([], int), np.zeros((0, 0, 0))
    weeks, before = np.maximum(windows.weeks, 1), np.maximum(windows.weeks_before, 1)
    rate = windows.sold_before / np.maximum(windows.exposed_before, 1e-9)
    expected = np.where(found.informative[:, None], rate * windows.exposed, 0.0)
    noise = found.dispersion[:, None] * (1 / weeks + 1 / before) + APART**2
    # Weights rest on both windows: on the earlier alone they would favour what then sold least by chance.
    both = windows.exposed + windows.exposed_before
    usual = (windows.sold + windows.sold_before) / np.maximum(both, 1e-9) * windows.exposed
    longer = 1 + windows.exposed / np.maximum(windows.exposed_before, 1e-9)
    weight = 1.0 / (longer + noise * usual)
    sold, mean = weight * windows.sold, weight * expected
    others_sold, others_mean = (_sum_of_others(values, groups) for values in (sold, mean))
    slab = np.exp(-0.5 * (GRID / GROUP_WIDTH) ** 2)
    prior = (1 - GROUP_STANDS_STILL) * slab / slab.sum()
    prior[MIDDLE] += GROUP_STANDS_STILL
    # Poisson log likelihood of a shift s: S s - M e^s.
    fit = others_sold[..., None] * GRID - others_mean[..., None] * np.exp(GRID)
    shift = np.exp(fit - fit.max(axis=-1, keepdims=True)) * prior
    shift /= shift.sum(axis=-1, keepdims=True)
    moved = (shift[..., MIDDLE].min(axis=1) < 0.5) & (others_mean.max(axis=1) >= GROUP_COUNTS)
    siblings = (sizes[groups] >= 3) & (sizes[groups] <= GROUP_MOST)
    rows = np.flatnonzero(moved & found.informative & siblings)
    return rows, shift[rows]


def _sum_of_others(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Each group's sum without the member itself (n, windows)."""
    sums = np.zeros((groups.max() + 1, values.shape[1]))
    np.add.at(sums, groups, values)
    return np.maximum(sums[groups] - values, 0.0)


def _centred(
    likelihood: np.ndarray, shift: np.ndarray, still_share: float, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(change, still), not yet summing to 1, under priors centred on the group's log ratio."""
    # Convolution of the group's distribution with each width of the mixture.
    gaps = GRID[None, :] - GRID[:, None]
    change, still = np.zeros(likelihood.shape), np.zeros(len(likelihood))
    count = likelihood.shape[1]
    for window in range(count):
        with_group = still_share / count * shift[:, window]
        still += with_group[:, MIDDLE] * likelihood[:, window, MIDDLE]
        prior = with_group.copy()
        prior[:, MIDDLE] = 0.0
        for width, share in zip(WIDTHS, weights[window], strict=True):
            kernel = np.exp(-0.5 * (gaps / width) ** 2)
            prior += share * shift[:, window] @ (kernel / kernel.sum(axis=1, keepdims=True))
        change[:, window] = likelihood[:, window] * prior
    return change, still


def directions(beliefs: Posterior, rate: float, before: np.ndarray | None = None) -> np.ndarray:
    """1 rising, -1 falling, 0 none, for each product (n,).

    Parameters
    ----------
    rate : float
        Greatest average chance of a wrong sign among the directions given.
    before : array (n,), optional
        Directions of the last run: they stay until their chance of a wrong sign passes `STAYS_UNTIL`.
    """
    wrong, up = beliefs.false_sign, beliefs.rising >= beliefs.falling
    large = np.abs(beliefs.mean_if_changed()) >= np.log(LEAST_EFFECT)
    order = np.argsort(np.where(large, wrong, 1.0), kind="stable")
    # Stephens' s-value: the average false sign rate of all directions at least as sure.
    average = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    said = np.zeros(len(wrong), bool)
    said[order[: int(np.searchsorted(average, rate, side="right"))]] = True
    said &= large & (wrong < 0.5)
    sign = np.where(up, 1, -1)
    if before is not None:
        said |= (before == sign) & (wrong <= STAYS_UNTIL)
    return np.where(said, sign, 0)


def quantiles(beliefs: Posterior, levels: tuple[float, ...]) -> np.ndarray:
    """Quantiles of the log ratio (n, levels), linear within the grid's cells."""
    below = np.cumsum(beliefs.density(), axis=1)
    half = (GRID[1] - GRID[0]) / 2
    rows = np.arange(len(below))
    found: list[np.ndarray] = []
    for level in levels:
        cell = np.minimum((below < level).sum(axis=1), len(GRID) - 1)
        under = np.where(cell > 0, below[rows, cell - 1], 0.0)
        inside = (level - under) / np.maximum(below[rows, cell] - under, 1e-12)
        found.append(GRID[cell] + half * (2 * np.clip(inside, 0, 1) - 1))
    return np.column_stack(found)
