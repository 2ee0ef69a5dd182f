"""The terms of a price test in words: its prices, its blocks, how it ends, what it leaves alone."""

from collections.abc import Sequence
from datetime import date, timedelta

from flask_babel import gettext, ngettext

from shopify_app.domain.price_test import PriceTest
from shopify_app.web import formats
from shopify_app.web.reading import zone


def products(test: PriceTest) -> str:
    """How many products."""
    return ngettext("%(num)s product", "%(num)s products", len(test.plan.series))


def weeks(number: int) -> str:
    """A number of weeks."""
    return ngettext("%(num)s week", "%(num)s weeks", number)


def of_all(number: int, of: int) -> str:
    """So many of so many."""
    return gettext("%(number)s of %(of)s", number=formats.count(number), of=formats.count(of))


def _steps(shares: Sequence[float]) -> str:
    """Smallest to largest of relative steps, once where they look alike."""
    low, high = formats.percent(min(shares), 1), formats.percent(max(shares), 1)
    return low if low == high else gettext("%(low)s to %(high)s", low=low, high=high)


def swing(test: PriceTest) -> str:
    """What the prices do."""
    return gettext(
        "Of every two blocks of %(stand)s each product stands one below today's price (by %(down)s) and one above it (by "
        "%(up)s); which comes first is drawn by lot. Variants of a product move together.",
        stand=weeks(test.block_weeks),
        down=_steps([1 - one.low_price / one.old_price for one in test.plan.series]),
        up=_steps([one.high_price / one.old_price - 1 for one in test.plan.series]),
    )


def ends(test: PriceTest) -> str:
    """By itself, or by the merchant."""
    return gettext(
        "By itself: when it knows enough, when the next block could take it past the maximum, or after %(weeks)s. "
        "By you: at any time. Each price then goes back to exactly what it was.",
        weeks=weeks(test.weeks),
    )


def left_alone() -> str:
    """What the test never changes."""
    return gettext(
        "A price that you change yourself leaves the test and stays as you set it. Prices fixed for a market do not move."
    )


def comparison(test: PriceTest) -> str:
    """The other half."""
    return ngettext(
        "%(num)s other product keeps its price, drawn by lot: it shows what the weeks would have brought anyway.",
        "%(num)s other products keep their prices, drawn by lot: they show what the weeks would have brought anyway.",
        len(test.plan.comparison_ids),
    )


def never_began(test: PriceTest) -> bool:
    """Whether it was stopped before its first block: no price was ever another."""
    if test.stopped_at is None or test.first_on is None:
        return False
    return test.stopped_at.astimezone(zone()).date() < test.first_on


def when(test: PriceTest, today: date) -> str:
    """The block, or when it begins."""
    block = test.block_on(today)
    if test.first_on is not None and today < test.first_on:
        return gettext("Begins on %(day)s", day=formats.day(test.first_on))
    if block is None:
        return gettext("Last block over")
    return gettext(
        "Block %(block)s of %(blocks)s, until %(day)s",
        block=formats.count(block + 1),
        blocks=formats.count(test.weeks // test.block_weeks),
        day=formats.day(_block_end(test, block)),
    )


def block_figure(test: PriceTest, today: date) -> tuple[str, str]:
    """The block as (name, figure)."""
    block = test.block_on(today)
    if test.first_on is not None and today < test.first_on:
        return gettext("Begins"), formats.day(test.first_on)
    blocks = test.weeks // test.block_weeks
    return gettext("Block"), of_all(blocks if block is None else block + 1, blocks)


def _block_end(test: PriceTest, block: int) -> date:
    """Last day of a block, of a test that has its day."""
    first_on = test.first_on or test.proposed_at.date()
    return first_on + timedelta(weeks=test.block_weeks * (block + 1), days=-1)


def lasts(test: PriceTest, now: str) -> str:
    """From when until when at the latest."""
    if test.first_on is None or test.last_on is None:
        return ""
    return gettext(
        "%(when)s. From %(first)s to %(last)s at the latest; you can stop it at any time.",
        when=now,
        first=formats.day(test.first_on),
        last=formats.day(test.last_on),
    )


def standing(test: PriceTest, today: date) -> str:
    """Which prices a block has."""
    block = test.block_on(today)
    if block is None:
        return gettext("All stand at what they were before the test, or are on their way there.")
    high = sum(one.is_high_in(block) for one in test.plan.series)
    return gettext(
        "In this block %(high)s are to stand at their higher price and %(low)s at their lower one, until %(day)s.",
        high=ngettext("%(num)s product", "%(num)s products", high),
        low=formats.count(len(test.plan.series) - high),
        day=formats.day(_block_end(test, block)),
    )
