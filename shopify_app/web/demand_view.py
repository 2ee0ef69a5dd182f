"""Demand over time, as charts: what sold, what should sell, what was to be expected."""

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext
from markupsafe import Markup

from shopify_app.domain.evidence import RestockEvidence, SoldWeek, TrendEvidence
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web import formats
from shopify_app.web.charts import Plot, ReadOut, nice_ticks


def restock_chart(card: SuggestionCard) -> Markup:
    """Units sold a week, then the forecast with its likely range."""
    evidence = card.evidence_as(RestockEvidence)
    weeks, forecast = evidence.weeks[-26:], evidence.forecast
    if not weeks or not forecast:
        return Markup("")
    steps = len(weeks) + len(forecast) - 1
    high = max([float(w.units) for w in weeks] + [float(f.high) for f in forecast])
    plot = _plot(high)
    here, last = (len(weeks) - 1) / steps, float(weeks[-1].units)
    _shade_stockouts(plot, weeks, steps)

    def ahead(units: Sequence[float]) -> list[tuple[float, float]]:
        return [
            (here, last),
            *(((len(weeks) + i) / steps, float(each)) for i, each in enumerate(units)),
        ]

    plot.band(ahead([f.high for f in forecast]), ahead([f.low for f in forecast]))
    plot.line(ahead([f.mean for f in forecast]), "c-line c-dash")
    plot.line([(i / steps, float(w.units)) for i, w in enumerate(weeks)], "c-line c-ink")
    plot.rule(here)
    plot.text(here + 0.012, 14, gettext("Forecast"), anchor="start", kind="c-note c-note-new")
    plot.text(here - 0.012, 14, gettext("Sold per week"), anchor="end", kind="c-note")
    _days_under(plot, [each.start for each in (*weeks, *forecast)])
    reads = [_read(plot, i / steps, w.start, float(w.units)) for i, w in enumerate(weeks)]
    reads += [
        _read(
            plot,
            (len(weeks) + i) / steps,
            f.start,
            float(f.mean),
            (float(f.low), float(f.high)),
        )
        for i, f in enumerate(forecast)
    ]
    return plot.svg(
        gettext(
            "Units sold each week, and the forecast for the next %(weeks)s weeks.",
            weeks=len(forecast),
        ),
        reads,
    )


def trend_chart(card: SuggestionCard) -> Markup:
    """Units sold a week against the level that was to be expected."""
    evidence = card.evidence_as(TrendEvidence)
    weeks = evidence.weeks[-52:]
    if len(weeks) < 2:
        return Markup("")
    steps = len(weeks) - 1
    plot = _plot(max(max(float(w.units), float(w.expected or 0)) for w in weeks))
    plot.line(
        [(i / steps, float(w.expected or 0)) for i, w in enumerate(weeks)],
        "c-line c-expected c-dash",
    )
    plot.line([(i / steps, float(w.units)) for i, w in enumerate(weeks)], "c-line")
    begun = evidence.since or card.as_of
    since = next((i for i, w in enumerate(weeks) if w.start >= begun), None)
    if since is not None:
        x = since / steps
        plot.rule(x)
        words = gettext("Since %(day)s", day=formats.day(begun))
        plot.text(
            x + (-0.012 if x > 0.5 else 0.012),
            14,
            words,
            anchor="end" if x > 0.5 else "start",
            kind="c-note",
        )
    _days_under(plot, [week.start for week in weeks])
    reads = [
        ReadOut(
            i / steps,
            formats.day(w.start),
            formats.count(float(w.units)),
            gettext("expected %(units)s", units=formats.rate(w.expected or 0)),
            plot.y(float(w.units)),
        )
        for i, w in enumerate(weeks)
    ]
    return plot.svg(gettext("Units sold each week against what was normal to expect."), reads)


def recent(card: SuggestionCard, weeks: int = 16) -> tuple[list[float], list[float]]:
    """Units and expected units of the last weeks, for a sparkline."""
    last = card.evidence_as(TrendEvidence).weeks[-weeks:]
    return [float(w.units) for w in last], [
        float(w.expected) for w in last if w.expected is not None
    ]


def _plot(high: float) -> Plot:
    ticks = nice_ticks(0, max(high, 1.0), 3)
    plot = Plot(height=260, low=0, high=ticks[-1])
    plot.grid(ticks, lambda units: formats.count(units, 0 if units == int(units) else 1))
    return plot


def _shade_stockouts(plot: Plot, weeks: Sequence[SoldWeek], steps: int) -> None:
    """Grey behind weeks in which it could not be bought most of the time: low sales there prove nothing."""
    for i, week in enumerate(weeks):
        if float(week.in_stock or 0) < 0.5:
            plot.shade(max(0.0, (i - 0.5) / steps), (i + 0.5) / steps)


def _days_under(plot: Plot, days: Sequence[date]) -> None:
    """About six dates under the chart."""
    steps = max(1, len(days) - 1)
    every = max(1, len(days) // 6)
    for k, i in enumerate(range(0, len(days), every)):
        plot.under(i / steps, formats.day(days[i]), may_hide=k % 2 == 1)


def _read(
    plot: Plot, x: float, start: date, units: float, likely: tuple[float, float] | None = None
) -> ReadOut:
    note = (
        gettext("likely %(range)s", range=formats.between(*likely, formats.rate)) if likely else ""
    )
    return ReadOut(
        x, formats.day(start), formats.count(units, 0 if likely is None else 1), note, plot.y(units)
    )
