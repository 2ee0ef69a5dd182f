"""Coverage of a shop's own prediction ranges, and the level to ask the model for so that they cover as said.

In:  ranges that were given, and what came (`score_ranges`).
Out: a `Calibration`: empirical coverage with its own range, by level, kind and class of demand; and
     for each nominal level the level to use instead (`correction`).
Method: a total that falls on the end of a range of whole units counts in part, by how much of the
end belongs to the range (`low_share`, `high_share`; randomised PIT). Ranges of one week meet the
same shocks, and those of weeks that overlap share them: the variance is that of weekly sums with
Bartlett weights over the weeks a range lasts, never below the binomial's. The correction asks by how much
the spread of the model is too small: the multiplier at which the ranges of late would have been
expected to hold as often as they did, each at the level it was really made with, so that a
correction at work is not counted twice and does not swing. It remembers long, and short where the
last weeks contradict the long memory, and is shrunk by what is known.
Source: Czado, Gneiting & Held (2009), Biometrics 65, 1254-1261 (PIT of counts); Gibbs & Candes
(2021), "Adaptive conformal inference under distribution shift"; Newey & West (1987), Econometrica 55, 703-708.
Weak: one multiplier for the whole shop widens on both sides, also where only one fails.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtrit

from shopify_app.analytics.demand.forecast import DemandForecast
from shopify_app.analytics.demand.forecast_rows import rows_of
from shopify_app.analytics.demand.pooling import CLASSES, rate_class

COLUMNS: Final = ("series_id", "level", "low", "high", "issued_on", "due_on", "actual")
"""Columns that ranges must have."""

LEAST_RANGES: Final = 30
"""Number of due ranges below which nothing is said and nothing corrected."""

MARGIN_LEVEL: Final = 0.8
"""Level of the confidence range around a coverage."""

LONG_WEEKS: Final = 26.0
"""Half-life, in weeks, of the correction's long memory."""

SHORT_WEEKS: Final = 2.0
"""Half-life, in weeks, of the correction's short memory."""

USUAL_SLIP: Final = 0.10
"""Prior standard deviation of the coverage error of a model; a less certain coverage is shrunk more."""

WEEK_SHOCK: Final = 0.05
"""Prior standard deviation of a week's coverage by shocks common to its ranges."""

SURPRISE: Final = 2.0
"""Standard errors by which the short memory must differ from the long one to have weight one half."""

SPREADS: Final = (1 / 3, 3.0)
"""Bounds of the spread's multiplier."""

HIGHEST_LEVEL: Final = 0.995
"""Highest level that is asked of the model."""

LOWEST_SHARE: Final = 0.5
"""Least share of the nominal normal deviations that a corrected range keeps."""

WEEK: Final = np.timedelta64(7, "D")
"""Length of a week."""


@dataclass(frozen=True, slots=True)
class LevelScore:
    """Empirical coverage of the ranges of one nominal level.

    Attributes
    ----------
    level : nominal coverage, within (0, 1)
    count : number of ranges that have come due
    weeks : number of weeks in which they came due
    held : empirical coverage, ends counted in part; NaN for none
    held_low, held_high : 80 % confidence range of the coverage
    below, above : shares of actuals below and above the range
    held_plainly : coverage with both ends counted whole
    """

    level: float
    count: int
    weeks: int
    held: float
    held_low: float
    held_high: float
    below: float
    above: float
    held_plainly: float

    @property
    def is_known(self) -> bool:
        """True if enough ranges have come due to say anything."""
        return self.count >= LEAST_RANGES


@dataclass(frozen=True, slots=True)
class Calibration:
    """Empirical coverage of a shop's ranges, whole and by kind and class of demand.

    Attributes
    ----------
    levels : one a level said, ascending
    parts : frame `kind, demand_class, level, count, held, held_low, held_high`, with `kind` or `demand_class`
        empty where all of them are meant
    rows : frame `level, used, week, weeks, held`, one a range due, newest week last
    """

    levels: tuple[LevelScore, ...]
    parts: pd.DataFrame
    rows: pd.DataFrame


