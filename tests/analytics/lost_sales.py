"""Brute force: the true cost of every order, Poisson demand, lost sales."""

import numpy as np
from scipy import stats

STATES = 220


def cost_of_each_order(rate, on_hand, arriving, lead, review, holding, shortage, *, most):
    """Expected cost over periods lead + 1 .. lead + review of ordering 0, 1, ..., `most` units."""
    wanted = np.arange(STATES)
    chance = stats.poisson(rate).pmf(wanted)
    stock = np.zeros(STATES)
    stock[on_hand] = 1.0
    for period in range(lead):
        stock, _ = _after(_more(stock, int(arriving[period])), chance, wanted, 0.0, 0.0)
    costs = []
    for units in range(most + 1):
        state, cost = _more(stock, units + int(arriving[lead])), 0.0
        for _ in range(review):
            state, paid = _after(state, chance, wanted, holding, shortage)
            cost += paid
        costs.append(cost)
    return np.array(costs)


def _more(stock, units):
    return np.concatenate([np.zeros(units), stock])[:STATES]


def _after(stock, chance, wanted, holding, shortage):
    after, cost = np.zeros(STATES), 0.0
    for units in np.flatnonzero(stock > 1e-14):
        left = np.maximum(units - wanted, 0)
        short = np.maximum(wanted - units, 0)
        cost += stock[units] * (chance * (holding * left + shortage * short)).sum()
        np.add.at(after, left, stock[units] * chance)
    return after, cost
