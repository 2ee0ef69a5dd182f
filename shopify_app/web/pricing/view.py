"""What the page of one price suggestion shows: the curve, the table behind it, the limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from flask_babel import gettext
from markupsafe import Markup

from shopify_app.domain.evidence import CurvePoint, PriceEvidence, PriceProposal
from shopify_app.domain.price_limits import PriceMove, broken_limits, move_held
from shopify_app.domain.shop import ShopSettings
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.web import formats
from shopify_app.web.cards.shortage_words import shortage_reasons
from shopify_app.web.cards.tax_words import (
    from_shop_words,
    shelf_words,
    tax_rate_of,
    unknown_words,
)
from shopify_app.web.charts import Plot, Point, ReadOut, nice_ticks
from shopify_app.web.wording import RULES, words_for

Curve = Sequence[CurvePoint]

NOTE_WIDTH: Final = 0.2
"""Of the chart's width, a little more than its longest note takes."""


@dataclass(frozen=True, slots=True)
class PriceView:
    """The parts of the page."""

    chart: Markup
    rows: list[tuple[str, str, str]]
    """price, profit, likely range"""
    reasons: list[str]
    limits: list[tuple[bool, str]]
    """Whether it is kept, in words."""
    trail: list[tuple[str, str, str]]
    """rule, price before, price after"""


def price_view(card: SuggestionCard, chosen: ShopSettings) -> PriceView:
    """The page's parts, from the evidence alone."""
    return PriceView(
        chart=_chart(card, chosen),
        rows=_rows(card),
        reasons=_reasons(card),
        limits=_limits(card, chosen),
        trail=[
            (words_for(RULES, t.rule), _near(card, t.before), _near(card, t.after))
            for t in card.evidence_as(PriceEvidence).clamp_trail
        ],
    )


def _chart(card: SuggestionCard, chosen: ShopSettings) -> Markup:
    curve = card.evidence_as(PriceEvidence).curve
    if len(curve) < 2:
        return Markup("")
    prices = [float(p.price) for p in curve]
    ticks = nice_ticks(
        min(float(p.profit_low) for p in curve), max(float(p.profit_high) for p in curve), 3
    )
    plot = Plot(height=300, low=ticks[0], high=ticks[-1], top=40)
    plot.grid(ticks, lambda value: formats.money(value, card.currency))
    _draw_limits(plot, card, prices, float(chosen.max_price_step))
    _draw_curve(plot, card, curve)
    _draw_prices(plot, card, curve)
    reads = [_read_out(plot, card, p, prices) for p in curve]
    return plot.svg(_label(card, curve), reads)


def _draw_limits(plot: Plot, card: SuggestionCard, prices: list[float], step: float) -> None:
    old, _ = _prices(card)
    plot.shade(0, max(0.0, _x(old * (1 - step), prices)))
    plot.shade(min(1.0, _x(old * (1 + step), prices)), 1)


def _draw_curve(plot: Plot, card: SuggestionCard, curve: Curve) -> None:
    """Solid where prices were tried, dashed beyond."""
    prices = [float(p.price) for p in curve]
    points: list[Point] = [(_x(float(p.price), prices), float(p.profit)) for p in curve]
    plot.band(
        [(_x(float(p.price), prices), float(p.profit_high)) for p in curve],
        [(_x(float(p.price), prices), float(p.profit_low)) for p in curve],
    )
    old, _ = _prices(card)
    tried = [float(t.price) for t in card.evidence_as(PriceEvidence).prices_tried] or [old]
    left, right = _x(min(tried), prices), _x(max(tried), prices)
    inside = [i for i, (x, _) in enumerate(points) if left <= x <= right]
    first, last = (inside[0], inside[-1]) if inside else (0, 0)
    plot.line(points[: first + 1], "c-line c-dash")
    plot.line(points[first : last + 1], "c-line")
    plot.line(points[last:], "c-line c-dash")


def _draw_prices(plot: Plot, card: SuggestionCard, curve: Curve) -> None:
    prices = [float(p.price) for p in curve]
    old, new = _prices(card)
    for tried in card.evidence_as(PriceEvidence).prices_tried:
        at = float(tried.price)
        if prices[0] <= at <= prices[-1] and at != old:
            plot.dot(
                _x(at, prices),
                _profit_at(at, curve),
                "c-tried",
                3.5 + min(3.0, float(tried.weeks) / 12),
            )
    rising = old < new
    for at, kind, words, anchor in (
        (
            old,
            "now",
            gettext("Now %(price)s", price=_price(card, old)),
            "end" if rising else "start",
        ),
        (
            new,
            "new",
            gettext("Suggested %(price)s", price=_price(card, new)),
            "start" if rising else "end",
        ),
    ):
        x = _x(at, prices)
        plot.rule(x, f"c-rule c-rule-{kind}")
        plot.dot(x, _profit_at(at, curve), f"c-{kind}", 6)
        fits = x < 1 - NOTE_WIDTH if anchor == "start" else x > NOTE_WIDTH
        goes_right = (anchor == "start") is fits
        plot.text(
            x + (0.012 if goes_right else -0.012),
            14 if fits else 30,  # beside the other's note, below it
            words,
            anchor="start" if goes_right else "end",
            kind=f"c-note c-note-{kind}",
        )
    for tick in nice_ticks(prices[0], prices[-1], 4):
        if prices[0] < tick < prices[-1]:
            plot.under(_x(tick, prices), _near(card, tick))