def score_ranges(said: pd.DataFrame, *, as_of: object | None = None) -> Calibration:
    """The coverage of ranges against what came.

    Parameters
    ----------
    said : DataFrame
        `series_id, level, low, high, issued_on, due_on, actual` (NaN: not due, or not known), and optional
        `kind`; `expected` (the total foreseen; the middle of the range without it); `used` (the level
        the model was asked for, where a correction was at work); `low_share, high_share` (how much of
        an end belongs to the range; 1 without them: an end is inside).
    as_of : date, optional
        Ranges due after it are not looked at.

    Raises
    ------
    ValueError
        If columns are missing, a level is outside (0, 1), or a range is out of order.
    """
    rows = _rows(said, as_of)
    levels = tuple(_score(level, rows[rows["level"] == level]) for level in _levels(rows))
    return Calibration(levels, _parts(rows), rows)


def correction(calibration: Calibration) -> dict[float, float]:
    """The level to ask the model for, by nominal level; the same one while little is known.

    Examples
    --------
    Of sixty 80 % ranges three in four held: the model is asked for a little more than 80 %.

    >>> said = pd.DataFrame({"level": 0.8, "low": 2.0, "high": 8.0}, index=range(60))
    >>> said["series_id"], said["actual"] = range(60), [9.0, 5.0, 5.0, 5.0] * 15
    >>> said["issued_on"] = np.datetime64("2026-01-05", "s")
    >>> said["due_on"] = np.datetime64("2026-02-02", "s")
    >>> found = score_ranges(said)
    >>> found.levels[0].held, found.levels[0].above
    (0.75, 0.25)
    >>> correction(found)
    {0.8: 0.8217}
    """
    found: dict[float, float] = {}
    for level in _levels(calibration.rows):
        part = calibration.rows[calibration.rows["level"] == level]
        found[level] = level if len(part) < LEAST_RANGES else _used_level(level, part)
    return found


def _levels(rows: pd.DataFrame) -> list[float]:
    """Nominal levels that occur, ascending."""
    return np.unique(rows["level"].to_numpy(float)).tolist()


def _used_level(level: float, part: pd.DataFrame) -> float:
    """The level at which the model's ranges would cover `level`."""
    spread = np.exp(_log_spread(part))
    deviations = ndtri((1 + level) / 2)
    wanted = max(float(deviations * spread), LOWEST_SHARE * float(deviations))
    return min(round(float(2 * ndtr(wanted) - 1), 4), max(HIGHEST_LEVEL, level))


def _log_spread(part: pd.DataFrame) -> float:
    """Log of the multiplier of the model's spread, shrunk toward 0."""
    newest = float(part["week"].max())
    ago = newest - part["week"].to_numpy(float)
    steady, steady_error = _remembered(part, 0.5 ** (ago / LONG_WEEKS))
    recent, recent_error = _remembered(part, 0.5 ** (ago / SHORT_WEEKS))
    # Change detection: the short memory takes over smoothly where it contradicts the long one.
    off = abs(recent - steady) / max(np.hypot(recent_error, steady_error), 1e-9)
    weight = off**4 / (off**4 + SURPRISE**4)
    return (1 - weight) * steady + weight * recent


def _remembered(part: pd.DataFrame, weight: np.ndarray) -> tuple[float, float]:
    """(log multiplier of the spread, its standard error) under exponential weights, shrunk toward 0."""
    used, held = part["used"].to_numpy(float), part["held"].to_numpy(float)
    share = float(np.average(held, weights=weight))
    expected = float(np.average(used, weights=weight))
    error = np.sqrt(_variance(part, weight))
    deviations = ndtri((1 + used) / 2)
    shrinkage = USUAL_SLIP**2 / (USUAL_SLIP**2 + error**2)
    # Coverage shrunk toward the nominal: weight tau^2 / (tau^2 + se^2).
    believed = expected + shrinkage * (share - expected)
    low, high = np.log(SPREADS[0]), np.log(SPREADS[1])
    # Bisection for the spread multiplier s at which the mean of 2 Phi(z / s) - 1 is the believed
    # coverage.
    for _ in range(40):
        middle = (low + high) / 2
        would = np.average(2 * ndtr(deviations / np.exp(middle)) - 1, weights=weight)
        low, high = (middle, high) if would > believed else (low, middle)
    # Derivative of coverage 2 Phi(z / s) - 1 in log s at s = 1: turns an error of coverage into one of spread.
    step = np.average(2 * np.exp(-(deviations**2) / 2) / np.sqrt(2 * np.pi) * deviations)
    return (low + high) / 2, float(np.sqrt(shrinkage) * error / max(step, 1e-6))


