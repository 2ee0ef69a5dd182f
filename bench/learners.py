"""Our small trees against LightGBM's and scikit-learn's in their role: the part that the regression leaves.

Each learner takes the place of `grow`, in a process of its own: same features, rows, expectation as
offset, weights, number of trees, depth, learning rate and pull. LightGBM has an offset; scikit-learn
has none and learns the ratio weighted by the expectation, which is the same likelihood. Told: loss on
the real sets, loss of weeks closed from kept states, CPU and memory of a refit, size of what is kept,
whether the same input gives the same bytes, whether a row is answered alone as among many.
"""

import importlib.metadata
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench import increment, scale
from bench.lib.data import FORECAST_SETS, NoDataError
from bench.lib.forecasts import judged
from bench.lib.report import Target, arguments, finish
from bench.lib.rolling import period_panel, sample
from bench.lib.scores import pinball
from shopify_app.analytics import (
    boosted_trees,
    demand,
    demand_learned,
    demand_state,
    pattern_correction,
)
from shopify_app.analytics.panel import as_panel

PACKAGES: Final = {
    "ours": (),
    "lightgbm": ("lightgbm",),
    "lightgbm, 31 leaves": ("lightgbm",),
    "scikit-learn": ("scikit-learn", "joblib", "threadpoolctl"),
}
"""What each learner brings that is not installed already."""

INCREMENT_SETS: Final = ("retail_units", "vn2", "vn1", "m5_part")
ALONE: Final = 200


@dataclass(frozen=True, slots=True)
class Foreign:
    """A library's model in the place of `Trees`: kept as bytes in the first array."""

    features: np.ndarray
    cuts: np.ndarray
    leaves: np.ndarray

    @classmethod
    def of(cls, model: Any) -> "Foreign":
        """A model to be kept."""
        kept = np.frombuffer(pickle.dumps(model), np.uint8)
        return cls(kept, np.zeros(0), np.zeros(0))

    def effect(self, features: np.ndarray) -> np.ndarray:
        """Log factors (...,) of features (..., k)."""
        if not self.features.size:
            return np.zeros(features.shape[:-1], np.float32)
        rows = features.reshape(-1, features.shape[-1])
        model = pickle.loads(self.features.tobytes())  # noqa: S301 -- ours, of a moment ago
        return raw(model, rows).astype(np.float32).reshape(features.shape[:-1])


def raw(model: Any, rows: np.ndarray) -> np.ndarray:
    """Log factors (rows,) of a library's model."""
    if hasattr(model, "num_trees"):
        return model.predict(rows, raw_score=True, num_threads=1)
    return np.log(model.predict(rows))


def drawn(rng: np.random.Generator, rows: int) -> Any:
    """The rows that are learned from, as ours draws them."""
    if rows <= boosted_trees.MOST_ROWS:
        return slice(None)
    return rng.choice(rows, boosted_trees.MOST_ROWS, replace=False)


def lightgbm_trees(leaves: int) -> Callable[..., Foreign]:
    """A `grow` by LightGBM."""
    import lightgbm  # noqa: PLC0415 -- only in the process that measures it

    def grow(features, expected, actual, weight, dispersion, rng) -> Foreign:
        kept = drawn(rng, len(features))
        data = lightgbm.Dataset(
            features[kept],
            actual[kept],
            weight=(weight / (1 + dispersion * expected))[kept],
            init_score=np.log(expected[kept]),
            params={"max_bin": boosted_trees.BINS, "verbosity": -1},
        )
        settings = {
            "objective": "poisson",
            "poisson_max_delta_step": 1e-6,
            "boost_from_average": False,
            "learning_rate": boosted_trees.LEARNING_RATE,
            "num_leaves": leaves,
            "max_depth": boosted_trees.DEPTH if leaves == 1 << boosted_trees.DEPTH else -1,
            "lambda_l2": boosted_trees.LEAF_PSEUDO_COUNT,
            "min_sum_hessian_in_leaf": boosted_trees.LEAST_CASES,
            "feature_fraction_bynode": boosted_trees.COLUMNS_ASKED,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "seed": int(rng.integers(1 << 30)),
            "verbosity": -1,
        }
        return Foreign.of(lightgbm.train(settings, data, boosted_trees.COUNT))

    return grow


