"""Tail forecasts: scaled pinball loss of four-period totals, ours against what a shop would else use.

For each set: rolling origins; loss at .5/.8/.9/.95/.99 over the naive scale of each series. A ratio
below 1 is better than the best peer of that set.
"""

import numpy as np

from bench.lib.data import FORECAST_SETS, NoDataError
from bench.lib.forecasts import judged
from bench.lib.report import Target, arguments, finish
from bench.lib.rolling import period_panel, sample
from bench.lib.scores import pinball


def losses(name: str, folder, most: int, seed: int) -> dict[str, float]:
    """Mean scaled pinball loss by method on a set."""
    data = sample(FORECAST_SETS[name](folder), most, seed)
    found: dict[str, list[np.ndarray]] = {}
    for origin in judged(data, period_panel(data), with_peers=True):
        for method, quantiles in origin.quantiles.items():
            scaled = pinball(origin.actual, quantiles) / origin.scale[:, None]
            found.setdefault(method, []).append(scaled)
    return {method: float(np.concatenate(each).mean()) for method, each in found.items()}


def main() -> int:
    options = arguments(
        "Tail forecasts against peers",
        series=(int, 1_000, "series drawn of each set"),
        sets=(str, ",".join(FORECAST_SETS), "which sets"),
    )
    table: dict[str, dict[str, float]] = {}
    for name in options.sets.split(","):
        try:
            table[name] = losses(name, options.data, options.series, options.seed)
        except NoDataError as error:
            print(f"{name}: left out, {error}")
            continue
        row = " ".join(f"{method} {loss:.4f}" for method, loss in table[name].items())
        print(f"{name:18s} {row}", flush=True)
    if not table:
        raise SystemExit("no set to measure on")
    to_best, to_rule = [], []
    for name, row in table.items():
        rivals = {method: loss for method, loss in row.items() if method != "keel"}
        best = min(rivals, key=lambda method: rivals[method])
        to_best.append(row["keel"] / rivals[best])
        to_rule.append(row["keel"] / rivals["moving average"])
        print(f"{name:18s} {to_best[-1]:.3f} of {best}, {to_rule[-1]:.3f} of the rivals' rule")
    return finish(
        "scaled pinball loss, ratio to the best peer of each set",
        [
            Target("geometric mean", float(np.exp(np.mean(np.log(to_best)))), high=0.90),
            Target("worst set", max(to_best), high=1.0),
            Target(
                "against moving average and z", float(np.exp(np.mean(np.log(to_rule)))), high=0.75
            ),
        ],
        sets={name: round(ratio, 4) for name, ratio in zip(table, to_best, strict=True)},
        seed=options.seed,
        series=options.series,
    )


if __name__ == "__main__":
    raise SystemExit(main())
