"""Trend detection: what is really rising or falling, why, and whether it will last until an order lands.

In:  a weekly history; every series' last 4 and 8 weeks are held against what came before.
Out: a frame with a direction only where the average chance of a wrong sign stays below the rate asked for.
Method: common factors are divided out (`shocks`); discounts do not count as normal; weekly counts are
negative binomial (`evidence`); the distribution of changes is learned from the whole shop, siblings
count (`prior`); then causes (`causes`) and outlook (`lasting`).
Source: Stephens (2017), "False discovery rates: a new deal", Biostatistics 18, 275-294.
Weak: at one sale a week a doubling is within chance over a month, and is not claimed.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import betaln

from shopify_app.analytics.panel import Panel, as_panel
from shopify_app.analytics.trends import batches as trend_batches
from shopify_app.analytics.trends import causes as trend_causes
from shopify_app.analytics.trends import lasting as trend_lasting
from shopify_app.analytics.trends import prior as trend_prior
from shopify_app.analytics.trends.judge import JUDGED, WINDOWS, Judged, judge

LEAST_WEEKS: Final = 17
"""Weeks of history under which nothing is said."""

AT_ONCE: Final = 8_000
"""Products judged together: so many that nothing is left to learn, and few enough for a process's memory."""

LEAST_BASE_WEEKS: Final = 8
"""Weeks without a discount that a base level needs; with fewer, discounted weeks count too."""

LONGEST_CHANGE: Final = 26
"""Weeks back that a change may have begun."""

LEAD_TIME_WEEKS: Final = 4.0
"""Lead time taken where the caller knows of none."""

COLUMNS: Final = (
    "series_id",
    "direction",
    "ratio",
    "ratio_low",
    "ratio_high",
    "since",
    "false_sign_rate",
    "cause",
    "lasting",
    "units_per_week_before",
    "units_per_week_now",
    "weeks_recent",
)
"""Columns of the frame that comes back."""


