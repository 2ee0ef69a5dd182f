"""What a full refit costs: CPU and memory of a shop's forecast, by its size, against a library's model.

Each size runs in a process of its own (so that its memory is its own), in batches as a worker does;
the peer, statsforecast's DynamicOptimizedTheta, runs on a part of the same series in this command. Every batch is
fitted for itself; the app learns from one batch and follows the others by it, which is timed beside it.
"""

import json
import resource
import subprocess
import sys
import time
from typing import Final

import numpy as np
import pandas as pd

from bench.lib.report import Target, arguments, finish
from shopify_app.advice.demand import BATCH as LEARNED_FROM
from shopify_app.analytics import demand
from shopify_app.analytics.demand import forecast_demand
from shopify_app.analytics.demand import state as demand_state
from shopify_app.analytics.panel import as_panel

WEEKS: Final = 104
BATCH: Final = 20_000
PEER_SERIES: Final = 200
HORIZON: Final = 4


def shop(n: int, seed: int) -> pd.DataFrame:
    """A made-up shop's weekly sales; weeks without a sale have no row but the first and the last."""
    rng = np.random.default_rng(seed)
    rate = rng.lognormal(-0.7, 1.2, n)
    units = rng.poisson(rng.gamma(2, rate[:, None] / 2, (n, WEEKS))).astype(np.float32)
    keep = units > 0
    keep[:, [0, -1]] = True
    series, week = np.nonzero(keep)
    start = np.datetime64("2024-01-01", "s") + week * np.timedelta64(7, "D")
    return pd.DataFrame({"series_id": series, "period": start, "units": units[series, week]})


def refit(n: int, seed: int) -> dict[str, float]:
    """CPU seconds and peak memory of forecasting a shop, making the shop not counted as time."""
    spent = 0.0
    for number, begin in enumerate(range(0, n, BATCH)):
        history = shop(min(BATCH, n - begin), seed + number)
        before = time.process_time()
        forecast_demand(history, horizon=HORIZON).quantile([0.5, 0.9, 0.95])
        spent += time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu": spent, "mb": peak / (1024 if sys.platform == "linux" else 1024**2)}


def as_the_app(n: int, seed: int) -> float:
    """CPU seconds of a refit as the app does it: some are learned from, the others followed by what was learned."""
    spent = 0.0
    learned = None
    for number, begin in enumerate(range(0, n, LEARNED_FROM)):
        history = shop(min(LEARNED_FROM, n - begin), seed + number)
        before = time.process_time()
        panel = as_panel(history, period="W")
        if learned is None:
            fit = demand.fit(demand.past_of(panel, "W", HORIZON), horizon=HORIZON)
            learned, found = demand_state.learned_of(fit), fit.forecast
            demand_state.states_of(fit)
        else:
            _, found = demand_state.follow_history(learned, panel, horizon=HORIZON, closes=0)
        found.quantile([0.5, 0.9, 0.95])
        spent += time.process_time() - before
    return spent


def peer(seed: int) -> float:
    """CPU seconds a series of the library's model, the middle one of three times."""
    from statsforecast.models import DynamicOptimizedTheta  # noqa: PLC0415 -- slow to import, only here

    panel = shop(PEER_SERIES, seed).pivot_table("units", "series_id", "period", fill_value=0)
    model = DynamicOptimizedTheta(season_length=1)
    spent: list[float] = []
    for _ in range(3):
        before = time.process_time()
        for row in panel.to_numpy(float):
            model.forecast(row, h=HORIZON, level=[80, 90])
        spent.append((time.process_time() - before) / PEER_SERIES)
    return sorted(spent)[1]


def main() -> int:
    options = arguments(
        "Cost of a full refit",
        sizes=(str, "1000,10000,50000,100000,200000", "series"),
        one=(int, 0, "measure one size in this process"),
    )
    if options.one:
        print(json.dumps(refit(options.one, options.seed)))
        return 0
    sizes = [int(size) for size in options.sizes.split(",")]
    found = {}
    print(f"{'series':>10s}{'CPU s':>10s}{'us each':>10s}{'peak MB':>10s}")
    for size in sizes:
        command = [sys.executable, "-m", "bench.scale", "--one", str(size)]
        said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- ourselves
        found[size] = json.loads(said.stdout.splitlines()[-1])
        cpu, memory = found[size]["cpu"], found[size]["mb"]
        print(f"{size:10d}{cpu:10.1f}{1e6 * cpu / size:10.1f}{memory:10.0f}", flush=True)
    grown = np.polyfit(np.log(sizes), np.log([found[size]["cpu"] for size in sizes]), 1)[0]
    hundred = min(sizes, key=lambda size: abs(size - 100_000))
    ours = found[hundred]["cpu"] / hundred
    theirs = peer(options.seed)
    print(
        f"statsforecast DynamicOptimizedTheta: {1e6 * theirs:.0f} us each, {theirs / ours:.1f} x ours"
    )
    apps = as_the_app(hundred, options.seed) / hundred
    print(f"{hundred:,} as the app refits them: {1e6 * apps:.0f} us each")
    return finish(
        "cost of a full refit",
        [
            Target("CPU s for 100,000 x 104 weeks", ours * 100_000, high=60),
            Target("peak MB of a process", max(one["mb"] for one in found.values()), high=400),
            Target("growth exponent", float(grown), high=1.05),
            Target("times faster than the peer", theirs / ours, low=20),
            Target("the same, as the app refits", theirs / apps, low=20),
        ],
        seed=options.seed,
    )


if __name__ == "__main__":
    raise SystemExit(main())
