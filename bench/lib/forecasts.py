"""Ours and the peers' quantiles of the coming total, at every rolling origin of a set."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.lib import peers
from bench.lib.data import DataSet
from bench.lib.rolling import HORIZON, Origin, known_history, origins
from bench.lib.scores import LEVELS
from shopify_app.analytics.demand import forecast_demand
from shopify_app.analytics.panel import Panel

SEASON = {"W": 52, "M": 12}


@dataclass(frozen=True, slots=True)
class Judged:
    """One origin: quantiles (n, k) by method, the totals that came and their scales (n,), rates before."""

    quantiles: dict[str, np.ndarray]
    actual: np.ndarray
    scale: np.ndarray
    rate: np.ndarray


def judged(data: DataSet, panel: Panel, *, with_peers: bool) -> Iterator[Judged]:
    """Every judged origin of a set, oldest first."""
    bands = {name: peers.Band() for name in peers.LIBRARY}
    for origin in origins(panel):
        found = _peers(data, panel, origin, bands) if with_peers else {}
        if origin.is_judged:
            found["keel"] = ours(data, panel, origin)
            past = panel.units[origin.rows, : origin.known]
            time = (panel.exposure[origin.rows, : origin.known] > 0).sum(axis=1)
            rate = past.sum(axis=1) / np.maximum(time, 1)
            yield Judged(found, origin.actual, origin.scale, rate)


def ours(data: DataSet, panel: Panel, origin: Origin) -> np.ndarray:
    """What `forecast_demand` says at an origin (n, k)."""
    history = known_history(data, panel, origin.known)
    forecast = forecast_demand(history, horizon=HORIZON, period=data.period)
    row = {series: number for number, series in enumerate(forecast.series_ids)}
    rows = np.array([row[series] for series in panel.series_ids[origin.rows]], int)
    return forecast.quantile(LEVELS)[rows]


def _peers(
    data: DataSet, panel: Panel, origin: Origin, bands: dict[str, peers.Band]
) -> dict[str, np.ndarray]:
    units = panel.units[origin.rows, : origin.known]
    exposure = panel.exposure[origin.rows, : origin.known]
    found: dict[str, np.ndarray] = {}
    if origin.is_judged:
        found["moving average"] = peers.moving_average(units, exposure, HORIZON, LEVELS)
        found["windows"] = peers.empirical_windows(units, exposure, HORIZON, LEVELS)
    for name, band in bands.items():
        total = peers.library_totals(name, units, exposure, HORIZON, SEASON[data.period])
        if origin.is_judged:
            found[name] = band.quantiles(total, HORIZON, LEVELS)
        band.learn(origin.actual, total, HORIZON)
    return found
