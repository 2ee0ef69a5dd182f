"""Launches: the first 20 weeks of products that appear while the shop is watched.

Loss of four-week totals against the moving average of the weeks seen, and bias of the mean while
0, 1 and 2 weeks are known (at 0 the shop knows the product, and nothing of its sales).
"""

import numpy as np
import pandas as pd

from bench.lib import peers
from bench.lib.data import DataSet, NoDataError, retail_orders, vn1
from bench.lib.report import Target, arguments, finish
from bench.lib.rolling import HORIZON, known_history, period_panel
from bench.lib.scores import LEVELS, naive_scale, pinball
from shopify_app.analytics.demand import forecast_demand
from shopify_app.analytics.panel import Panel

OLDEST_WEEKS = 20
WATCHED_WEEKS = 8
"""Products that sold in the first weeks of a set may be older than it."""


def at_origin(data: DataSet, panel: Panel, born: np.ndarray, known: int) -> list[dict[str, float]]:
    """One row a launch: its age, what came, what was expected, the losses of both."""
    age = known - born
    rows = np.flatnonzero((age >= 0) & (age < OLDEST_WEEKS) & (born >= WATCHED_WEEKS))
    if not len(rows):
        return []
    forecast = forecast_demand(_told(data, panel, born, known), horizon=HORIZON)
    place = {series: number for number, series in enumerate(forecast.series_ids)}
    at = np.array([place[series] for series in panel.series_ids[rows]])
    actual = panel.units[rows, known : known + HORIZON].sum(axis=1)
    scale = naive_scale(panel.units[rows], panel.exposure[rows]) * HORIZON
    ours = pinball(actual, forecast.quantile(LEVELS)[at]).mean(axis=1) / scale
    rule = peers.moving_average(
        panel.units[rows, :known], panel.exposure[rows, :known], HORIZON, LEVELS
    )
    theirs = pinball(actual, rule).mean(axis=1) / scale
    mean = forecast.mean.sum(axis=1)[at]
    return [
        {"age": a, "actual": y, "mean": m, "keel": o, "rule": t}
        for a, y, m, o, t in zip(age[rows], actual, mean, ours, theirs, strict=True)
    ]


def _told(data: DataSet, panel: Panel, born: np.ndarray, known: int) -> pd.DataFrame:
    """What is known: the past, and of products about to be launched only that they exist."""
    history = known_history(data, panel, known).assign(in_stock=1.0)
    ids = panel.series_ids[born == known]
    new = data.history[data.history["series_id"].isin(ids)].drop_duplicates("series_id")
    last = pd.Timestamp(panel.periods[known - 1])
    return pd.concat([history, new.assign(period=last, units=0.0, in_stock=0.0)], ignore_index=True)


def main() -> int:
    options = arguments("Launches against the moving average")
    ratios, biases = [], []
    for reader in (retail_orders, vn1):
        try:
            data = reader(options.data)
        except NoDataError as error:
            print(f"left out: {error}")
            continue
        panel = period_panel(data)
        born = np.argmax(panel.units > 0, axis=1)
        length = panel.units.shape[1]
        every = range(WATCHED_WEEKS + 4, length - HORIZON + 1, 2)
        found = pd.DataFrame(
            [row for known in every for row in at_origin(data, panel, born, known)]
        )
        seen = found[(found["age"] > 0) & np.isfinite(found["keel"])]
        ratios.append(seen["keel"].mean() / seen["rule"].mean())
        print(f"{data.name}: {len(seen)} windows, loss ratio {ratios[-1]:.3f}")
        for age in (0, 1, 2, 4, 8):
            rows = found[found["age"] == age]
            bias = rows["mean"].sum() / max(rows["actual"].sum(), 1e-9) - 1
            print(f"  {age} weeks known: {len(rows):5d} launches, bias {bias:+.1%}")
            if age <= 2:
                biases.append(abs(bias))
    return finish(
        "launches",
        [
            Target("loss ratio to the moving average", float(np.mean(ratios)), high=0.55),
            Target("largest bias in weeks 0-2", max(biases), high=0.10),
        ],
        seed=options.seed,
    )


if __name__ == "__main__":
    raise SystemExit(main())
