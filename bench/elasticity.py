"""`./run bench elasticity`: units foreseen at a price, and elasticity from a few weeks.

1. Out-of-sample log loss of weekly units given price, over the `HORIZON_WEEKS` after each of several origins. Most stores are
   learned from all their weeks before the origin ("later weeks"); of one store in three ("other stores"; where no
   store is named, of one series in three) only the last `NEW_WEEKS` are seen. Every method gives means; all get the
   same negative binomial, its dispersion fitted by class of rate on the `HORIZON_WEEKS` before the origin with the
   method learned before those.
2. Orange juice, chain level: elasticity from 16 and 26 weeks against ordinary least squares over all weeks.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from bench.lib import price_data
from bench.lib.report import Target, arguments, finish
from shopify_app.analytics.prices.elasticity import fit_price_response
from shopify_app.analytics.prices.prior import PRIOR_MEAN

ORIGIN_SHARES: Final = (0.55, 0.7, 0.85)
HORIZON_WEEKS: Final = 13
NEW_WEEKS: Final = 8
CLASSES: Final = (2.0, 10.0, 50.0, 250.0)
LITERATURE: Final = float(PRIOR_MEAN[0])
OWN: Final = "ours, own dispersion"
Method = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]


def ours(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """`fit_price_response(...).expected_units`."""
    return fit_price_response(train).expected_units(test)


def _with_slopes(train: pd.DataFrame, test: pd.DataFrame, slopes: pd.Series) -> np.ndarray:
    """Means at given slopes, the level of each series such that its training sum is met."""
    slope = train["series_id"].map(slopes).to_numpy(float)
    pull = pd.Series(train["price"].to_numpy() ** slope, index=train.index)
    by = train["series_id"]
    level = (train["units"].groupby(by).sum() + 0.1) / pull.groupby(by).sum()
    ids = test["series_id"]
    return ids.map(level).to_numpy(float) * test["price"].to_numpy() ** ids.map(slopes).to_numpy(
        float
    )


def _constant(value: float) -> Method:
    def method(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
        return _with_slopes(train, test, pd.Series(value, index=train["series_id"].unique()))

    return method


def _logs(train: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Log price and log units (plus a half) around their series' means, and x'x by series."""
    by = train["series_id"]
    x, y = np.log(train["price"]), np.log(train["units"] + 0.5)
    x, y = x - x.groupby(by).transform("mean"), y - y.groupby(by).transform("mean")
    return x, y, (x**2).groupby(by).sum()


