"""How often ranges hold, by class of demand: P(D < q) <= level <= P(D <= q) at every level.

The slack is by how much that fails; counts are discrete, so a calibrated range brackets its level.
Beside it, the same for the rivals' rule.
"""

import numpy as np

from bench.lib import peers
from bench.lib.data import FORECAST_SETS, NoDataError
from bench.lib.forecasts import judged
from bench.lib.report import Target, arguments, finish
from bench.lib.rolling import HORIZON, origins, period_panel, sample
from bench.lib.scores import LEVELS, slack

CLASSES = (0.1, 0.5, 2.0, 10.0)
NAMES = ("<0.1", "0.1-0.5", "0.5-2", "2-10", ">10")


def main() -> int:
    options = arguments(
        "Calibration by demand class", series=(int, 4_000, "series drawn of each set")
    )
    actual, ours, rule, rate = [], [], [], []
    for name, reader in FORECAST_SETS.items():
        try:
            data = sample(reader(options.data), options.series, options.seed)
        except NoDataError as error:
            print(f"{name}: left out, {error}")
            continue
        panel = period_panel(data)
        known = [origin for origin in origins(panel) if origin.is_judged]
        each = list(judged(data, panel, with_peers=False))
        for origin, found in zip(known, each, strict=True):
            units = panel.units[origin.rows, : origin.known]
            exposure = panel.exposure[origin.rows, : origin.known]
            rule.append(peers.moving_average(units, exposure, HORIZON, LEVELS))
            actual.append(found.actual)
            ours.append(found.quantiles["keel"])
            rate.append(found.rate)
        own = slack(np.concatenate(actual[-len(each) :]), np.concatenate(ours[-len(each) :]))
        print(f"{name:18s} slack " + " ".join(f"{value:+.3f}" for value in own), flush=True)
    came, said, theirs = np.concatenate(actual), np.concatenate(ours), np.concatenate(rule)
    classes = np.digitize(np.concatenate(rate), CLASSES)
    print(f"\n{'units a period':16s}{'n':>8s}  " + "  ".join(f"{level:>11}" for level in LEVELS))
    worst, highest = 0.0, []
    for number, label in enumerate(NAMES):
        members = classes == number
        if members.sum() < 200:
            continue
        below = (came[members, None] < said[members]).mean(axis=0)
        within = (came[members, None] <= said[members]).mean(axis=0)
        row = "  ".join(f"{low:.3f}-{high:.3f}" for low, high in zip(below, within, strict=True))
        print(f"{label:16s}{members.sum():8d}  {row}")
        worst = max(worst, float(np.abs(slack(came[members], said[members])).max()))
        highest += [float(below[-1]), float(within[-1])]
    rivals = float(np.abs(slack(came, theirs)).max())
    return finish(
        "slack of ranges by class of demand",
        [
            Target("largest slack in a class", worst, high=0.02),
            Target("lowest share at .99", min(highest[1::2]), low=0.98),
            Target("highest share at .99", max(highest[::2]), high=0.997),
        ],
        rivals_rule_slack=round(rivals, 4),
        windows=len(came),
        seed=options.seed,
    )


if __name__ == "__main__":
    raise SystemExit(main())
