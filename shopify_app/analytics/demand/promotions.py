"""Promotion lift and post-promotion dip: factors on demand, learned from all of a shop's promotions.

In:  units, effective exposure, share of each period on promotion (n, T).
Out: a factor per series and period: what demand was multiplied by; 1 where nothing was promoted.
Method: a Poisson regression with every series' own level taken out; two effects on the log (while it
lasts, in the period after), with a ridge penalty toward none (a Gaussian prior).
Source: van Heerde, Leeflang & Wittink (2000), "The estimation of pre- and postpromotion dips with
store-level scanner data", JMR 37, 383-395; McCullagh & Nelder, *Generalized Linear Models* (1989).
Weak: one lift for all products of a shop; a promotion nobody told of is a good week.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

USUAL_PERIODS: Final = 13
"""Newest periods whose promotions are expected to go on."""

EFFECT_SD: Final = (0.5, 0.2)
"""Prior standard deviations, over shops, of the log lift and of the log dip."""

AHEAD: Final = 4
"""Periods foreseen in the trial of a lift."""

LOOKED_BACK: Final = 8
"""Periods averaged for the level in that trial."""

JUDGED: Final = 26
"""Newest periods in which the trial is made."""

MUST_GAIN: Final = 0.01
"""Share of the squared error that a lift must take off in the trial."""

ITEM_DISPERSION: Final = 0.5
"""K of a single product's period, assumed for weighting only."""

STEPS: Final = 8
"""Newton steps at most."""

LARGEST: Final = 2.0
"""Bound on the absolute log effects."""

LEAST_WEEKS: Final = 30
"""Promoted series-periods below which nothing is learned."""


@dataclass(frozen=True, slots=True)
class Lift:
    """Log effects of a whole period on promotion, and of the period after one."""

    during: float
    after: float

    def factors(self, promoted: np.ndarray) -> np.ndarray:
        """Multiplier of demand in each period (n, T)."""
        return np.exp(np.tensordot(_columns(promoted), [self.during, self.after], axes=1))


NO_LIFT: Final = Lift(0.0, 0.0)
"""Effects of none, where nothing was promoted or taking it out would have foreseen nothing better."""


def promotion_lift(units: np.ndarray, exposure: np.ndarray, promoted: np.ndarray) -> Lift:
    """The shop's log lift and log dip, `NO_LIFT` where there is too little to learn from.

    Parameters
    ----------
    units, exposure, promoted : array (n, T)
        `exposure` counts what moves everybody; `promoted` is a share, 0..1.
    """
    rows = (promoted > 0).any(axis=1) & (promoted < 1).any(axis=1)
    seen = (promoted[rows] > 0.5) & (exposure[rows] > 0)
    if seen.sum() < LEAST_WEEKS:
        return NO_LIFT
    units, exposure = units[rows].astype(float), exposure[rows].astype(float)
    columns = _columns(promoted[rows])
    sold = units.sum(axis=1)
    weight = 1 / (1 + ITEM_DISPERSION * sold / np.maximum(exposure.sum(axis=1), 1e-9))
    effects = np.zeros(2)
    ridge = 1 / np.square(EFFECT_SD)
    for _ in range(STEPS):
        mean = exposure * np.exp(columns @ effects)
        # Each series' own level is profiled out: its expectations are scaled to sum to what it
        # sold.
        mean *= (sold / np.maximum(mean.sum(axis=1), 1e-9))[:, None]
        share = mean / np.maximum(sold, 1e-9)[:, None]
        # Hence columns are centred within each series (conditional Poisson, McCullagh & Nelder
        # 1989).
        centred = columns - np.einsum("nt,ntk->nk", share, columns)[:, None, :]
        slope = np.einsum("n,nt,ntk->k", weight, units - mean, columns) - ridge * effects
        curve = np.einsum("n,nt,ntk,ntl->kl", weight, mean, centred, centred, optimize=True)
        step = np.linalg.solve(curve + np.diag(ridge), slope)
        effects = np.clip(effects + np.clip(step, -0.5, 0.5), -LARGEST, LARGEST)
        if np.abs(step).max() < 1e-4:
            break
    return Lift(float(effects[0]), float(effects[1]))


def usual_factor(factors: np.ndarray, exposure: np.ndarray, known: int) -> np.ndarray:
    """Mean multiplier of the newest periods before a moment (n,)."""
    newest = slice(max(known - USUAL_PERIODS, 0), known)
    time = exposure[:, newest]
    total = time.sum(axis=1)
    lifted = (factors[:, newest] * time).sum(axis=1)
    return np.where(total > 0, lifted / np.maximum(total, 1e-9), 1.0)


def earns_its_place(units: np.ndarray, exposure: np.ndarray, factors: np.ndarray) -> bool:
    """True if taking promotions out would have foreseen the coming totals better.

    Where promotions are written down only beside a sale, a lift is found that is none; it fails here.
    """
    length = units.shape[1]
    with_lift = without = 0.0
    flat = np.ones((1, 1))
    for known in range(length - AHEAD, max(length - AHEAD - JUDGED, LOOKED_BACK), -2):
        came = units[:, known : known + AHEAD].sum(axis=1)
        time = exposure[:, known : known + AHEAD].sum(axis=1)
        usual = usual_factor(factors, exposure, known)
        plain = _level(units, exposure, flat, known) * time
        lifted = _level(units, exposure, factors, known) * time * usual
        noise = 1 + plain + ITEM_DISPERSION * plain**2
        without += float(((came - plain) ** 2 / noise).sum())
        with_lift += float(((came - lifted) ** 2 / noise).sum())
    return with_lift < (1 - MUST_GAIN) * without


def _level(units: np.ndarray, exposure: np.ndarray, factors: np.ndarray, known: int) -> np.ndarray:
    """Units a period of effective exposure over the newest periods before a moment (n,)."""
    newest = slice(known - LOOKED_BACK, known)
    time = (exposure[:, newest] * (factors if factors.shape[1] == 1 else factors[:, newest])).sum(
        axis=1
    )
    return units[:, newest].sum(axis=1) / np.maximum(time, 0.5)


def _columns(promoted: np.ndarray) -> np.ndarray:
    """Design (n, T, 2): share on promotion; share just after one and not in one."""
    before = np.zeros_like(promoted)
    before[:, 1:] = promoted[:, :-1]
    return np.stack([promoted, before * (1 - promoted)], axis=2).astype(float)