def _rows(said: pd.DataFrame, as_of: object | None) -> pd.DataFrame:
    """One row a due range, with the share of it that held."""
    _check(said)
    due = said["due_on"].to_numpy("datetime64[D]")
    known = said["actual"].notna().to_numpy()
    if as_of is not None:
        known = known & (due <= np.datetime64(str(as_of)[:10]))
    chosen, due = said[known], due[known]
    low, high, actual = (chosen[name].to_numpy(float) for name in ("low", "high", "actual"))
    below, above = actual < low, actual > high
    inside = np.ones(len(chosen))
    at_low, at_high = actual == low, actual == high
    # Randomised PIT (Czado et al. 2009): an actual on an end counts by the end's share of the
    # level.
    out_low = np.where(at_low, 1.0 - _column(chosen, "low_share", 1.0), 0.0)
    out_high = np.where(at_high, 1.0 - _column(chosen, "high_share", 1.0), 0.0)
    weeks = (due - chosen["issued_on"].to_numpy("datetime64[D]")) / WEEK
    middle = _column(chosen, "expected", (low + high) / 2)
    kinds = chosen["kind"].astype(str) if "kind" in chosen else pd.Series("", index=chosen.index)
    level = chosen["level"].to_numpy(float)
    rows = pd.DataFrame(
        {
            "level": level,
            "used": _column(chosen, "used", level),
            "week": due.astype("datetime64[W]").astype(int),
            "weeks": weeks,
            "below": below + out_low,
            "above": above + out_high,
            "held": np.clip(inside - below - above - out_low - out_high, 0.0, 1.0),
            "held_plainly": 1.0 - below - above,
            "kind": kinds.to_numpy(str),
            "demand_class": rate_class(middle / np.maximum(weeks, 1 / 7)),
        }
    )
    return rows.sort_values("week", kind="stable", ignore_index=True)


def _column(frame: pd.DataFrame, name: str, otherwise: float | np.ndarray) -> np.ndarray:
    """A column as floats, or what stands for it where it is missing."""
    if name not in frame:
        return np.broadcast_to(np.asarray(otherwise, float), (len(frame),))
    return frame[name].to_numpy(float)


def _check(said: pd.DataFrame) -> None:
    """Nothing; raises `ValueError` for ranges that cannot be ones."""
    if missing := set(COLUMNS) - set(said.columns):
        raise ValueError(f"ranges lack {sorted(missing)}")
    if not len(said):
        return
    for name in {"level", "used"} & set(said.columns):
        level = said[name].to_numpy(float)
        if not ((level > 0) & (level < 1)).all():
            raise ValueError(f"{name} must be within (0, 1)")
    if (said["low"].to_numpy(float) > said["high"].to_numpy(float)).any():
        raise ValueError("a range has its ends the wrong way round")
    if (
        said["issued_on"].to_numpy("datetime64[D]") >= said["due_on"].to_numpy("datetime64[D]")
    ).any():
        raise ValueError("a range is due before it was issued")


def _score(level: float, part: pd.DataFrame) -> LevelScore:
    """The `LevelScore` of one level's rows."""
    held, low, high = _share(part)
    return LevelScore(
        level=level,
        count=len(part),
        weeks=int(part["week"].nunique()),
        held=held,
        held_low=low,
        held_high=high,
        below=float(part["below"].mean()),
        above=float(part["above"].mean()),
        held_plainly=float(part["held_plainly"].mean()),
    )