def own_regression(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Log-log least squares, each series alone (where its price never moved: no effect)."""
    x, y, squares = _logs(train)
    cross = (x * y).groupby(train["series_id"]).sum()
    return _with_slopes(
        train, test, (cross / squares.where(squares > 1e-4)).fillna(0.0).clip(-15, 15)
    )


def pooled_regression(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Log-log least squares, own levels, one slope for all."""
    x, y, squares = _logs(train)
    slope = float((x * y).sum() / max(squares.sum(), 1e-9))
    return _with_slopes(train, test, pd.Series(slope, index=train["series_id"].unique()))


METHODS: Final[dict[str, Method]] = {
    "ours": ours,
    "no price effect": _constant(0.0),
    "own regression": own_regression,
    "pooled regression": pooled_regression,
    "prior alone": _constant(LITERATURE),
}


def log_loss(units: np.ndarray, mean: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """-log of the negative binomial's probability of each row's units."""
    size = 1 / np.maximum(dispersion, 1e-6)
    mean = np.maximum(mean, 1e-6)
    return -(
        gammaln(units + size)
        - gammaln(size)
        - gammaln(units + 1)
        + size * np.log(size / (size + mean))
        + units * np.log(mean / (size + mean))
    )


def dispersions(units: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Most likely dispersion of each class of mean, (len(CLASSES) + 1,)."""
    number = np.digitize(mean, CLASSES)
    whole = _likeliest(units, mean)
    found = np.full(len(CLASSES) + 1, whole)
    for code in np.unique(number):
        rows = number == code
        if rows.sum() >= 50:
            found[code] = _likeliest(units[rows], mean[rows])
    return found


def _likeliest(units: np.ndarray, mean: np.ndarray) -> float:
    best = minimize_scalar(
        lambda logs: float(log_loss(units, mean, np.full(len(units), np.exp(logs))).sum()),
        bounds=(-6, 3),
        method="bounded",
    )
    return float(np.exp(best.x))


def split(
    panel: pd.DataFrame, first: int, until: int
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Weeks before number `first`, those from it to `until`, and whether a row of these is of another store."""
    weeks = np.sort(panel["period"].unique())
    key = "store" if "store" in panel else "series_id"
    others = np.sort(panel[key].unique())[::3]
    seen = ~panel[key].isin(others) | (panel["period"] >= weeks[first - NEW_WEEKS])
    train = panel[(panel["period"] < weeks[first]) & seen].reset_index(drop=True)
    last = weeks[min(until, len(weeks)) - 1]
    test = panel[(panel["period"] >= weeks[first]) & (panel["period"] <= last)]
    test = test[test["series_id"].isin(train["series_id"].unique())].reset_index(drop=True)
    return train, test, test[key].isin(others).to_numpy()


def score_set(panel: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Log loss a row of every method: in later weeks, in other stores."""
    count = panel["period"].nunique()
    losses: dict[str, list[np.ndarray]] = {name: [] for name in (*METHODS, OWN)}
    others: list[np.ndarray] = []
    for share in ORIGIN_SHARES:
        first = int(share * count)
        early, late, late_other = split(panel, first - HORIZON_WEEKS, first)
        train, test, other = split(panel, first, first + HORIZON_WEEKS)
        units, others = test["units"].to_numpy(float), [*others, other]
        for name, method in METHODS.items():
            tried, mean = method(early, late), method(train, test)
            loss = np.zeros(len(test))
            for here, there in ((late_other, other), (~late_other, ~other)):
                spread = dispersions(late["units"].to_numpy(float)[here], tried[here])
                loss[there] = log_loss(
                    units[there], mean[there], spread[np.digitize(mean[there], CLASSES)]
                )
            losses[name].append(loss)
        losses[OWN].append(log_loss(units, *fit_price_response(train).predictive(test)))
    rows = np.concatenate(others)
    return {
        name: {
            "later weeks": float(np.concatenate(parts)[~rows].mean()),
            "other stores": float(np.concatenate(parts)[rows].mean()),
        }
        for name, parts in losses.items()
    }


def chain(panel: pd.DataFrame, window: int) -> dict[str, float]:
    """Errors of elasticity from every whole window of `window` weeks."""
    truth = _regressions(panel)
    weeks = np.sort(panel["period"].unique())
    errors, peers, covered = [], [], []
    for first in range(0, len(weeks) - window + 1, window):
        here = panel[panel["period"].isin(weeks[first : first + window])]
        table = fit_price_response(here).table.set_index("series_id").loc[truth.index]
        errors.append(table["elasticity"] - truth)
        peers.append(_regressions(here) - truth)
        covered.append(((table["low"] <= truth) & (truth <= table["high"])).mean())
    prior = LITERATURE - truth
    return {
        "windows": len(errors),
        "rmse": float(np.sqrt(np.mean(np.square(errors)))),
        "rmse_own_regression": float(np.sqrt(np.mean(np.square(peers)))),
        "rmse_prior": float(np.sqrt((prior**2).mean())),
        "cover": float(np.mean(covered)),
    }


def _regressions(panel: pd.DataFrame) -> pd.Series:
    x, y, squares = _logs(panel)
    return (x * y).groupby(panel["series_id"]).sum() / squares


def report(folder: Path, names: list[str]) -> tuple[dict[str, Any], list[Target]]:
    """All values, and the targets."""
    values: dict[str, Any] = {}
    targets: list[Target] = []
    for name in names:
        started = time.monotonic()
        scores = score_set(price_data.PRICE_SETS[name](folder))
        values[name] = scores
        print(f"\n{name} (log loss a row; {time.monotonic() - started:.0f} s)")
        print(f"{'':24}{'later weeks':>14}{'other stores':>14}")
        for method, parts in scores.items():
            print(f"{method:24}{parts['later weeks']:14.4f}{parts['other stores']:14.4f}")
        for part in ("later weeks", "other stores"):
            best = min(scores[method][part] for method in METHODS if method != "ours")
            gain = best - scores["ours"][part]
            targets.append(Target(f"{name}, {part}: gain on the best peer", gain, low=0.0))
    panel = price_data.orange_juice_chain(folder)
    for window, most in ((16, 1.05), (26, 1.00)):
        found = chain(panel, window)
        values[f"chain {window} weeks"] = found
        targets += [
            Target(f"chain {window} weeks: rmse", found["rmse"], high=most),
            Target(f"chain {window} weeks: cover", found["cover"], low=0.75),
        ]
        print(
            f"\norange juice chain, {window} weeks:",
            json.dumps({k: round(v, 3) for k, v in found.items()}),
        )
    return values, targets


def main() -> int:
    """Run the benchmark; 0 if every target is met."""
    chosen = arguments(__doc__ or "", sets=(list, list(price_data.PRICE_SETS), "which sets"))
    values, targets = report(chosen.data, chosen.sets)
    return finish("elasticity", targets, figures=values)


if __name__ == "__main__":
    raise SystemExit(main())
