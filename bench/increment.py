"""What closing one week costs a variant, from kept states, against a full refit; and what it gives away.

Cost: shops of several sizes, each in a process of its own, in batches as a worker does; a close reads
the states from bytes, moves them a week on, forecasts and writes them back. Loss: real sets, one fit,
then a week after the other closed without a new one, beside a refit at each of the same weeks.
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bench.lib.data import FORECAST_SETS, NoDataError
from bench.lib.report import Target, arguments, finish
from bench.lib.rolling import period_panel, sample
from bench.lib.scores import LEVELS, naive_scale, pinball
from bench.scale import shop
from shopify_app.advice.demand import BATCH
from shopify_app.analytics import demand
from shopify_app.analytics.demand import DemandFit, DemandForecast
from shopify_app.analytics.demand import state as demand_state
from shopify_app.analytics.demand.learned import DemandStates, LearnedDemand
from shopify_app.analytics.panel import Panel, as_panel

HORIZON: Final = 4
CLOSES: Final = 8
TIMES: Final = 3
"""Closes timed of each batch; the quickest counts."""


def close_cost(n: int, seed: int) -> dict[str, float]:
    """Microseconds a variant of a close (with and without bytes) and of a refit, bytes a variant, peak MB."""
    rng = np.random.default_rng(seed)
    spent = dict.fromkeys(("close", "bytes", "refit"), 0.0)
    row_bytes = 0
    for number, begin in enumerate(range(0, n, BATCH)):
        size = min(BATCH, n - begin)
        history = shop(size, seed + number)
        before = time.process_time()
        fit = _fit(as_panel(history, period="W"))
        spent["refit"] += time.process_time() - before
        learned, rows = demand_state.learned_of(fit), demand_state.states_of(fit).to_rows()
        ids, units = fit.past.ids, rng.poisson(1.0, size).astype(float)
        del fit, history
        whole, bare = _timed_closes(learned, ids, rows, units)
        spent["close"] += whole
        spent["bytes"] += whole - bare
        row_bytes = len(rows[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    each = {name: 1e6 * seconds / n for name, seconds in spent.items()}
    return {**each, "row": row_bytes, "mb": peak / (1024 if sys.platform == "linux" else 1024**2)}


def _timed_closes(
    learned: LearnedDemand, ids: np.ndarray, rows: list[bytes], units: np.ndarray
) -> tuple[float, float]:
    """CPU seconds of the quickest close, with its bytes and without."""
    whole, bare = [], []
    for _ in range(TIMES):
        begun = time.process_time()
        states = DemandStates.from_rows(ids, rows, learned)
        read = time.process_time()
        states, _ = demand_state.close_period(
            learned, states, units, np.ones(len(units)), horizon=HORIZON
        )
        moved = time.process_time()
        states.to_rows()
        whole.append(time.process_time() - begun)
        bare.append(moved - read)
    return min(whole), min(bare)


def _fit(panel: Panel) -> DemandFit:
    return demand.fit(demand.past_of(panel, "W", HORIZON), horizon=HORIZON)


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a forecast without a refit is from one with, over the next four weeks."""

    mean: float
    total: float
    quantiles: float
    kept_loss: float
    refit_loss: float


def gaps(name: str, folder, most: int, seed: int) -> list[Gap]:
    """The gap after each close on a set."""
    panel = period_panel(sample(FORECAST_SETS[name](folder), most, seed))
    first = panel.units.shape[1] - HORIZON - CLOSES
    sold = np.flatnonzero(panel.units[:, :first].sum(axis=1) > 0)
    panel = panel.of(sold)
    fit = _fit(_until(panel, first))
    learned, states = demand_state.learned_of(fit), demand_state.states_of(fit)
    found: list[Gap] = []
    for known in range(first + 1, first + CLOSES + 1):
        week = known - 1
        states, kept = demand_state.close_period(
            learned, states, panel.units[:, week], panel.exposure[:, week], horizon=HORIZON
        )
        found.append(_gap(panel, known, kept, _fit(_until(panel, known)).forecast))
    return found


