"""A price raised while stock was short goes back once its reason is gone: as a suggestion, exactly, and never by itself."""

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from psycopg2.extras import Json

from shopify_app.advice import price as price_advice
from shopify_app.advice import way_back as way_back_advice
from shopify_app.advice.inputs import Inputs
from shopify_app.analytics.prices.elasticity import fit_price_response
from shopify_app.analytics.prices.pricing import PriceLimits, suggest_prices
from shopify_app.db import ledgers, measuring_settings, price_changes, registrations, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import MeasuringSettings, MoveKind, Ruling
from shopify_app.domain.suggestion import PriceChangeState
from shopify_app.errors import InvalidInputError
from shopify_app.usecases.decisions import decide, price_outbox
from shopify_app.usecases.outcomes import hold_back as holding_back
from shopify_app.usecases.suggestions import explain, suggest
from tests.factories import NOW, make_suggestion, make_variant, rows, run_settings
from tests.price_writes import app_writes, send
from tests.stall import write
from tests.web.page_rows import price_evidence, set_change, set_settings

TODAY = NOW.date()
UNTIL = TODAY + timedelta(days=14)
SHORTAGE = {"until": UNTIL.isoformat(), "there_units": 10, "needed_units": 40}
RAISE = {
    "suggestion_id": 7,
    "variant_id": 5,
    "proposal": {
        "price": "26.00",
        "compare_at_price": None,
        "old_price": "24.00",
        "old_compare_at_price": "25.00",
    },
    "evidence": {
        "shortage": SHORTAGE,
        "elasticity": -2.0,
        "elasticity_low": -2.6,
        "elasticity_high": -1.4,
        "units_per_month_now": 100.0,
        "unit_cost": "9.00",
        "window_first": "2024-11-22",
        "window_last": "2026-11-19",
    },
    "raised_on": TODAY.isoformat(),
    "is_quiet": False,
}


def ways_back(*, on_shelves=10, on=TODAY, **changed):
    variants = pd.DataFrame({"variant_id": [5], "available_units": [on_shelves]})
    settings = run_settings(raised_while_short=[RAISE | changed])
    inputs = Inputs(on, variants, pd.DataFrame(), pd.DataFrame(), settings)
    return way_back_advice.suggest(inputs, seed=0)


@pytest.mark.parametrize(
    ("on_shelves", "days", "because"),
    [
        (10, 0, None),
        (12, 0, None),  # two came back from a customer
        (13, 0, "stock_came"),
        (0, 13, None),
        (0, 14, "day_passed"),
        (500, 14, "stock_came"),
    ],
)
def test_it_is_time_once_more_is_there_than_was_called_short_or_the_day_has_come(
    on_shelves, days, because
):
    found = ways_back(on_shelves=on_shelves, on=TODAY + timedelta(days=days))

    assert [one.evidence.way_back.because for one in found] == ([because] if because else [])


def test_it_goes_back_to_exactly_the_prices_before_and_names_the_raise():
    (found,) = ways_back(on_shelves=99)

    assert found.proposal.as_json() == {
        "price": "24.00",
        "compare_at_price": "25.00",
        "old_price": "26.00",
        "old_compare_at_price": None,
        "back_from": 7,
    }


def test_what_it_brings_is_what_the_raise_knew_with_stock_for_all():
    (found,) = ways_back(on_shelves=99)

    at_old, at_new = 100 * 15, 100 * (26 / 24) ** -2.0 * 17
    assert float(found.value_mid) == pytest.approx(at_old - at_new, abs=0.01)
    assert found.value_low <= found.value_mid <= found.value_high
    assert found.evidence.chance_it_helps > 0.5  # demand is more elastic than the margin asks for
    (steeper,) = ways_back(
        on_shelves=99, evidence=RAISE["evidence"] | {"elasticity": -1.0, "elasticity_high": -0.4}
    )
    assert steeper.value_mid < 0
    assert steeper.evidence.chance_it_helps < 0.5


