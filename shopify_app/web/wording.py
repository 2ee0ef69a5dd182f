"""The words for codes: certainty, states, reasons, rules. One table each, each tested.

A code without a word is shown as its own text, so that a new rule of the models is never hidden.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from flask_babel import lazy_gettext as later

from shopify_app.domain.suggestion import PriceChangeState, SuggestionCard

PRICE_CERTAINTY: Final = (
    (0.9, later("Very likely to help"), "good"),
    (0.7, later("Likely to help"), "info"),
    (0.0, later("Worth a test"), ""),
)
"""Least chance that it helps, words, badge."""

TREND_CERTAINTY: Final = (
    (0.05, later("Clear change"), "good"),
    (0.20, later("Probably a change"), "info"),
    (1.00, later("Could be chance"), ""),
)
"""Greatest false sign rate, words, badge."""

LASTING: Final = (
    (0.7, later("Likely to last")),
    (0.4, later("May or may not last")),
    (0.0, later("Likely to pass")),
)

UNITS: Final = {
    "profit_a_month": later("profit a month, estimate"),
    "margin_a_week": later("margin lost per week of waiting"),
    "waiting_margin_a_week": later("margin a week that customers wait for"),
    "sales_a_month": later("sales a month"),
    "net_sales_a_month": later("sales a month before tax"),
}

DISMISS_REASONS: Final = {
    "not_now": later("Not now"),
    "wrong_numbers": later("The numbers are wrong"),
    "not_my_plan": later("It does not fit my plans"),
    "already_done": later("I have done it already"),
    "other": later("Another reason"),
}

UNDO_REFUSALS: Final = {
    "under_way": later("A price change of this product is being sent now. Try again in a moment."),
    "conflict": later(
        "The price was edited after this suggestion was made, so we did not touch it. There is nothing to undo."
    ),
    "failed": later(
        "Shopify refused this price change, so nothing was changed. There is nothing to undo."
    ),
    "unknown": later(
        "We do not know whether the price was changed. Check it in Shopify before you decide."
    ),
    "undone": later("This was undone before."),
    "not_accepted": later("This suggestion is not accepted, so there is nothing to undo."),
    "already_exported": later(
        "This order was closed and may be with your supplier. Change it there."
    ),
    "newer_suggestion": later("There is a newer suggestion for this product. Decide on that one."),
    "prices_frozen": later("Prices are frozen today, as you set in Settings. Nothing was changed."),
    "not_sent": later(
        "This price was never sent, so nothing was changed. There is nothing to undo."
    ),
    "not_found": later("There is no such decision."),
}

NEW_LIMITS: Final = {
    "step": later("The step is larger than you allow now."),
    "margin": later("The margin after it is smaller than you allow now."),
    "no_cost": later("What it costs is not known now, so your smallest margin cannot be promised."),
}
"""What an open price, or a planned one at its moment, is beyond."""

ACCEPT_REFUSALS: Final = {
    "prices_frozen": later("Prices are frozen today, as you set in Settings. Nothing was changed."),
    "loss_cap": later(
        "With this one, price changes could lose more than you allow until we know better. Nothing was changed. "
        "Wait for the first verdicts, undo another price, or raise the limit in Settings."
    ),
    "under_way": later(
        "Another price change of this product is being sent. Try again in a moment."
    ),
    "under_test": later(
        "A price test sets this price now, so nothing was changed. Wait until the test is over, or stop it on Pricing."
    ),
    "step": later(
        "The step is larger than you allow now, so nothing was changed. We work this price out again with your new limits."
    ),
    "margin": later(
        "The margin after it is smaller than you allow now, so nothing was changed. We work this price out again with your new limits."
    ),
    "no_cost": later(
        "What it costs is not known now, so your smallest margin cannot be promised. Nothing was changed. Enter the cost in Shopify."
    ),
    "units": later(
        "The vendor does not sell so many units: whole packs, and at least the minimum."
    ),
    "decided_before": later("It was decided before."),
    "not_found": later("There is no such suggestion."),
}
"""Why an acceptance changed nothing."""

MOVES: Final = {
    "price_rise": later("price rises"),
    "price_cut": later("price cuts"),
}
"""Kinds that the brake can stop, in the plural."""

BRAKE_REASONS: Final = {
    "loses_money": later("measured over all of them, they lose money in your store"),
    "first_ones_lost": later("the first ones lost money in your store"),
    "cap_near": later("what they may still lose comes near the limit you set"),
}

NOT_MEASURED: Final = {
    "not_in_store": later("Changes nothing in your store by itself"),
    "no_cost": later("Without a cost, profit cannot be measured"),
    "no_history": later("Sold too little before to compare with"),
    "too_few_comparisons": later("Too few products like it to compare with"),
    "not_registered": later("Could not be set up for measuring"),
    "way_back": later("The way back from a price raised while stock was short"),
    "ended_early": later("Taken back or edited before measuring began"),
}

VERDICTS: Final = {
    "helped": (later("Helped"), "good"),
    "hurt": (later("Hurt"), "critical"),
    "could_not_tell": (later("Could not tell"), ""),
    "too_early": (later("Too early to tell"), "info"),
    "not_measurable": (later("Not measurable"), ""),
}
"""Words and badge."""

LIMITS: Final = {
    "step": later("Largest step %(figure)s; your limit is %(bound)s."),
    "margin": later("Smallest margin after is %(figure)s; your smallest is %(bound)s."),
    "frozen": later("No stage falls on days on which your prices are frozen."),
    "exposure": later("%(figure)s of your sales under change at once; your limit is %(bound)s."),
    "loss_cap": later("At worst %(figure)s lost until we know better; your limit is %(bound)s."),
    "brake": later("No kind of change among them is stopped."),
    "under_way": later("None of these prices is being changed already."),
    "no_cost": later("What each of them costs is known."),
}
"""A limit of a bulk change while it is kept."""

LIMITS_BROKEN: Final = {
    "step": LIMITS["step"],
    "margin": LIMITS["margin"],
    "frozen": later(
        "A stage falls on %(figure)s, when your prices are frozen. Choose another day."
    ),
    "exposure": later(
        "%(figure)s of your sales would be under change at once; your limit is %(bound)s. Choose fewer prices."
    ),
    "loss_cap": later(
        "At worst %(figure)s would be lost until we know better; your limit is %(bound)s. Choose fewer prices."
    ),
    "brake": later("%(figure)s of them are of a kind that we have stopped. See Results."),
    "under_way": later("%(figure)s of them are being changed already. Leave them out."),
    "no_cost": later(
        "The cost of %(figure)s of them is not known, so no margin can be promised. Leave them out."
    ),
}

RULES: Final = {
    "max_step": later("your limit for one step"),
    "max_price_step": later("your limit for one step"),
    "step": later("your limit for one step"),
    "margin_floor": later("your smallest margin"),
    "margin": later("your smallest margin"),
    "price_ending": later("your price ending"),
    "ending": later("your price ending"),
    "tried_range": later("the range of prices you have tried"),
    "compare_at": later("the compare-at price"),
    "compare_at_price": later("the compare-at price"),
    "stock": later("the stock that is left"),
    "chance": later("a chance of harm that is too high"),
    "pack": later("the pack size"),
    "pack_units": later("the pack size"),
    "minimum": later("the minimum order"),
    "minimum_units": later("the minimum order"),
    "dead_stock": later("the risk of unsold stock"),
    "dead_stock_risk": later("the risk of unsold stock"),
    "budget": later("the budget"),
    "supplier_minimum": later("the vendor's least order"),
}

CAUSES: Final = {
    "promotion": later("Discounts explain part of it."),
    "price": later("A price change explains part of it."),
    "price_change": later("A price change explains part of it."),
    "stockout": later("Days without stock explain part of it."),
    "stockout_rebound": later("It may be catching up after days without stock."),
    "season": later("The season explains part of it."),
    "bulk_order": later("A few large orders explain part of it."),
    "new_product": later("It is new, so there is little to compare with."),
    "demand": later("Season, discounts and days without stock do not explain it."),
    "unexplained": later("Season, discounts and days without stock do not explain it."),
}

NOT_SURE: Final = {
    "too_few_price_changes": later("sold at too few different prices"),
    "no_price_changes": later("only ever sold at one price"),
    "no_cost": later("without a cost"),
    "too_few_sales": later("too few sales"),
    "too_few_weeks": later("too few weeks on sale"),
    "too_new": later("too new"),
    "untracked": later("stock is not tracked"),
    "wide_range": later("the likely range is too wide"),
    "weak_evidence": later("the evidence is too weak"),
    "stopped_selling": later("may have stopped selling"),
    "cost_above_price": later("cost more than they sell for before tax"),
    "below_supplier_minimum": later("not worth the vendor's least order"),
}

STEPS: Final = {
    "shop": later("Your store's currency and time zone"),
    "products": later("Products and prices"),
    "inventory": later("Stock and costs"),
    "orders": later("Orders"),
    "refunds": later("Returns"),
    "ledger": later("The money of returned and edited orders"),
    "sales": later("Sales per product and day"),
    "decisions": later("First suggestions"),
}


def words_for(table: Mapping[str, object], code: str) -> str:
    """The words for a code, or the code itself with spaces."""
    return str(table[code]) if code in table else code.replace("_", " ")


def price_certainty(chance: float) -> tuple[str, str]:
    """Words and badge for the chance that a price change helps."""
    return next((str(words), badge) for least, words, badge in PRICE_CERTAINTY if chance >= least)


def trend_certainty(false_sign_rate: float) -> tuple[str, str]:
    """Words and badge for the chance that a trend points the other way."""
    return next(
        (str(words), badge) for most, words, badge in TREND_CERTAINTY if false_sign_rate <= most
    )


def lasting_words(chance: float | None) -> str:
    """Words for the chance that a trend still holds later; '' if it is not known."""
    if chance is None:
        return ""
    return next(str(words) for least, words in LASTING if chance >= least)


def thing(product_title: str, variant_title: str) -> str:
    """A variant as a merchant would say it; Shopify's `Default Title` is not a name."""
    if variant_title in ("", "Default Title"):
        return product_title
    return f"{product_title}, {variant_title}"


def is_under_way(card: SuggestionCard) -> bool:
    """Whether a price write of this card has left or is about to (the page asks again)."""
    return card.change_due_at is None and card.change_state in (
        PriceChangeState.APPROVED,
        PriceChangeState.SENDING,
    )


def listed(codes: Sequence[str], table: Mapping[str, object]) -> str:
    """Several codes as words."""
    return ", ".join(words_for(table, code) for code in codes)
