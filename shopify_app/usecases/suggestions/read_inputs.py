"""What the models see of a shop on a day, read once from rows (`advice.inputs.Inputs`)."""

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
import pandas as pd

from shopify_app.advice.before_tax import RECENT_DAYS, with_tax_rates
from shopify_app.advice.inputs import RECEIPTS, VENDORS, Inputs
from shopify_app.advice.shop_weeks import first_weekday
from shopify_app.db import (
    calibrations,
    exposure,
    frames,
    measuring_settings,
    price_changes,
    price_history,
    price_tests,
    purchase_orders,
    shop_settings,
    suggestions,
    tested_prices,
)
from shopify_app.db.connection import Connection
from shopify_app.domain.currency import written_digits
from shopify_app.domain.documents import Number
from shopify_app.domain.evidence import PriceEvidence, SuggestionKind, TrendProposal
from shopify_app.domain.run import PriceTestRoom, RaiseEvidence, RunSettings, StandingRaise
from shopify_app.domain.shop import Shop, ShopSettings
from shopify_app.usecases.outcomes import risk
from shopify_app.usecases.suggestions.read_weeks import read_weeks

HISTORY_WEEKS: Final = 104
PLACES_DAYS: Final = 182
"""Days over which it is looked at what was sold from which location."""
TRENDS_SHOWN: Final = 200
TEST_DECLINED_DAYS: Final = 90
TEST_ENDED_DAYS: Final = 28
"""How long no price test is proposed after one was declined, or has ended."""
RECEIPTS_DAYS: Final = 730
"""Days over which deliveries are learned from."""


def read_inputs(conn: Connection, shop: Shop, as_of: date) -> Inputs:
    """A shop as the models see it on a day; weeks end yesterday and every seven days before."""
    last = as_of - timedelta(days=1)
    chosen = shop_settings.of_shop(conn, shop.shop_id)
    variants = _with_tax(conn, shop, frames.variants_on_sale(conn, shop.shop_id), as_of)
    weeks = read_weeks(conn, shop, as_of, weeks=HISTORY_WEEKS, variants=variants)
    ordered = purchase_orders.ordered_units(
        conn, shop.shop_id, as_of, default_days=chosen.lead_time_days
    )
    ours = variants["variant_id"].map(ordered).fillna(0).astype("int64")
    variants["incoming_units"] = np.maximum(variants["incoming_units"], ours)
    settings = _settings(conn, shop, as_of, chosen, variants, weeks.part_share)
    places_since = as_of - timedelta(days=PLACES_DAYS)
    return Inputs(
        as_of,
        variants,
        weeks.weekly,
        _vendors(conn, shop),
        settings,
        frames.stock_places(conn, shop.shop_id, places_since, last, shop.timezone),
        _receipts(conn, shop, as_of),
        weeks.closed,
        weeks.promoted,
    )


