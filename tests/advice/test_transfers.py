"""Moves between locations: proposed before an order, only where demand there is known, never another shop's."""

from datetime import timedelta

import pytest

from shopify_app.db import daily_sales, frames, inventory, orders, suggestion_runs, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.product import InventoryLevel, Location
from shopify_app.usecases.suggestions import explain, suggest
from tests.factories import NOW, line_of, make_variant, order_of, rows

WAREHOUSE, SHOP_FLOOR = 7_000_000_001, 7_000_000_002
DAYS = 140


def item_of(shop, variant_id):
    return rows(shop, "SELECT inventory_item_id FROM variants WHERE id = %(id)s", id=variant_id)[0][
        0
    ]


def two_places(shop, *, on_floor=0, in_warehouse=200, sold_from=SHOP_FLOOR):
    """A variant sold once or twice a day from one of two locations, which at last runs dry."""
    variant_id = make_variant(shop, vendor="Northmill")
    begin = NOW - timedelta(days=DAYS)
    sold, news, left = [], [], 1_000
    for day in range(DAYS):
        at, units = begin + timedelta(days=day, hours=1), 1 + day % 2
        left -= units
        sold.append(
            order_of(day + 1, line_of(day + 1, variant_id, units=units, price="24.00"), at=at)
        )
        news.append((sold_from, left, at + timedelta(minutes=1)))
    other = WAREHOUSE if sold_from == SHOP_FLOOR else SHOP_FLOOR
    item = item_of(shop, variant_id)
    with transaction(shop.shop_id) as conn:
        inventory.upsert_locations(
            conn, shop.shop_id, [Location(SHOP_FLOOR, "Shop floor", True, begin)]
        )
        news = [(other, 50, begin), (sold_from, 1_000, begin), *news]
        ends = {SHOP_FLOOR: on_floor, WAREHOUSE: in_warehouse}
        news += [(place, units, NOW + timedelta(hours=1)) for place, units in ends.items()]
        for place, units, at in news:
            inventory.upsert_levels(
                conn, shop.shop_id, [InventoryLevel(item, place, units, 0, True, at)]
            )
        applied = orders.upsert_many(conn, shop.shop_id, shop.zone, sold)
        daily_sales.touch(conn, shop.shop_id, applied.days)
        daily_sales.recount(conn, shop.shop_id, limit_days=DAYS + 9)
    return variant_id


def run(shop):
    """Moves of a run on the day."""
    suggest.refresh_suggestions(shop.shop_id, as_of=NOW.date())
    with transaction(shop.shop_id) as conn:
        return suggestion_runs.newest_moves(conn, shop.shop_id)


@pytest.fixture(autouse=True)
def no_markets(monkeypatch):
    """There is no Shopify here to ask for its price lists."""
    monkeypatch.setattr(suggest.market_prices, "read_market_prices", lambda shop_id: None)


def test_what_was_sold_from_where_is_read_from_the_shelves_that_fell(acme, rival):
    variant_id = two_places(acme)

    with transaction(acme.shop_id) as conn:
        found = frames.stock_places(
            conn, acme.shop_id, NOW.date() - timedelta(days=DAYS), NOW.date(), acme.timezone
        )
    with transaction(rival.shop_id) as conn:
        of_rival = frames.stock_places(
            conn, acme.shop_id, NOW.date() - timedelta(days=DAYS), NOW.date(), acme.timezone
        )

    assert found["location"].tolist() == ["Warehouse", "Shop floor"]
    assert found["variant_id"].unique().tolist() == [variant_id]
    assert found["sold_units"].tolist() == [0.0, 210.0]
    assert of_rival.empty


def test_a_floor_that_ran_dry_is_filled_from_the_warehouse_before_anything_is_bought(acme, rival):
    variant_id = two_places(acme, in_warehouse=200)

    found = run(acme)

    assert [(one.source, one.destination) for one in found] == [("Warehouse", "Shop floor")]
    assert 20 <= found[0].units <= 200
    assert found[0].variant_id == variant_id
    assert found[0].product_title == "Linen apron"
    with transaction(acme.shop_id) as conn:
        assert suggestions.cards(conn, acme.shop_id, kinds=("restock",)) == []
    with transaction(rival.shop_id) as conn:
        assert suggestion_runs.newest_moves(conn, acme.shop_id) == []
    assert run(rival) == []


def test_what_can_be_moved_is_not_bought_and_the_card_says_so(acme):
    variant_id = two_places(acme, in_warehouse=20)

    found = run(acme)

    with transaction(acme.shop_id) as conn:
        (card,) = suggestions.cards(conn, acme.shop_id, kinds=("restock",))
    assert card.variant_id == variant_id
    (move,) = card.evidence.moves
    assert move.units == found[0].units <= 20
    assert [place.as_json() for place in card.evidence.places] == [
        {"location": "Warehouse", "available_units": 20},
        {"location": "Shop floor", "available_units": 0},
    ]
    again = explain.explain(acme.shop_id, card.id)
    assert again.matches, again.differences


def test_the_order_is_smaller_the_more_lies_elsewhere(acme):
    variant_id = two_places(acme, in_warehouse=22)  # about what sells until an order lands

    ordered = []
    for more in (0, 18):
        level = InventoryLevel(
            item_of(acme, variant_id),
            WAREHOUSE,
            22 + more,
            0,
            True,
            NOW + timedelta(hours=2 + more),
        )
        with transaction(acme.shop_id) as conn:
            inventory.upsert_levels(conn, acme.shop_id, [level])
        run(acme)
        with transaction(acme.shop_id) as conn:
            (card,) = suggestions.cards(conn, acme.shop_id, kinds=("restock",))
        ordered.append(card.proposal.units)

    assert ordered[1] < ordered[0]


def test_nothing_is_moved_to_where_nothing_is_sold_or_from_where_it_is_needed(acme):
    two_places(acme, on_floor=200, in_warehouse=0)

    assert run(acme) == []


def test_a_closed_location_is_no_place_to_take_from(acme):
    two_places(acme)
    with transaction(acme.shop_id) as conn:
        inventory.upsert_locations(
            conn, acme.shop_id, [Location(WAREHOUSE, "Warehouse", False, NOW + timedelta(hours=2))]
        )

    assert run(acme) == []


def test_without_a_shelf_that_was_seen_to_fall_no_locations_demand_is_known(acme):
    two_places(acme)
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        cur.execute("DELETE FROM inventory_history WHERE location_id = %s", (SHOP_FLOOR,))

    assert run(acme) == []