def detect_trends(
    history: pd.DataFrame,
    *,
    as_of: object,
    false_sign_rate: float = 0.1,
    lead_time: "float | pd.Series | None" = None,
    previous: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """A frame of directions, one row a series.

    Parameters
    ----------
    history : DataFrame
        Weekly: `series_id, period, units`, optional `in_stock` (0..1), `price` (NaN: none seen),
        `on_promotion` (0..1), `group` (what may move together: a product's variants, a product type).
    as_of : date
        Weeks that start on or after it are not looked at.
    false_sign_rate : float
        Average probability of a wrong sign among all directions given, in (0, 0.5).
    lead_time : float or Series, optional
        Weeks until an order placed now lands; a Series is indexed by `series_id`. 4 where unknown.
    previous : DataFrame, optional
        The last run's frame: a direction given there stays until its chance of a wrong sign passes 0.3.

    Returns
    -------
    DataFrame with `COLUMNS`, one row a series, in the panel's order. `direction` is rising, falling or
    none; `ratio` with its 80 % range is the rate now over what was to be expected, shared moves taken
    out; `since` the week it began; `cause` is demand, promotion, stock-out rebound, season or one-off;
    `lasting` the probability that, in the four weeks after an order placed now would land, it sells at
    least 15 % more than `units_per_week_before` (falling: less). Empty for under 17 weeks of history.

    Raises
    ------
    ValueError
        For a history that cannot be one, a rate outside (0, 0.5), or a negative lead time.

    Examples
    --------
    Twenty products of twenty a week; one trebles in the last four weeks, one falls to a quarter in the last eight:

    >>> weeks = np.datetime64("2025-01-06", "s") + np.arange(17) * np.timedelta64(7, "D")
    >>> units = np.full((20, 17), 20)
    >>> units[0, -4:], units[1, -8:] = 60, 5
    >>> history = pd.DataFrame({"series_id": np.repeat([f"p{n:02d}" for n in range(20)], 17)})
    >>> history["period"], history["units"] = np.tile(weeks, 20), units.ravel()
    >>> found = detect_trends(history, as_of="2025-05-05")
    >>> found["direction"][:3].tolist(), found["ratio"][:3].round(1).tolist()
    (['rising', 'falling', 'none'], [3.0, 0.3, 1.0])
    >>> str(found["since"][1].date()), found["cause"][0]
    ('2025-03-10', 'demand')
    """
    if not 0 < false_sign_rate < 0.5:
        raise ValueError(f"false_sign_rate must be in (0, 0.5), got {false_sign_rate}")
    if len(history) <= AT_ONCE:
        return _detect(history, as_of, false_sign_rate, lead_time, previous)
    parts = trend_batches.batches(history, as_of, AT_ONCE)
    found = [_detect(part, as_of, false_sign_rate, lead_time, previous) for part in parts]
    if len(found) == 1:
        return found[0]
    return pd.concat(found).sort_values("series_id", ignore_index=True)


def _detect(
    history: pd.DataFrame,
    as_of: object,
    false_sign_rate: float,
    lead_time: "float | pd.Series | None",
    previous: pd.DataFrame | None,
) -> pd.DataFrame:
    """The frame of one batch."""
    panel = as_panel(history, period="W", as_of=as_of)
    if panel.units.size == 0 or panel.units.shape[1] < LEAST_WEEKS:
        return pd.DataFrame({name: [] for name in COLUMNS})
    lead = _lead_times(lead_time, panel)
    promoted = _promoted(history, panel)
    in_stock = _first_week_unseen(panel)
    exposure = _normal_weeks(in_stock, promoted)
    # From here on exposure holds the common factors: a rate is per week of ordinary demand.
    judged = judge(panel.units, exposure, panel.groups)
    sign = trend_prior.directions(
        judged.beliefs, false_sign_rate, _directions_before(previous, panel)
    )
    setting = _setting(panel, promoted, judged)
    found = _frame(panel, setting, judged, sign)
    found["cause"] = trend_causes.causes(setting)
    changes = trend_lasting.Changes(
        said=sign != 0,
        rises=np.where(sign != 0, sign > 0, setting.log_ratio >= 0),
        before=found["units_per_week_before"].to_numpy(float),
        now=(found["units_per_week_before"] * found["ratio"]).to_numpy(float),
        dispersion=setting.dispersion,
        cause=found["cause"].to_numpy(object),
        lead_weeks=lead,
    )
    marked = promoted.astype(np.float32) if promoted.any() else None
    found["lasting"] = trend_lasting.lasting(replace(panel, promoted=marked), changes)
    return found[list(COLUMNS)]


def _lead_times(lead_time: "float | pd.Series | None", panel: Panel) -> np.ndarray:
    """Lead time of each series in weeks (n,)."""
    if isinstance(lead_time, pd.Series):
        found = lead_time.reindex(panel.series_ids).fillna(LEAD_TIME_WEEKS).to_numpy(float)
    else:
        given = LEAD_TIME_WEEKS if lead_time is None else float(lead_time)
        found = np.full(len(panel.series_ids), given)
    if (found < 0).any():
        raise ValueError("lead_time must be >= 0 weeks")
    return found


def _aligned(history: pd.DataFrame, panel: Panel, column: str) -> np.ndarray | None:
    """A column as (n, T), NaN where there is no row; None if the history has none."""
    if column not in history:
        return None
    rows = pd.Index(panel.series_ids).get_indexer(pd.Index(history["series_id"]))
    weeks = pd.Index(panel.periods).get_indexer(
        pd.Index(history["period"].to_numpy("datetime64[s]"))
    )
    known = (rows >= 0) & (weeks >= 0)
    found = np.full(panel.units.shape, np.nan)
    found[rows[known], weeks[known]] = history[column].to_numpy(float)[known]
    return found


def _promoted(history: pd.DataFrame, panel: Panel) -> np.ndarray:
    """True (n, T) for promoted weeks."""
    return trend_causes.promoted_weeks(
        _aligned(history, panel, "price"),
        _aligned(history, panel, "on_promotion"),
        panel.units.shape,
    )


def _first_week_unseen(panel: Panel) -> np.ndarray:
    """Exposure without a late series' first week if it begins with a sale: that week was picked by the sale."""
    exposure = panel.exposure.copy()
    first = (exposure > 0).argmax(axis=1)
    rows = np.flatnonzero((first > 0) & (panel.units[np.arange(len(first)), first] > 0))
    # Selection: a history that begins because something sold is biased upward in its first week.
    exposure[rows, first[rows]] = 0.0
    return exposure


def _normal_weeks(exposure: np.ndarray, promoted: np.ndarray) -> np.ndarray:
    """Exposure without the discounts before the judged weeks, where enough other weeks are left."""
    if not promoted.any():
        return exposure
    kept = exposure.copy()
    kept[:, :-JUDGED] *= ~trend_causes.with_dips(promoted)[:, :-JUDGED]
    # A product that is always discounted has no other base than discounted weeks.
    enough = (kept[:, :-JUDGED] > 0).sum(axis=1) >= LEAST_BASE_WEEKS
    return np.where(enough[:, None], kept, exposure)


def _directions_before(previous: pd.DataFrame | None, panel: Panel) -> np.ndarray | None:
    """Direction of each series in the last run: 1, -1 or 0; None without one."""
    if previous is None or previous.empty:
        return None
    codes = previous.set_index("series_id")["direction"].map(
        {"rising": 1, "falling": -1, "none": 0}
    )
    return codes.reindex(panel.series_ids).fillna(0).to_numpy(int)


def _setting(panel: Panel, promoted: np.ndarray, judged: Judged) -> trend_causes.Setting:
    """The `Setting` that causes are read from."""
    return trend_causes.Setting(
        units=panel.units,
        exposure=judged.exposure,
        in_stock=panel.exposure,
        promoted=promoted,
        rate=judged.rate,
        dispersion=judged.evidence.dispersion,
        window=np.array(WINDOWS)[judged.beliefs.window],
        log_ratio=judged.beliefs.mean_if_changed(),
    )


def _frame(
    panel: Panel,
    setting: trend_causes.Setting,
    judged: Judged,
    sign: np.ndarray,
) -> pd.DataFrame:
    """All columns but the cause and the outlook."""
    beliefs, windows = judged.beliefs, judged.windows
    low, high = trend_prior.quantiles(beliefs, (0.1, 0.9)).T
    # Posterior mean of the log ratio, kept inside its own 80 % range.
    middle = np.clip(beliefs.density() @ trend_prior.GRID, low, high)
    rows, best = np.arange(len(sign)), beliefs.window
    in_stock = np.stack([panel.exposure[:, -weeks:].sum(axis=1) for weeks in WINDOWS], axis=1)
    # Units a week in stock: what a merchant saw, not what the model calls a full week.
    on_shelf = np.maximum(in_stock[rows, best], 1e-9)
    return pd.DataFrame(
        {
            "series_id": panel.series_ids,
            "direction": np.array(["falling", "none", "rising"], dtype=object)[sign + 1],
            "ratio": np.exp(middle),
            "ratio_low": np.exp(low),
            "ratio_high": np.exp(high),
            "since": _since(panel, setting, sign),
            "false_sign_rate": beliefs.false_sign,
            "units_per_week_before": setting.rate * windows.exposed[rows, best] / on_shelf,
            "units_per_week_now": windows.sold[rows, best] / on_shelf,
            "weeks_recent": setting.window,
        }
    )


def _since(panel: Panel, setting: trend_causes.Setting, sign: np.ndarray) -> np.ndarray:
    """First week of the change: the likeliest split where there is a direction, else the window's first week."""
    weeks = setting.window.copy()
    rows = np.flatnonzero(sign != 0)
    if len(rows):
        weeks[rows] = _best_split(
            setting.units[rows], setting.exposure[rows], setting.dispersion[rows], sign[rows]
        )
    return panel.periods[-1] - (weeks - 1) * np.timedelta64(7, "D")


def _best_split(
    units: np.ndarray, exposure: np.ndarray, dispersion: np.ndarray, sign: np.ndarray
) -> np.ndarray:
    """Weeks since the likeliest change of rate in the given direction, (n,)."""
    seen = exposure > 0
    sold, weeks = np.cumsum((units * seen)[:, ::-1], axis=1), np.cumsum(seen[:, ::-1], axis=1)
    exposed = np.cumsum(exposure[:, ::-1], axis=1)
    longest = min(LONGEST_CHANGE, units.shape[1] - LEAST_BASE_WEEKS)
    after = [part[:, :longest].astype(float) for part in (sold, weeks, exposed)]
    before = [part[:, -1:] - part[:, :longest] for part in (sold, weeks, exposed)]
    shape = 1 / np.maximum(dispersion, 1e-6)[:, None]
    height = np.zeros(after[0].shape)
    for total, number, _ in (after, before):
        # Marginal likelihood of a stretch, its rate integrated out: Beta(S + 1/2, n r), up to a
        # constant.
        height += betaln(total + 0.5, np.maximum(number, 1e-3) * shape)
    lead = np.log((after[0] + 0.5) / np.maximum(after[2], 1e-9))
    lead -= np.log((before[0] + 0.5) / np.maximum(before[2], 1e-9))
    usable = (after[1] > 0) & (before[1] > 0) & (lead * sign[:, None] > 0)
    return np.where(usable, height, -np.inf).argmax(axis=1) + 1