def _with_tax(conn: Connection, shop: Shop, variants: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The variants with what of their prices is tax."""
    first, last = as_of - timedelta(days=RECENT_DAYS), as_of - timedelta(days=1)
    return with_tax_rates(
        variants,
        frames.tax_rates(conn, shop.shop_id, first, last),
        taxes_included=shop.taxes_included,
        minor_digits=written_digits(shop.currency),
    )


def _settings(
    conn: Connection,
    shop: Shop,
    as_of: date,
    chosen: ShopSettings,
    variants: pd.DataFrame,
    part_share: float,
) -> RunSettings:
    """What a run goes by: the merchant's settings, and what is known beside them."""
    resting = {
        kind: tuple(sorted(suggestions.resting_variants(conn, shop.shop_id, kind, as_of)))
        for kind in SuggestionKind
    }
    return RunSettings(
        **asdict(chosen),
        currency=shop.currency,
        minor_digits=written_digits(shop.currency),
        resting=resting,
        trends_before=_trends_before(conn, shop),
        raised_while_short=_raised_while_short(conn, shop, as_of),
        range_levels=_range_levels(conn, shop),
        price_switches=_price_switches(conn, shop, as_of),
        price_test=_price_test(conn, shop, as_of, variants["variant_id"].tolist()),
        first_weekday=first_weekday(shop.shop_id),
        part_share=part_share,
    )


def _vendors(conn: Connection, shop: Shop) -> pd.DataFrame:
    """How vendors deliver, as the merchant told us; of a least order, what the draft still lacks."""
    told = shop_settings.vendor_lead_times(conn, shop.shop_id)
    drafts = purchase_orders.on_draft(conn, shop.shop_id)
    lacking: dict[str, Decimal] = {}
    for one in told:
        units, money = drafts.get(one.vendor, (0, Decimal(0)))
        there = units if one.order_minimum_in == "units" else money
        lacking[one.vendor] = max((one.order_minimum or Decimal(0)) - there, Decimal(0))
    return pd.DataFrame(
        [asdict(one) | {"order_minimum": lacking[one.vendor]} for one in told],
        columns=list(VENDORS),
    ).astype(VENDORS)


def _receipts(conn: Connection, shop: Shop, as_of: date) -> pd.DataFrame:
    """Orders that were sent: how long they took, or how old they are."""
    now = datetime.combine(as_of, time(), shop.zone)
    found = purchase_orders.receipts(conn, shop.shop_id, now - timedelta(days=RECEIPTS_DAYS))
    rows = [
        (
            one.vendor,
            max((one.arrived_at or now) - one.sent_at, timedelta()),
            one.arrived_at is None,
        )
        for one in found
    ]
    return pd.DataFrame(
        [(vendor, took / timedelta(days=1), is_open) for vendor, took, is_open in rows],
        columns=list(RECEIPTS),
    ).astype(RECEIPTS)


def _trends_before(conn: Connection, shop: Shop) -> tuple[tuple[int, str], ...]:
    """Variant and direction of the trends on show: they stay until they become doubtful."""
    shown = suggestions.cards(
        conn, shop.shop_id, kinds=("trend",), states=("open", "accepted"), limit=TRENDS_SHOWN
    )
    found = {card.variant_id: card.proposal_as(TrendProposal).direction for card in shown}
    return tuple((variant, found[variant]) for variant in sorted(found))


def _raised_while_short(conn: Connection, shop: Shop, as_of: date) -> tuple[StandingRaise, ...]:
    """Raises for a shortage that stand, with what their way back rests on."""
    return tuple(
        StandingRaise(
            suggestion_id=one.suggestion_id,
            variant_id=one.variant_id,
            proposal=one.proposal,
            evidence=_raise_evidence(one.evidence),
            raised_on=one.written_at.astimezone(shop.zone).date(),
            is_quiet=one.is_quiet,
        )
        for one in price_changes.raised_while_short(conn, shop.shop_id, as_of)
    )


def _raise_evidence(told: PriceEvidence) -> RaiseEvidence:
    known = told.as_json()
    return RaiseEvidence.of_json(
        {name: known[name] for name in RaiseEvidence.model_fields if name in known}
    )


def _price_switches(
    conn: Connection, shop: Shop, as_of: date
) -> tuple[tuple[int, date, bool], ...]:
    """Variant, day, whether back to the regular price, of the prices that tests set."""
    since = as_of - timedelta(weeks=HISTORY_WEEKS)
    found = tested_prices.switches(conn, shop.shop_id, since, shop.timezone)
    return tuple(found)


def _price_test(conn: Connection, shop: Shop, as_of: date, variant_ids: list[int]) -> PriceTestRoom:
    """Whether a price test may be proposed, what it may cost, how much of sales it may hold, what it may not touch."""
    if not price_tests.may_propose(
        conn, shop.shop_id, declined_days=TEST_DECLINED_DAYS, ended_days=TEST_ENDED_DAYS
    ):
        return PriceTestRoom(may_propose=False)
    under = exposure.variants_under_change(conn, shop.shop_id)
    left = risk.loss_cap(conn, shop.shop_id, as_of) - risk.at_risk(conn, shop.shop_id, Decimal(0))
    shares = risk.shares_of_sales(conn, shop.shop_id, as_of)
    return PriceTestRoom(
        may_propose=True,
        cost_left=left,
        exposure_limit=measuring_settings.of_shop(conn, shop.shop_id).exposure_limit,
        shares={str(product): share for product, share in sorted(shares.items())},
        share_under_change=float(risk.share_of_sales(conn, shop.shop_id, under, as_of)),
        fixed=tuple(sorted(price_history.fixed_prices(conn, shop.shop_id, variant_ids))),
    )


def _range_levels(conn: Connection, shop: Shop) -> dict[str, Number]:
    """For each level said the level to ask for instead, by what became of the shop's ranges."""
    known = calibrations.of_shop(conn, shop.shop_id)
    return dict(known.corrections) if known else {}
