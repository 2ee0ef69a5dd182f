"""A shop is as it was described: facts, shelves, sales by day, and the books of what happened to orders."""

import pytest

from simulator.store import Store
from simulator.world import described
from simulator.world.description import ShopDescription
from simulator.world.ledger import ledger
from simulator.world.rows import NotThereError


def shop_of(folder, **told):
    store = Store(folder / "simulator.sqlite3")
    described.make(
        store,
        "acme.myshopify.com",
        ShopDescription.model_validate({"as_of": "2026-11-30", **told}),
    )
    return store


def days(store):
    books = ledger(store, "acme.myshopify.com", None, None)
    return {day["day"]: day for day in books["days"]}


def rows(store, query):
    return [tuple(row) for row in store.connection().execute(query)]


def product(title="Apron", **variant):
    return {"title": title, "variants": [{"price": "24.00", **variant}]}


def test_a_steady_rate_is_as_even_as_whole_units_can_be(tmp_path):
    sales = [{"from": 10, "to": 1, "per_day": 0.5, "draw": "steady"}]
    told = days(shop_of(tmp_path, products=[product(sales=sales)]))

    assert [(day, one["units"]) for day, one in told.items()] == [
        ("2026-11-21", 1),
        ("2026-11-23", 1),
        ("2026-11-25", 1),
        ("2026-11-27", 1),
        ("2026-11-29", 1),
    ]


def test_a_drawn_rate_is_the_same_of_one_seed_and_another_of_another(tmp_path):
    def sold(folder, seed):
        sales = [{"from": 60, "per_day": 2}]
        made = shop_of(tmp_path / folder, seed=seed, products=[product(sales=sales)])
        return {day: one["units"] for day, one in days(made).items()}

    assert sold("a", 1) == sold("b", 1) != sold("c", 2)


def test_a_closed_shop_sells_nothing(tmp_path):
    sales = [{"from": 10, "per_day": 1, "draw": "steady"}]
    told = days(shop_of(tmp_path, products=[product(sales=sales)], closed=[{"from": 8, "to": 3}]))

    assert list(told) == ["2026-11-20", "2026-11-21", "2026-11-28", "2026-11-29"]


def test_sales_are_at_the_price_of_their_day(tmp_path):
    history = [{"from": 20, "price": "20.00"}, {"from": 5, "price": "22.00"}]
    told = days(
        shop_of(
            tmp_path, products=[product(price_history=history, sales=[[6, 1], [4, 1], [30, 2]])]
        )
    )

    assert {day: one["gross"] for day, one in told.items()} == {
        "2026-10-31": "48.00",
        "2026-11-24": "20.00",
        "2026-11-26": "22.00",
    }


def test_shelves_are_as_described_whatever_was_sold(tmp_path):
    levels = {"Main": {"available": 7, "incoming": 12}, "Annexe": {"available": -3}}
    store = shop_of(
        tmp_path,
        locations=[{"name": "Main"}, {"name": "Annexe", "active": False}],
        products=[product(levels=levels, sales=[[3, 5]])],
        orders=[{"at": 2, "lines": [{"variant": "Apron", "units": 4}]}],
    )

    assert rows(
        store,
        "SELECT p.name, p.is_active, l.available, l.incoming FROM inventory_levels l"
        " JOIN locations p ON p.shop = l.shop AND p.id = l.location_id ORDER BY p.id",
    ) == [("Main", 1, 7, 12), ("Annexe", 0, -3, 0)]


def test_what_happens_to_an_order_stands_on_its_own_day(tmp_path):
    order = {
        "at": "2026-11-01T12:00:00Z",
        "lines": [{"variant": "Apron", "units": 2}],
        "tip": "3.00",
        "refunds": [{"at": "2026-11-05T12:00:00Z", "lines": [{"line": 0}], "amount": "20.00"}],
    }
    told = days(shop_of(tmp_path, products=[product()], orders=[order]))

    assert (told["2026-11-01"]["gross"], told["2026-11-01"]["net"]) == ("48.00", "48.00")
    assert (told["2026-11-05"]["refunds"], told["2026-11-05"]["net"]) == ("20.00", "-20.00")


def test_tax_in_prices_is_taken_out_of_the_books(tmp_path):
    told = days(
        shop_of(tmp_path, taxes_included=True, tax_rate="0.2", products=[product(sales=[[3, 2]])])
    )

    assert told["2026-11-27"]["gross"] == "40.00"


def test_a_described_shop_is_made_once_and_a_rival_has_its_own(tmp_path):
    store = shop_of(tmp_path, products=[product(sales=[[3, 2]])])
    again = ShopDescription.model_validate({"products": [product("Other")]})

    assert described.make(store, "acme.myshopify.com", again)["is_new"] is False
    assert described.make(store, "rival.myshopify.com", again)["variants"] == 1
    assert rows(store, "SELECT shop, title FROM products ORDER BY shop") == [
        ("acme.myshopify.com", "Apron"),
        ("rival.myshopify.com", "Other"),
    ]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"orders": [{"at": 3, "lines": [{"variant": "Hat"}]}]}, r"^orders\[0\]: “Hat” is no variant"),
        ({"products": [product(levels={"Attic": {}})]}, "no location “Attic”"),
        ({"products": [product(market_prices={"EU": 1})]}, "no market “EU”"),
        ({"kind": "huge"}, "no kind of shop “huge”"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named_and_no_shop_is_left(tmp_path, told, words):
    with pytest.raises((NotThereError, ValueError), match=words):
        shop_of(tmp_path, **told)

    left = Store(tmp_path / "simulator.sqlite3")
    assert rows(left, "SELECT domain FROM shops") == []
