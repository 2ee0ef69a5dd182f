"""What is believed of a product's rate before it has sold: the rates of its group, and of its shop.

In:  units sold and effective time on sale (n,), groups. Out: a gamma's shape and rate per series.
Source: Robbins (1956), "An empirical Bayes approach to statistics"; moments of the gamma-Poisson.
"""

from typing import Final

import numpy as np

LEAST_MEMBERS: Final = 5
GROUP_SHRINK: Final = 20.0
"""Members that a group needs for its own rates to count as much as the whole shop's."""

UNKNOWN: Final = (0.5, 0.5)


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
    """Shape and rate of a gamma that the series' rates could be draws of."""
    if not len(rate):
        return np.array(UNKNOWN)
    mean = max(float(rate.mean()), 1e-4)
    noise = float((rate / time).mean())
    variance = max(float(rate.var()) - noise, 0.05 * mean**2)
    shape = float(np.clip(mean**2 / variance, 0.1, 10.0))
    return np.array([shape, shape / mean])
