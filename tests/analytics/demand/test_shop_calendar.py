"""Holidays fall where the calendar says."""

import numpy as np

from shopify_app.analytics.demand.shop_calendar import EFFECTS, calendar_columns

NAMES = list(EFFECTS)


def column(name, starts, days=7):
    return calendar_columns(np.array(starts, "datetime64[D]"), days)[:, NAMES.index(name)]


def test_easter_is_where_the_church_puts_it():
    sundays = ["2010-04-04", "2011-04-24", "2019-04-21", "2024-03-31", "2025-04-20", "2038-04-25"]
    assert (column("easter", sundays, days=1) == 1).all()
    assert (column("easter", ["2025-04-19", "2025-04-21"], days=1) == 0).all()


def test_black_friday_follows_the_fourth_thursday():
    assert (
        column("black_friday", ["2024-11-29", "2025-11-28", "2026-11-27", "2029-11-23"], days=1)
        == 1
    ).all()


def test_a_week_over_new_year_belongs_to_both_years():
    week = ["2025-12-29"]
    assert column("new_year", week)[0] == 1
    assert column("christmas", week)[0] == 0
    assert column("christmas", ["2025-12-22"])[0] == 1


def test_the_climb_to_christmas_ends_with_the_last_order_day():
    climb = column("climb_to_christmas", ["2025-08-01", "2025-10-01", "2025-12-15", "2025-12-22"])
    assert climb[0] == 0
    assert 0 < climb[1] < climb[2] <= 1
    assert climb[3] == 0