def _read_out(plot: Plot, card: SuggestionCard, point: CurvePoint, prices: list[float]) -> ReadOut:
    return ReadOut(
        _x(float(point.price), prices),
        _near(card, point.price),
        formats.money(float(point.profit), card.currency),
        gettext("likely %(range)s", range=_profit_range(card, point)),
        plot.y(float(point.profit)),
    )


def _label(card: SuggestionCard, curve: Curve) -> str:
    old, new = _prices(card)
    return gettext(
        "Estimated profit a month at each price: %(now)s at today's %(old)s, %(then)s at %(new)s.",
        now=formats.money(_profit_at(old, curve), card.currency),
        old=_price(card, old),
        then=formats.money(_profit_at(new, curve), card.currency),
        new=_price(card, new),
    )


def _rows(card: SuggestionCard) -> list[tuple[str, str, str]]:
    """About nine points of the curve, evenly taken."""
    curve = card.evidence_as(PriceEvidence).curve
    step = max(1, len(curve) // 9)
    return [
        (
            _near(card, p.price),
            formats.money(float(p.profit), card.currency),
            _profit_range(card, p),
        )
        for p in curve[::step]
    ]


def _reasons(card: SuggestionCard) -> list[str]:
    evidence = card.evidence_as(PriceEvidence)
    now, then = float(evidence.units_per_month_now), float(evidence.units_per_month_then)
    old, new = _prices(card)
    cost, kept = float(evidence.unit_cost or 0), 1 / (1 + tax_rate_of(card))
    found = [
        *shortage_reasons(card),
        gettext(
            "Going from %(old)s to %(new)s should change units sold by about %(change)s, from %(now)s to %(then)s a month.",
            old=_price(card, old),
            new=_price(card, new),
            change=formats.change(then / now - 1) if now else "0%",
            now=formats.count(now),
            then=formats.count(then),
        ),
    ]
    if new * kept > cost and old * kept > cost:
        turning = (old * kept - cost) / (new * kept - cost) - 1
        found.append(
            gettext(
                "You would lose money only if sales fell by more than %(share)s.",
                share=formats.percent(-turning),
            )
            if turning < 0
            else gettext(
                "It pays off once sales grow by more than %(share)s.",
                share=formats.percent(turning),
            )
        )
    if evidence.way_back is None:
        found.append(gettext("Season, discounts and days without stock are taken out first."))
    if shelf := shelf_words(card, new):
        found.append(gettext("Profit and margin are before tax: %(shelf)s.", shelf=shelf))
    return [*found, *filter(None, (from_shop_words(card), unknown_words(card)))]


def _limits(card: SuggestionCard, chosen: ShopSettings) -> list[tuple[bool, str]]:
    """The limits of now, by the same rule that a click and the send are held to."""
    move = move_held(card)
    if move is None:
        words = gettext(
            "Back to exactly the price you had: your step and margin do not stand in its way."
        )
        return [(True, words), *_freeze(chosen)]
    broken = broken_limits(move, chosen)
    step = move.new / move.old - 1
    found = [
        (
            "step" not in broken,
            gettext(
                "Step %(step)s; your limit is %(limit)s.",
                step=formats.change(step, 1),
                limit=formats.percent(chosen.max_price_step),
            ),
        ),
        (not {"margin", "no_cost"} & set(broken), _margin_words(move, chosen)),
    ]
    return found + _freeze(chosen)


def _margin_words(move: PriceMove, chosen: ShopSettings) -> str:
    limit = formats.percent(chosen.margin_floor)
    if move.margin is None:
        return gettext(
            "The margin after is not known, as the cost is not; your smallest is %(limit)s.",
            limit=limit,
        )
    return gettext(
        "Margin after is %(margin)s; your smallest is %(limit)s.",
        margin=formats.percent(move.margin),
        limit=limit,
    )


def _freeze(chosen: ShopSettings) -> list[tuple[bool, str]]:
    first, last = chosen.prices_frozen_first, chosen.prices_frozen_last
    if first is None or last is None:
        return []
    words = gettext(
        "No price changes %(first)s to %(last)s.", first=formats.day(first), last=formats.day(last)
    )
    return [(True, words)]


def _x(price: float, prices: list[float]) -> float:
    return (price - prices[0]) / ((prices[-1] - prices[0]) or 1)


def _profit_at(price: float, curve: Curve) -> float:
    """Between two points of the curve, on the straight line."""
    for left, right in pairwise(curve):
        a, b = float(left.price), float(right.price)
        if a <= price <= b:
            share = (price - a) / ((b - a) or 1)
            return float(left.profit) + share * (float(right.profit) - float(left.profit))
    nearest = min(curve, key=lambda p: abs(float(p.price) - price))
    return float(nearest.profit)


def _profit_range(card: SuggestionCard, point: CurvePoint) -> str:
    low, high = float(point.profit_low), float(point.profit_high)
    return formats.between(low, high, lambda amount: formats.money(amount, card.currency))


def _prices(card: SuggestionCard) -> tuple[float, float]:
    """The old price and the new one."""
    asked = card.proposal_as(PriceProposal)
    return float(asked.old_price), float(asked.price)


def _price(card: SuggestionCard, amount: float) -> str:
    return formats.price(amount, card.currency)


def _near(card: SuggestionCard, amount: float) -> str:
    """A price that was worked out, to the last decimal of its currency."""
    return formats.total(float(amount), card.currency)
