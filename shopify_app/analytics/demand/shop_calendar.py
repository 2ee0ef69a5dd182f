"""Calendar regressors of the western retail year, with prior effects on the log of a shop's demand.

In:  starts of weeks.
Out: one column a kind of week, and the prior mean and deviation of its effect.
The effects are on the log of a shop's demand; they are starting points with wide ranges, and a
shop's own weeks outweigh them.
"""

from typing import Final

import numpy as np
from dateutil.easter import easter

WEEKS_TO_CHRISTMAS: Final = 12.0
"""Weeks over which demand climbs to the last order day."""

LAST_ORDER_DAY: Final = "12-18"
"""Month and day of the last order that still arrives before Christmas."""

EFFECTS: Final = {
    "christmas": (-0.15, 0.5),
    "new_year": (-0.2, 0.5),
    "black_friday": (0.05, 0.3),
    "climb_to_christmas": (0.15, 0.35),
    "easter": (0.0, 0.2),
}
"""Prior (mean, standard deviation) of each log effect over shops. Judgement, kept wide."""

Days = np.ndarray
"""Dates, datetime64[D]."""


def calendar_columns(starts: Days, days_per_period: int) -> np.ndarray:
    """Columns (T, len(EFFECTS)), in the order of `EFFECTS`, of periods of up to a week that begin on `starts`."""
    start = starts.astype("datetime64[D]")
    years = np.unique(start.astype("datetime64[Y]"))
    # One year more: the last period may reach into it.
    years = np.arange(years[0], years[-1] + 2) if len(years) else years
    fixed = [_holds(start, days_per_period, _day(years, day)) for day in ("12-25", "01-01")]
    friday = _holds(start, days_per_period, _black_friday(years))
    sunday = _holds(start, days_per_period, _easter(years))
    return np.stack([fixed[0], fixed[1], friday, _climb(start), sunday], axis=1)


def _holds(start: Days, length: int, days: Days) -> np.ndarray:
    """1 where a period holds one of the days, else 0."""
    inside = (days[None, :] >= start[:, None]) & (days[None, :] < start[:, None] + length)
    return inside.any(axis=1).astype(float)


def _day(years: Days, day: str) -> Days:
    """One day of each year."""
    return np.array([np.datetime64(f"{year}-{day}") for year in years], "datetime64[D]")


def _black_friday(years: Days) -> Days:
    """The day after the fourth Thursday of November."""
    first = _day(years, "11-01")
    weekday = (first.astype(int) + 3) % 7  # Monday is 0
    return first + (3 - weekday) % 7 + 22


def _easter(years: Days) -> Days:
    """Easter Sunday of the western churches."""
    return np.array([easter(int(str(year))) for year in years], "datetime64[D]")


def _climb(start: Days) -> np.ndarray:
    """0 to 1 over the weeks before the last order day of a year; 0 after it."""
    last = _day(start.astype("datetime64[Y]"), LAST_ORDER_DAY) if len(start) else start
    weeks = (last - start).astype(float) / 7
    return np.where(
        (weeks >= 0) & (weeks <= WEEKS_TO_CHRISTMAS), 1 - weeks / WEEKS_TO_CHRISTMAS, 0.0
    )