def _until(panel: Panel, known: int) -> Panel:
    promoted = None if panel.promoted is None else panel.promoted[:, :known]
    return replace(
        panel,
        periods=panel.periods[:known],
        units=panel.units[:, :known],
        exposure=panel.exposure[:, :known],
        promoted=promoted,
    )


def _gap(panel: Panel, known: int, kept: DemandForecast, refit: DemandForecast) -> Gap:
    ours, theirs = kept.total()[0], refit.total()[0]
    quantiles = kept.quantile(LEVELS), refit.quantile(LEVELS)
    coming = slice(known, known + HORIZON)
    scale = naive_scale(panel.units[:, :known], panel.exposure[:, :known]) * HORIZON
    judged = np.isfinite(scale) & (panel.exposure[:, coming].min(axis=1) > 0.99)
    actual = panel.units[:, coming].sum(axis=1)
    losses = [float((pinball(actual, one) / scale[:, None])[judged].mean()) for one in quantiles]
    return Gap(
        float(np.median(np.abs(ours - theirs) / (theirs + 0.1))),
        float(abs(ours.sum() / theirs.sum() - 1)),
        float(np.abs(quantiles[0] - quantiles[1]).sum() / quantiles[1].sum()),
        *losses,
    )


def main() -> int:
    options = arguments(
        "Cost and loss of closing a week without a refit",
        sizes=(str, "1000,10000,50000,100000,200000", "variants"),
        series=(int, 1_000, "series drawn of each set"),
        sets=(str, "retail_units,vn2,vn1,m5_part", "which weekly sets"),
        one=(int, 0, "measure one size in this process"),
    )
    if options.one:
        print(json.dumps(close_cost(options.one, options.seed)))
        return 0
    costs = _costs([int(size) for size in options.sizes.split(",")], options.seed)
    found: dict[str, list[Gap]] = {}
    print(
        f"\n{'set':16s}{'closes':>7s}{'mean':>8s}{'total':>8s}{'quant.':>8s}{'loss / refit':>14s}"
    )
    for name in options.sets.split(","):
        try:
            found[name] = gaps(name, options.data, options.series, options.seed)
        except NoDataError as error:
            print(f"{name}: left out, {error}")
            continue
        for number, gap in enumerate(found[name], 1):
            figures = f"{gap.mean:8.3f}{gap.total:8.3f}{gap.quantiles:8.3f}"
            print(f"{name:16s}{number:7d}{figures}{gap.kept_loss / gap.refit_loss:14.4f}")
    every = [gap for each in found.values() for gap in each]
    if not every:
        raise SystemExit("no set to measure on")
    loss = [[gap.kept_loss / gap.refit_loss for gap in each] for each in found.values()]
    return finish(
        "closing a week from kept states",
        [
            Target("us a variant, worst size", max(one["close"] for one in costs.values()), high=5),
            Target("peak MB of a process", max(one["mb"] for one in costs.values()), high=400),
            Target(
                "loss after 1 close, of a refit's", float(np.mean([o[0] for o in loss])), high=1.01
            ),
            Target("loss over 8 closes, of a refit's", float(np.mean(loss)), high=1.02),
        ],
        bytes_a_variant=max(one["row"] for one in costs.values()),
        times_cheaper_than_refit=round(min(o["refit"] / o["close"] for o in costs.values()), 1),
        median_gap_of_mean=round(float(np.median([gap.mean for gap in every])), 4),
        gap_of_quantiles=round(float(np.mean([gap.quantiles for gap in every])), 4),
        seed=options.seed,
        series=options.series,
    )


def _costs(sizes: list[int], seed: int) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    print(
        f"{'variants':>10s}{'close us':>10s}{'of it bytes':>13s}{'refit us':>10s}{'peak MB':>10s}"
    )
    for size in sizes:
        command = [sys.executable, "-m", "bench.increment", "--one", str(size), "--seed", str(seed)]
        said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- ourselves
        one = found[size] = json.loads(said.stdout.splitlines()[-1])
        print(
            f"{size:10d}{one['close']:10.2f}{one['bytes']:13.2f}{one['refit']:10.1f}{one['mb']:10.0f}",
            flush=True,
        )
    return found


if __name__ == "__main__":
    raise SystemExit(main())
