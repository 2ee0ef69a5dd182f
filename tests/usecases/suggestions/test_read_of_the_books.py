"""What a run reads of the books: money before tax, stock that is sold on without, units owed, prices that were agreed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shopify_app.db import daily_sales, inventory, orders, shop_settings, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.price_limits import limit_broken_by
from shopify_app.domain.product import InventoryLevel
from shopify_app.usecases.outcomes.history import monday_of, read_history
from shopify_app.usecases.suggestions import explain, suggest
from shopify_app.usecases.suggestions.read_inputs import read_inputs
from tests.factories import NOW, line_of, make_suggestion, make_variant, order_of, rows
from tests.web.page_rows import price_evidence

TODAY = NOW.date()
DAYS = 140
A_DAY = 5


@pytest.fixture(autouse=True)
def no_markets(monkeypatch):
    """There is no Shopify here to ask for its price lists."""
    monkeypatch.setattr(suggest.market_prices, "read_market_prices", lambda shop_id: None)


def sell(shop, variant_id, *, days=DAYS, first=1, **changed):
    """Five orders a day of one unit at 24.00, of which 4.00 is tax."""
    line = {"price": "24.00", "tax": Decimal("4.00")}
    made = [
        order_of(
            first * 10_000 + ago * A_DAY + one,
            line_of(first * 10_000 + ago * A_DAY + one, variant_id, **line),
            at=NOW - timedelta(days=ago),
            **changed,
        )
        for ago in range(1, days + 1)
        for one in range(A_DAY)
    ]
    with transaction(shop.shop_id) as conn:
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, made)
        daily_sales.touch(conn, shop.shop_id, applied.days)
        daily_sales.recount(conn, shop.shop_id, limit_days=999)


def includes_taxes(shop):
    rows(shop, "UPDATE shops SET taxes_included = true RETURNING 1")


def cards(shop, kind):
    suggest.refresh_suggestions(shop.shop_id, as_of=TODAY)
    with transaction(shop.shop_id) as conn:
        return suggestions.cards(conn, shop.shop_id, kinds=(kind,))


def levels(shop, variant_id, *told):
    """What was counted of it, (days ago, units) each."""
    (item,) = rows(shop, "SELECT inventory_item_id FROM variants WHERE id = %(id)s", id=variant_id)[
        0
    ]
    with transaction(shop.shop_id) as conn:
        for ago, units in told:
            at = NOW - timedelta(days=ago)
            inventory.upsert_levels(
                conn, shop.shop_id, [InventoryLevel(item, 7_000_000_001, units, 0, True, at)]
            )
    rows(
        shop,
        "UPDATE inventory_levels SET available_units = %(n)s WHERE inventory_item_id = %(i)s RETURNING 1",
        n=told[-1][1],
        i=item,
    )


def test_a_margin_is_of_the_price_before_tax_and_comes_out_again(acme, rival):
    includes_taxes(acme)
    apron = make_variant(acme, price="24.00", cost="9.00", available=5)
    sell(acme, apron)

    (card,) = cards(acme, "restock")

    assert card.evidence.unit_price == Decimal("24.00")
    assert card.evidence.unit_margin == Decimal("11.00")  # 20.00 before tax less 9.00
    assert (card.evidence.tax_rate, card.evidence.tax_from) == (0.2, "own")
    assert card.tax_rate == Decimal("0.2")
    assert explain.explain(acme.shop_id, card.id).matches
    query = "SELECT variant_id, tax_rate FROM tax_rates"
    assert rows(acme, query) == [(apron, Decimal("0.20000"))]
    assert rows(rival, query) == []


def test_where_tax_comes_on_top_a_margin_is_of_the_whole_price(acme):
    sell(acme, make_variant(acme, price="24.00", cost="9.00", available=5))

    (card,) = cards(acme, "restock")

    assert card.evidence.unit_margin == Decimal("15.00")
    assert card.evidence.tax_rate is None


def test_limits_hold_by_the_tax_that_the_newest_run_found(acme):
    includes_taxes(acme)
    apron = make_variant(acme, price="24.00", cost="17.50", available=500)
    sell(acme, apron)
    asked = {"price": "26.00", "compare_at_price": None, "old_price": "24.00", "old_compare_at_price": None}  # fmt: skip
    number = make_suggestion(acme, apron, proposal=asked, evidence=price_evidence())

    def limits():
        with transaction(acme.shop_id) as conn:
            card = suggestions.card(conn, acme.shop_id, number)
            return limit_broken_by(card, shop_settings.of_shop(conn, acme.shop_id))

    assert limits() is None  # 26.00 less 17.50 is 33 %
    suggest.refresh_suggestions(acme.shop_id, as_of=TODAY)
    assert limits() == "margin"  # 21.67 less 17.50 is 19 %


def oversold(shop):
    """Sells five a day all along, with nothing counted on the shelf for eleven weeks, more and more owed."""
    apron = make_variant(shop, price="24.00", cost="9.00", available=0)
    sell(shop, apron)
    levels(shop, apron, (200, 500), (77, 0), (60, -60), (29, -200), (1, -320))
    return apron


def test_what_sells_on_without_stock_lost_nothing_and_is_ordered_with_what_is_owed(acme):
    apron = oversold(acme)
    rows(
        acme,
        "UPDATE variants SET inventory_policy = 'CONTINUE' WHERE id = %(id)s RETURNING 1",
        id=apron,
    )

    (card,) = cards(acme, "restock")

    assert card.evidence.sells_on
    assert card.evidence.stockout_weeks == 0
    assert card.evidence.demand_per_week == pytest.approx(35, rel=0.1)
    assert card.evidence.owed_units == 320
    assert card.proposal.units == 320 + card.evidence.target_units
    assert (card.value_unit, card.is_urgent) == ("waiting_margin_a_week", False)
    assert cards(acme, "trend") == []


def test_what_sells_below_zero_though_it_should_not_sold_what_it_sold(acme):
    oversold(acme)

    (card,) = cards(acme, "restock")

    assert not card.evidence.sells_on
    assert card.evidence.stockout_weeks == 0
    assert card.evidence.demand_per_week == pytest.approx(35, rel=0.1)
    assert card.proposal.units == 320 + card.evidence.target_units
    assert cards(acme, "trend") == []


def test_a_price_that_was_agreed_is_demand_and_no_answer_to_the_price_in_the_shop(acme):
    apron = make_variant(acme, price="24.00", cost="9.00", available=5)
    sell(acme, apron)
    sell(acme, apron, days=14, first=2, source_name="shopify_draft_order")
    with transaction(acme.shop_id) as conn:
        weekly = read_inputs(conn, acme, TODAY).weekly.set_index("weeks_ago")
        until = monday_of(TODAY)
        history = read_history(conn, acme, first=until - timedelta(weeks=3), until=until)

    assert weekly.loc[0, ["orders", "priced_orders"]].tolist() == [70, 35]
    assert weekly.loc[3, ["orders", "priced_orders"]].tolist() == [35, 35]
    assert set(history["units"]) == set(history["pieces"]) == {35.0}