def scikit_trees() -> Callable[..., Foreign]:
    """A `grow` by scikit-learn."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 -- as above

    def grow(features, expected, actual, weight, dispersion, rng) -> Foreign:
        kept = drawn(rng, len(features))
        model = HistGradientBoostingRegressor(
            loss="poisson",
            learning_rate=boosted_trees.LEARNING_RATE,
            max_iter=boosted_trees.COUNT,
            max_depth=boosted_trees.DEPTH,
            max_leaf_nodes=1 << boosted_trees.DEPTH,
            max_bins=boosted_trees.BINS,
            l2_regularization=boosted_trees.LEAF_PSEUDO_COUNT,
            max_features=boosted_trees.COLUMNS_ASKED,
            min_samples_leaf=int(boosted_trees.LEAST_CASES),
            early_stopping=False,
            random_state=int(rng.integers(1 << 30)),
        )
        counts = (weight * expected / (1 + dispersion * expected))[kept]
        return Foreign.of(model.fit(features[kept], (actual / expected)[kept], counts))

    return grow


def take_place(name: str) -> dict[str, float]:
    """Put a learner in the place of ours; its clock of CPU seconds, which goes on."""
    clock = {"grow": 0.0, "effect": 0.0}
    if name == "ours":
        grow, kind = boosted_trees.grow, boosted_trees.Trees
    else:
        grow = (
            scikit_trees() if name == "scikit-learn" else lightgbm_trees(31 if "31" in name else 8)
        )
        kind = Foreign
        pattern_correction.no_trees = lambda: Foreign(*[np.zeros(0)] * 3)
        demand_learned.Trees = Foreign
    pattern_correction.grow = timed(clock, "grow", grow)
    kind.effect = timed(clock, "effect", kind.effect)
    return clock


def timed(clock: dict[str, float], what: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose CPU seconds are added up."""

    def with_clock(*arguments: Any) -> Any:
        before = time.process_time()
        found = run(*arguments)
        clock[what] += time.process_time() - before
        return found

    return with_clock


def measured(name: str, options: Any) -> dict[str, Any]:
    """All figures of one learner, in this process."""
    clock = take_place(name)
    found: dict[str, Any] = {"refit": scale.refit(options.size, options.seed), **clock}
    found |= same_again(options.seed)
    found["loss"] = {}
    begun = time.process_time()
    for one in options.sets.split(","):
        try:
            data = sample(FORECAST_SETS[one](options.data), options.series, options.seed)
        except NoDataError:
            continue
        scaled = [
            pinball(origin.actual, origin.quantiles["keel"]) / origin.scale[:, None]
            for origin in judged(data, period_panel(data), with_peers=False)
        ]
        found["loss"][one] = float(np.concatenate(scaled).mean())
    found["forecast_cpu"] = time.process_time() - begun
    closes = [
        gap.kept_loss
        for one in INCREMENT_SETS
        if one in found["loss"]
        for gap in increment.gaps(one, options.data, options.series, options.seed)
    ]
    found["closes"] = float(np.mean(closes))
    found["close_us"] = increment.close_cost(options.size, options.seed)["close"]
    return found


def same_again(seed: int) -> dict[str, Any]:
    """Whether two fits are the same bytes, how many, and the most that a row alone is answered otherwise."""
    panel = as_panel(scale.shop(1_000, seed), period="W")
    fits = [demand.fit(demand.past_of(panel, "W", 4), horizon=4, seed=seed) for _ in range(2)]
    learned = [demand_state.learned_of(fit) for fit in fits]
    trees = learned[0].shared.correction.trees
    k = len(learned[0].shared.correction.middle) + pattern_correction.HABITS
    rows = np.random.default_rng(seed).normal(size=(ALONE, k)).astype(np.float32)
    alone = np.concatenate([trees.effect(row[None]) for row in rows])
    return {
        "same_bytes": learned[0].to_bytes() == learned[1].to_bytes(),
        "kept_bytes": len(learned[0].to_bytes()),
        "alone": float(np.abs(alone - trees.effect(rows)).max()),
    }


def installed_mb(packages: tuple[str, ...]) -> float:
    """Size of some packages on the disk."""
    files = [file for one in packages for file in importlib.metadata.files(one) or []]
    paths = [file.locate() for file in files]
    return sum(path.stat().st_size for path in paths if path.exists()) / 1e6


def in_its_own_process(name: str, options: Any) -> dict[str, Any]:
    """A learner's figures and its peak memory."""
    words = [
        f"--{key}={getattr(options, key)}" for key in ("data", "seed", "series", "sets", "size")
    ]
    command = [sys.executable, "-m", "bench.learners", f"--one={name}", *words]
    said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 -- ourselves
    return json.loads(said.stdout.splitlines()[-1])


def main() -> int:
    options = arguments(
        "Our trees against libraries' in their role",
        series=(int, 300, "series drawn of each set"),
        sets=(str, ",".join(FORECAST_SETS), "which sets"),
        size=(int, 10_000, "variants of the made-up shop that is timed"),
        learners=(str, "ours;lightgbm;lightgbm, 31 leaves;scikit-learn", "which, by ;"),
        one=(str, "", "measure one in this process"),
    )
    if options.one:
        print(json.dumps(measured(options.one, options)))
        return 0
    found: dict[str, dict[str, Any]] = {}
    for name in options.learners.split(";"):
        found[name] = in_its_own_process(name, options) | {
            "installed": installed_mb(PACKAGES[name])
        }
        print(name, json.dumps(found[name]), flush=True)
    ratios = {
        name: [one["loss"][data] / found["ours"]["loss"][data] for data in one["loss"]]
        for name, one in found.items()
    }
    return finish(
        "our trees against libraries' in their role",
        [
            Target(f"loss, {name} against ours", float(np.exp(np.mean(np.log(each)))), low=0.99)
            for name, each in ratios.items()
            if name != "ours"
        ],
        seed=options.seed,
        series=options.series,
    )


if __name__ == "__main__":
    raise SystemExit(main())
