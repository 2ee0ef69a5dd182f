"""Gamma priors of a product's rate before it has sold, from the rates of its group and shop (empirical Bayes).

In:  units sold and effective time on sale (n,), groups, who was launched while the shop was watched.
Out: a gamma's shape and rate per series. A launch is believed to be like earlier launches, which
sell unlike what has long been there.
Source: Robbins (1956), "An empirical Bayes approach to statistics"; moments of the gamma-Poisson.
"""

from typing import Final

import numpy as np

LEAST_MEMBERS: Final = 5
"""Series below which a group, or launches, have no prior of their own."""

GROUP_SHRINK: Final = 20.0
"""Pseudo-count, in series, of the whole shop's prior beside a group's own."""

UNKNOWN: Final = (0.5, 0.5)
"""(shape, rate) where nothing has been on sale."""


def launch_priors(
    sold: np.ndarray,
    time: np.ndarray,
    young: tuple[np.ndarray, np.ndarray],
    groups: np.ndarray,
    is_launch: np.ndarray,
) -> np.ndarray:
    """Gamma (shape, rate) per series (n, 2), launches apart from what was always there.

    Parameters
    ----------
    sold, time : array (n,), of the whole history
    young : (sold, time), each (n,), of the first weeks of each series
    is_launch : array (n,) of bool
    """
    prior = group_priors(sold, time, groups)
    young_sold, young_time = young
    shown = is_launch & (young_time > 0)
    if shown.sum() < LEAST_MEMBERS or (~is_launch).sum() < LEAST_MEMBERS:
        return prior
    settled = ~is_launch
    prior[settled] = group_priors(sold[settled], time[settled], groups[settled])
    launched = group_priors(young_sold[is_launch], young_time[is_launch], groups[is_launch])
    share = shown.sum() / (shown.sum() + GROUP_SHRINK)
    prior[is_launch] = share * launched + (1 - share) * prior[is_launch]
    return prior


def group_priors(sold: np.ndarray, time: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Gamma (shape, rate) per series (n, 2), by moments over its group, shrunk to the whole shop's."""
    known = time > 0
    rate = np.where(known, sold / np.maximum(time, 1e-9), 0.0)
    whole = _gamma_moments(rate[known], time[known])
    count = int(groups.max()) + 1 if len(groups) else 0
    prior = np.tile(whole, (len(sold), 1))
    order = np.argsort(groups, kind="stable")
    edges = np.searchsorted(groups[order], np.arange(count + 1))
    for group in range(count):
        rows = order[edges[group] : edges[group + 1]]
        members = rows[known[rows]]
        if len(members) >= LEAST_MEMBERS:
            own = _gamma_moments(rate[members], time[members])
            share = len(members) / (len(members) + GROUP_SHRINK)
            prior[rows] = share * own + (1 - share) * whole
    return prior


def _gamma_moments(rate: np.ndarray, time: np.ndarray) -> np.ndarray:
    """(shape, rate) of the gamma whose mean and variance the series' rates have, counting noise taken off."""
    if not len(rate):
        return np.array(UNKNOWN)
    mean = max(float(rate.mean()), 1e-4)
    # Var of an observed rate = variance between series + rate / exposure (Poisson).
    noise = float((rate / time).mean())
    variance = max(float(rate.var()) - noise, 0.05 * mean**2)
    # Gamma moments: mean = a / b, variance = a / b^2.
    shape = float(np.clip(mean**2 / variance, 0.1, 10.0))
    return np.array([shape, shape / mean])
