"""Trends against the truth: false share, power, silence on noise, causes, outlook; `./run bench trends`.

Peers in the same run: the change over two windows above 20 % (or 50 % and five sales), and a Poisson z
test with Benjamini and Hochberg's step at 10 %: what shop apps' badges and textbooks do.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import ndtr

from bench.lib import trend_shops as shops
from bench.lib.data import NoDataError, retail_orders
from bench.lib.report import Target, arguments, finish
from shopify_app.analytics.panel import as_panel
from shopify_app.analytics.trends import detect_trends

LATER: Final = "2040-01-01"
BASE: Final = 26
LOOKS: Final = 26
LEAD_WEEKS: Final = 4
LANDING_WEEKS: Final = 4
ABOVE: Final = 1.15
CODES: Final = {"rising": 1, "falling": -1, "none": 0}
Judge = Callable[[np.ndarray, int], np.ndarray]


def keel(units: np.ndarray, weeks: int) -> np.ndarray:
    """Our directions; it is not told how long ago things changed."""
    del weeks
    found = detect_trends(shops.history(units), as_of=LATER)
    return found["direction"].map(CODES).to_numpy(int)


def percent(units: np.ndarray, weeks: int, *, least: float, sales: int) -> np.ndarray:
    """The usual badge: recent mean over the mean before, and a least number of sales."""
    now, before = units[:, -weeks:], units[:, -weeks - BASE : -weeks]
    ratio = (now.mean(axis=1) + 1e-9) / (before.mean(axis=1) + 1e-9)
    enough = now.sum(axis=1) + before.sum(axis=1) >= sales
    return np.where(enough & (ratio > 1 + least), 1, np.where(enough & (ratio < 1 - least), -1, 0))


def poisson_bh(units: np.ndarray, weeks: int) -> np.ndarray:
    """Poisson z test of two windows, Benjamini and Hochberg at 10 %."""
    now, before = units[:, -weeks:].sum(axis=1), units[:, -weeks - BASE : -weeks].sum(axis=1)
    share, total = weeks / (weeks + BASE), now + before
    z = (now - share * total) / np.sqrt(np.maximum(total * share * (1 - share), 1e-9))
    p = np.where(total > 0, 2 * (1 - ndtr(np.abs(z))), 1.0)
    order = np.argsort(p)
    passed = np.flatnonzero(p[order] <= 0.1 * np.arange(1, len(p) + 1) / len(p))
    given = np.zeros(len(p), bool)
    given[order[: passed.max() + 1 if len(passed) else 0]] = True
    return np.where(given, np.sign(z), 0).astype(int)


JUDGES: Final[dict[str, Judge]] = {
    "change > 20 %": lambda units, weeks: percent(units, weeks, least=0.2, sales=0),
    "change > 50 %, 5 sales": lambda units, weeks: percent(units, weeks, least=0.5, sales=5),
    "Poisson z + BH": poisson_bh,
    "keel": keel,
}


def score(said: np.ndarray, truth: shops.Truth) -> tuple[float, float, float]:
    """(false share of what is said, power over all changed, power at rate > 2 and at least twofold)."""
    side = np.sign(np.log(truth.factor)).astype(int)
    right = (said != 0) & (said == side)
    large = (truth.rate > 2) & ((truth.factor >= 1.99) | (truth.factor <= 0.501))
    false = 1 - right.sum() / max(int((said != 0).sum()), 1)
    return (false if (said != 0).any() else 0.0), right[side != 0].mean(), right[large].mean()


def false_and_power(real: np.ndarray | None, repeats: int) -> dict[str, Any]:
    """(a): simulated shops and real weeks in another order."""
    makers: dict[str, Callable[[np.random.Generator, int], shops.Truth]] = {
        "simulated": lambda rng, w: shops.simulated(rng, weeks=w)
    }
    if real is not None:
        makers["retail, own order"] = lambda rng, w: shops.permuted(
            rng, real, weeks=w, together=False
        )
        makers["retail, one order"] = lambda rng, w: shops.permuted(
            rng, real, weeks=w, together=True
        )
    print(f"\n{'false share / power / power (rate > 2, twofold)':52}{'4 weeks':>22}{'8 weeks':>22}")
    found: dict[str, Any] = {}
    for name, make in makers.items():
        for judge, say in JUDGES.items():
            cells = {}
            for weeks in (4, 8):
                drawn = [make(np.random.default_rng(1000 + seed), weeks) for seed in range(repeats)]
                cells[weeks] = np.mean([score(say(one.units, weeks), one) for one in drawn], axis=0)
            text = "".join("{:>10.3f}/{:.2f}/{:.2f}  ".format(*cells[weeks]) for weeks in (4, 8))
            print(f"{name:24}{judge:26}{text}", flush=True)
            found[f"{name}: {judge}"] = {
                str(w): [round(float(v), 3) for v in c] for w, c in cells.items()
            }
    return found


def silence(real: np.ndarray) -> dict[str, float]:
    """(b): share of products ever called a trend in 26 weekly looks at real weeks in random order."""
    rng = np.random.default_rng(7)
    units = rng.permuted(real, axis=1)[rng.permutation(len(real))[:2000]]
    length = units.shape[1]
    ever = {name: np.zeros(len(units), bool) for name in JUDGES}
    for look in range(length - LOOKS + 1, length + 1):
        for name, say in JUDGES.items():
            ever[name] |= say(units[:, :look], 4) != 0
    found = {name: round(float(flags.mean()), 4) for name, flags in ever.items()}
    print(f"\never called a trend in {LOOKS} weekly looks at noise ({len(units)} products)")
    for name, share in found.items():
        print(f"  {name:26}{share:8.2%}")
    return found


def causes(repeats: int) -> dict[str, float]:
    """(c): of the changes that are called rising, how many get their true cause."""
    right: dict[str, list[bool]] = {}
    seen: dict[str, list[bool]] = {}
    for seed in range(repeats):
        shop = shops.with_causes(np.random.default_rng(2000 + seed))
        found = detect_trends(shop.frame, as_of=LATER)
        rising = (found["direction"] == "rising").to_numpy()
        named = found["cause"].to_numpy(str)
        for kind in ("promotion", "stock-out rebound", "one-off", "demand"):
            rows = shop.cause == kind
            seen.setdefault(kind, []).extend(rising[rows])
            right.setdefault(kind, []).extend((named == kind)[rows & rising])
    print("\ncause                called rising   then named right")
    for kind, names in right.items():
        print(f"  {kind:20}{np.mean(seen[kind]):12.2f}{np.mean(names) if names else 0:16.2f}")
    return {
        kind: round(float(np.mean(names)), 3) if names else 0.0 for kind, names in right.items()
    }


def skill(chance: np.ndarray, came: np.ndarray) -> float:
    """By how much the Brier score is below that of always saying the share that came."""
    return float(1 - np.mean((chance - came) ** 2) / max(came.mean() * (1 - came.mean()), 1e-9))


def outlook_simulated(repeats: int) -> dict[str, float]:
    """(d), simulated: whether the true rate is still 15 % away when an order lands."""
    chance, came = [], []
    for seed in range(repeats):
        shop = shops.fads_and_lasting(np.random.default_rng(3000 + seed))
        for now in (88, 104):
            found = detect_trends(
                shops.history(shop.units[:, :now]), as_of=LATER, lead_time=LEAD_WEEKS
            )
            side = found["direction"].map(CODES).to_numpy(int)
            rows = np.flatnonzero(side)
            before = shop.level[rows, now - 8 - BASE : now - 8].mean(axis=1)
            landing = shop.level[rows, now + LEAD_WEEKS : now + LEAD_WEEKS + LANDING_WEEKS].mean(
                axis=1
            )
            came.append(side[rows] * np.log(landing / before) > np.log(ABOVE))
            chance.append(found["lasting"].to_numpy(float)[rows])
    return _told("simulated fads and lasting changes", np.concatenate(chance), np.concatenate(came))


def outlook_retail(folder: Path) -> dict[str, float]:
    """(d), real: walk forward over Online Retail II, judged by what was sold after the landing."""
    past = retail_orders(folder).history
    panel = as_panel(past, period="W")
    chance, came = [], []
    length = panel.units.shape[1]
    for now in range(44, length - LEAD_WEEKS - LANDING_WEEKS + 1, 4):
        found = detect_trends(past, as_of=panel.periods[now], lead_time=LEAD_WEEKS)
        side = found["direction"].map(CODES).to_numpy(int)
        rows = np.flatnonzero(side)
        where = pd.Index(panel.series_ids).get_indexer(pd.Index(found["series_id"]))[rows]
        weeks = slice(now + LEAD_WEEKS, now + LEAD_WEEKS + LANDING_WEEKS)
        sold = panel.units[where, weeks].mean(axis=1)
        usual = found["units_per_week_before"].to_numpy(float)[rows]
        came.append(side[rows] * (sold - usual) > 0)
        chance.append(found["lasting"].to_numpy(float)[rows])
    return _told("Online Retail II, as it came", np.concatenate(chance), np.concatenate(came))


def _told(name: str, chance: np.ndarray, came: np.ndarray) -> dict[str, float]:
    came = came.astype(float)
    print(f"\nstill there at landing: {name} ({len(came)} cases, {came.mean():.0%} were)")
    edges = np.digitize(chance, (0.3, 0.5, 0.7, 0.9))
    for number, words in enumerate(("under .3", ".3 to .5", ".5 to .7", ".7 to .9", "over .9")):
        if (rows := edges == number).any():
            print(
                f"  said {words:10} {rows.sum():5d} cases  mean {chance[rows].mean():.2f}  came {came[rows].mean():.2f}"
            )
    found = {
        "cases": len(came),
        "share": round(float(came.mean()), 3),
        "skill": round(skill(chance, came), 3),
    }
    print(f"  Brier score {found['skill']:.0%} better than the base rate")
    return found


def cost() -> float:
    """Process milliseconds a product, 3,000 products of 78 weeks."""
    shop = shops.simulated(np.random.default_rng(5), weeks=8)
    past = shops.history(shop.units)
    began = time.process_time()
    detect_trends(past, as_of=LATER)
    return round((time.process_time() - began) / len(shop.units) * 1000, 3)


def targets(values: dict[str, Any]) -> list[Target]:
    """Each target with what came of it."""
    found: list[Target] = []

    def add(name: str, value: float, bound: float, *, most: bool) -> None:
        found.append(Target(name, value, high=bound) if most else Target(name, value, low=bound))

    for name in ("simulated", "retail, own order", "retail, one order"):
        if cells := values["false_and_power"].get(f"{name}: keel"):
            for weeks in ("4", "8"):
                add(f"false share, {name}, {weeks} weeks", cells[weeks][0], 0.12, most=True)
            add(f"power, {name}", cells["8"][2], 0.45, most=False)
    if "silence" in values:
        add("ever flagged on noise", values["silence"]["keel"], 0.01, most=True)
    for kind in ("promotion", "stock-out rebound"):
        add(f"named: {kind}", values["causes"][kind], 0.9, most=False)
    for name in ("outlook_simulated", "outlook_retail"):
        if name in values:
            add(f"skill of lasting, {name}", values[name]["skill"], 0.25, most=False)
    add("milliseconds a product", values["milliseconds"], 0.4, most=True)
    return found


def main() -> int:
    """Run all parts and print the table and one line of JSON."""
    chosen = arguments(__doc__ or "", repeats=(int, 6, "shops a cell"))
    try:
        real = shops.retail_weeks(chosen.data)
    except NoDataError as missing:
        print(f"Without real weeks: {missing}")
        real = None
    values: dict[str, Any] = {"false_and_power": false_and_power(real, chosen.repeats)}
    if real is not None:
        values["silence"] = silence(real)
    values["causes"] = causes(chosen.repeats)
    values["outlook_simulated"] = outlook_simulated(chosen.repeats)
    if real is not None:
        values["outlook_retail"] = outlook_retail(chosen.data)
    values["milliseconds"] = cost()
    return finish("trends", targets(values), figures=values)


if __name__ == "__main__":
    raise SystemExit(main())