def test_below_its_cost_the_old_price_cannot_help_and_is_offered_all_the_same():
    (found,) = ways_back(on_shelves=99, evidence=RAISE["evidence"] | {"unit_cost": "24.50"})

    assert found.evidence.chance_it_helps == 0.0
    assert found.value_mid < 0


def test_what_the_merchant_decided_about_and_what_is_sold_no_more_is_left(monkeypatch):
    assert ways_back(on_shelves=99, is_quiet=True) == []
    assert ways_back(on_shelves=99, variant_id=6) == []


# ---------------------------------------------------------------- which raises are for a shortage


@pytest.fixture(scope="module")
def fitted():
    """Forty products at their best price and forty far below it, all of known demand."""
    rng = np.random.default_rng(3)
    count, weeks = 80, 78
    ratio = np.ones((count, weeks))
    for row in range(count):
        for week in rng.choice(np.arange(6, 72), 6, replace=False):
            ratio[row, week:] = rng.uniform(0.88, 1.12)
    units = rng.poisson(40 * ratio**-2.5)
    starts = np.datetime64("2025-05-26", "s") + np.arange(weeks) * np.timedelta64(7, "D")
    panel = pd.DataFrame(
        {
            "series_id": np.repeat(np.arange(count), weeks),
            "period": np.tile(starts, count),
            "units": units.ravel().astype(float),
            "price": np.round(20 * ratio, 2).ravel(),
        }
    )
    price = np.round(20 * ratio[:, -1], 2)
    best = np.arange(count) < 40  # with demand ^ -2.5 a price is best at 5/3 of its cost
    catalogue = pd.DataFrame(
        {
            "series_id": np.arange(count),
            "price": price,
            "unit_cost": np.where(best, price * 0.6, price * 0.85),
            "units_per_month": 40 * ratio[:, -1] ** -2.5 * 52 / 12,
        }
    )
    return fit_price_response(panel), catalogue


def test_only_a_raise_that_stock_for_all_would_not_ask_for_has_an_end(fitted):
    response, catalogue = fitted
    limits = PriceLimits(max_step=0.1, margin_floor=0.0, max_revenue_share=1.0)
    stock = pd.DataFrame(
        {
            "series_id": catalogue["series_id"],
            "available": 40.0,  # a week's sales, while an order takes four
            "weeks_to_delivery": 4.0,
            "is_short": True,
        }
    )
    made = suggest_prices(response, catalogue, limits, stock=stock)
    raised = made[made["price"] > made["old_price"]]
    inputs = Inputs(TODAY, pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), {})

    found = price_advice._shortages(inputs, raised, stock, response, catalogue, limits)

    at_best = set(raised["series_id"][raised["series_id"] < 40])
    assert len(at_best) >= 30
    assert len(at_best & set(found)) >= 0.9 * len(at_best)
    assert {one for one in found if one >= 40} == set()  # those are worth raising anyway
    one = found[next(iter(found))]
    assert (one.until, one.there_units) == (TODAY + timedelta(days=28), 40)
    assert one.needed_units > 100

    ample = stock.assign(available=1e6, is_short=False)
    assert price_advice._shortages(inputs, raised, ample, response, catalogue, limits) == {}


def test_while_a_raise_stands_nothing_else_is_said_of_its_price(fitted, monkeypatch):
    response, catalogue = fitted
    variants = catalogue.rename(columns={"series_id": "variant_id"})[["variant_id", "unit_cost"]]
    variants = variants.assign(compare_at_price=np.nan, available_units=0)
    week = pd.DataFrame({"variant_id": [0], "weeks_ago": [0], "price": [np.nan]})
    chosen = {"currency": "GBP", "minor_digits": 2, "resting": {"price": []}}
    catalogue = catalogue.assign(units_per_week=1.0, units_each=1.0, tax_rate=0.0)
    stock = catalogue[["series_id"]].assign(available=np.nan, weeks_to_delivery=np.nan, is_short=0)
    limits = PriceLimits(max_step=0.1, margin_floor=0.0, max_revenue_share=1.0)
    for name, made in {
        "_panel": catalogue, "_catalogue": catalogue, "_stock": stock, "limits": limits
    }.items():  # fmt: skip
        monkeypatch.setattr(price_advice, name, lambda *_, made=made: made)
    monkeypatch.setattr(price_advice.elasticity, "fit_price_response", lambda *_, **__: response)

    def prices(*raises):
        settings = run_settings(**chosen | {"raised_while_short": list(raises)})
        inputs = Inputs(TODAY, variants, week, pd.DataFrame(), settings)
        return {one.variant_id for one in price_advice.suggest(inputs, seed=0).suggestions}

    free = prices()
    one = min(free)

    assert free - {one} <= prices(RAISE | {"variant_id": one})
    assert one not in prices(RAISE | {"variant_id": one})
    assert one in prices(RAISE | {"variant_id": one, "evidence": RAISE["evidence"] | {
        "shortage": SHORTAGE | {"until": TODAY.isoformat()}}})  # fmt: skip