def _share(part: pd.DataFrame) -> tuple[float, float, float]:
    """(coverage, low, high): Wilson's interval at the effective number of independent ranges."""
    share = float(part["held"].mean())
    variance = _variance(part, np.ones(len(part)))
    spread = max(share * (1 - share), 0.25 / len(part))
    # Effective sample size: p (1 - p) over the actual variance of p.
    count = max(spread / max(variance, 1e-12), 1.0)
    weeks = max(int(part["week"].nunique()), 2)
    t = float(stdtrit(weeks - 1, (1 + MARGIN_LEVEL) / 2))
    middle = (share + t**2 / (2 * count)) / (1 + t**2 / count)
    half = t / (1 + t**2 / count) * np.sqrt(share * (1 - share) / count + t**2 / (4 * count**2))
    return share, float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def _variance(part: pd.DataFrame, weight: np.ndarray) -> float:
    """Variance of a weighted coverage whose ranges share their weeks' shocks (Newey-West)."""
    held = part["held"].to_numpy(float)
    total = weight.sum()
    share = float((weight * held).sum() / total)
    weeks = part["week"].to_numpy(int)
    at = weeks - weeks.min()
    sums = np.bincount(at, weight * (held - share)) / total
    mass = np.bincount(at, weight) / total
    lags = max(round(float(part["weeks"].median())) - 1, 0)
    found = float(sums @ sums)
    for lag in range(1, min(lags, len(sums) - 1) + 1):
        # Bartlett weights 1 - l / (L + 1): ranges of L + 1 weeks overlap with those of L weeks
        # later.
        found += 2 * (1 - lag / (lags + 1)) * float(sums[lag:] @ sums[:-lag])
    spread = max(share * (1 - share), 0.25 / len(part))
    binomial = spread * float((weight**2).sum()) / total**2
    # Few weeks estimate a week's common shock badly: shrink toward the usual shock.
    shocks = WEEK_SHOCK**2 * (lags + 1) * float(mass @ mass)
    # Effective number of independent weeks (Kish), overlap taken off.
    used = float(1 / (mass @ mass)) / (lags + 1)
    own = used / (used + 4.0)
    return max(own * found + (1 - own) * (binomial + shocks), binomial)


def _parts(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage by kind and by class of demand."""
    found = []
    for by in ("kind", "demand_class"):
        for (value, level), part in rows.groupby([by, "level"], sort=True):
            held, low, high = _share(part)
            named = {
                "kind": "",
                "demand_class": "",
                by: value if by == "kind" else _class_name(value),
            }
            found.append(
                {
                    **named,
                    "level": level,
                    "count": len(part),
                    "held": held,
                    "held_low": low,
                    "held_high": high,
                }
            )
    columns = ["kind", "demand_class", "level", "count", "held", "held_low", "held_high"]
    return pd.DataFrame(found, columns=columns)


def _class_name(number: object) -> str:
    """Name of a class of demand, in units a week."""
    at = int(str(number))
    if at == 0:
        return f"< {CLASSES[0]:g}"
    if at == len(CLASSES):
        return f">= {CLASSES[-1]:g}"
    return f"{CLASSES[at - 1]:g}-{CLASSES[at]:g}"


def ranges_of(
    forecast: DemandForecast, level: float, *, last: int, rows: np.ndarray | None = None
) -> pd.DataFrame:
    """Central prediction ranges of the total over the next `last` periods, as `score_ranges` takes them.

    Parameters
    ----------
    level : asked of the model, within (0, 1)
    rows : of the forecast; all without it

    Returns
    -------
    DataFrame `series_id, used, expected, low, high, low_share, high_share`.
    """
    rows = np.arange(len(forecast.series_ids)) if rows is None else rows
    chosen = rows_of(forecast, rows)
    tails = ((1 - level) / 2, (1 + level) / 2)
    low, high = chosen.quantile(tails, last=last).T
    under_low, at_low = chosen.cdf(low - 1, last=last), chosen.cdf(low, last=last)
    under_high, at_high = chosen.cdf(high - 1, last=last), chosen.cdf(high, last=last)
    low_share = (at_low - tails[0]) / np.maximum(at_low - under_low, 1e-9)
    high_share = (tails[1] - under_high) / np.maximum(at_high - under_high, 1e-9)
    return pd.DataFrame(
        {
            "series_id": chosen.series_ids,
            "used": level,
            "expected": chosen.mean[:, :last].sum(axis=1),
            "low": low,
            "high": high,
            "low_share": np.clip(low_share, 0.0, 1.0),
            "high_share": np.clip(high_share, 0.0, 1.0),
        }
    )