# ---------------------------------------------------------------- in the shop


@pytest.fixture(autouse=True)
def no_markets(monkeypatch):
    """There is no Shopify here to ask for its price lists."""
    monkeypatch.setattr(suggest.market_prices, "read_market_prices", lambda shop_id: None)


@pytest.fixture
def raised(acme):
    """(shop, variant, raise): accepted, written, the shop shows it; ten were left."""
    variant_id = make_variant(acme, price="24.00", available=10)
    evidence = price_evidence(shortage=SHORTAGE)
    number = make_suggestion(acme, variant_id, evidence=evidence, value=("-20", "30", "80"))
    decide.accept_suggestion(acme.shop_id, number, accepted_by="42")
    set_change(acme, number, "applied", seen="26.00")
    shows(acme, "26.00")
    return acme, variant_id, number


def shows(shop, price):
    rows(shop, "UPDATE variants SET price = %(price)s RETURNING 1", price=Decimal(price))


def stock_comes(shop, units=200):
    rows(shop, "UPDATE inventory_levels SET available_units = %(n)s RETURNING 1", n=units)


def refreshed(shop, on=TODAY):
    suggest.refresh_suggestions(shop.shop_id, as_of=on)
    with transaction(shop.shop_id) as conn:
        return suggestions.cards(conn, shop.shop_id, kinds=("price",))


def age_decisions(shop, days):
    rows(
        shop,
        "UPDATE suggestions SET decided_at = decided_at - make_interval(days => %(n)s),"
        " snoozed_until = snoozed_until - %(n)s WHERE decided_at IS NOT NULL RETURNING 1",
        n=days,
    )


def test_while_stock_is_short_nothing_is_said_and_once_it_came_the_way_back_is(raised, rival):
    shop, variant_id, number = raised
    assert refreshed(shop) == []

    stock_comes(shop)
    (card,) = refreshed(shop)

    assert (card.variant_id, card.proposal.back_from, card.is_urgent) == (
        variant_id,
        number,
        True,
    )
    assert explain.explain(shop.shop_id, card.id).matches
    assert refreshed(shop)[0].id == card.id  # the same card from night to night
    assert rows(shop, "SELECT count(*) FROM price_changes") == [(1,)]  # nothing without a click
    assert refreshed(rival) == []


@pytest.mark.parametrize("price", ["27.00", "24.00"])
def test_a_price_that_the_merchant_set_since_is_left(raised, price):
    shop, *_ = raised
    shows(shop, price)

    assert refreshed(shop, on=UNTIL) == []


def test_a_raise_that_was_taken_back_or_never_written_has_no_way_back(raised):
    shop, _, number = raised
    for state in ("conflict", "undone"):
        set_change(shop, number, state)
        assert refreshed(shop, on=UNTIL) == []


def test_a_click_writes_exactly_the_old_price_is_not_measured_and_no_cap_or_brake_stands_in_its_way(
    raised, monkeypatch
):
    shop, *_ = raised
    stock_comes(shop)
    with transaction(shop.shop_id) as conn:
        measuring_settings.save(
            conn, shop.shop_id, MeasuringSettings(Decimal("0.2"), Decimal(1), Decimal("0.3"))
        )
        ledgers.pull_brake(conn, shop.shop_id, MoveKind.PRICE_CUT, Ruling(ruling="stop"))
    monkeypatch.setattr(holding_back.outcomes, "hold_back", lambda ids, share, seed: tuple(ids))
    (card,) = refreshed(shop)  # nor is it drawn to be held back

    assert decide.accept_suggestion(shop.shop_id, card.id, accepted_by="42")

    with transaction(shop.shop_id) as conn:
        change = price_changes.newest_of_suggestion(conn, shop.shop_id, card.id)
        assert price_changes.unregistered(conn, shop.shop_id, limit=9) == []
    assert (change.old_price, change.new_price, change.undo_of) == (26, 24, None)
    assert rows(
        shop, "SELECT kind, state, not_measurable_because FROM registrations ORDER BY id DESC"
    ) == [("price_cut", "not_measured", "way_back")]


def test_on_frozen_days_it_waits_as_every_price_does(raised):
    shop, *_ = raised
    stock_comes(shop)
    (card,) = refreshed(shop)
    set_settings(shop, prices_frozen_first="2020-01-01", prices_frozen_last="2099-01-01")

    with pytest.raises(InvalidInputError):
        decide.accept_suggestion(shop.shop_id, card.id, accepted_by="42")
    assert rows(shop, "SELECT count(*) FROM price_changes") == [(1,)]


@pytest.mark.parametrize(("reason", "comes_again"), [("not_now", True), ("not_my_plan", False)])
def test_not_now_is_asked_again_after_its_rest_and_any_other_no_is_final(
    raised, reason, comes_again
):
    shop, *_ = raised
    (card,) = refreshed(shop, on=UNTIL)
    decide.dismiss_suggestion(shop.shop_id, card.id, reason=reason, dismissed_by="42")
    assert refreshed(shop, on=UNTIL) == []

    age_decisions(shop, decide.REST_DAYS + 30)

    assert bool(refreshed(shop, on=UNTIL)) is comes_again


def test_stock_that_comes_ends_the_raise_and_the_shop_has_its_old_price_again(world, apron):
    variant_id, number = apron
    shop = world.shop()
    evidence = price_evidence(shortage=SHORTAGE | {"there_units": 3})
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute("UPDATE suggestions SET evidence = %s WHERE id = %s", (Json(evidence), number))
    decide.accept_suggestion(shop.shop_id, number, accepted_by="42")
    send(world)
    world.control(f"variants/{variant_id}/stock", available=400)
    world.deliver()
    today = datetime.now(shop.zone).date()
    card = next(one for one in refreshed(shop, on=today) if one.variant_id == variant_id)

    decide.accept_suggestion(shop.shop_id, card.id, accepted_by="42")
    send(world)
    world.deliver()

    assert app_writes(world, variant_id) == [("24.00", "26.00"), ("26.00", "24.00")]
    with transaction(shop.shop_id) as conn:
        found = suggestions.card(conn, shop.shop_id, number)
    assert (found.went_back, found.state) == (True, "accepted")


def test_the_window_of_the_raise_ends_on_the_day_of_its_way_back_and_only_once_it_is_written(
    stall,
):
    shop, (number, *_), (variant_id, *_) = stall
    write(shop, number)
    back = make_suggestion(
        shop,
        variant_id,
        proposal=RAISE["proposal"] | {"old_price": "26.00", "price": "24.00", "back_from": number},
    )
    decide.accept_suggestion(shop.shop_id, back, accepted_by="42")

    def ended():
        with transaction(shop.shop_id) as conn:
            lines = registrations.ledger_lines(conn, shop.shop_id)
        return next(one.ended_because for one in lines if one.suggestion_id == number)

    with transaction(shop.shop_id) as conn:
        (change,) = price_changes.claim(conn, shop.shop_id, limit=9, lease_seconds=60)
    assert ended() is None
    price_outbox._finish(shop.shop_id, change, PriceChangeState.APPLIED)

    assert ended() == "way_back"
