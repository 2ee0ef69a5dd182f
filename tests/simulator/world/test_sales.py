"""The simulated sales ledger: every act's sales add up to the order's totals, and days to Shopify's own reports. Expected figures are
worked out by hand or published, never read from the code."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from simulator import sales
from simulator.store import Store
from simulator.world import kinds, merchant
from simulator.world.amounts import Amounts, Tax
from simulator.world.ledger import ledger, variants
from simulator.world.sales import open_agreement, write_down

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class Shop:
    """A made-up shop whose acts happen when the test says."""

    def __init__(self, folder, kind="tiny"):
        self.store = Store(folder / "simulator.sqlite3")
        self.domain = kinds.create_shop(self.store, kind, 1, now=NOW)["shop"]
        rows = self.rows("SELECT id FROM variants WHERE shop = ? ORDER BY id", self.domain)
        self.variants = [row["id"] for row in rows]

    def rows(self, query, *params):
        return self.store.connection().execute(query, params).fetchall()

    def change(self, **columns):
        for name, value in columns.items():
            self.store.connection().execute(
                f"UPDATE shops SET {name} = ? WHERE domain = ?", (value, self.domain)
            )

    def do(self, act, *arguments, at=NOW, **more):
        with self.store.transaction() as conn:
            return act(conn, self.store, self.domain, *arguments, at=at, **more)

    def sell(self, *items, at=NOW, **more):
        return self.do(merchant.place_order, list(items), at=at, **more)

    def day(self, day):
        found = ledger(self.store, self.domain, day, day)["days"]
        assert len(found) <= 1
        return found[0] if found else None

    def sales(self, order_id):
        return [dict(row) for row in sales.of_order(self.store.connection(), self.domain, order_id)]

    def totals(self, order_id):
        (order,) = self.rows("SELECT * FROM orders WHERE id = ?", order_id)
        return sales.totals(self.store.connection(), self.domain, order)


@pytest.fixture
def shop(tmp_path):
    """A UK shop whose prices hold the VAT."""
    return Shop(tmp_path)


def thing(shop, quantity=1, price="24.00", discount="0", rate="0.2", which=0, **more):
    taxes = tuple(Tax(Decimal(one), f"Tax {one}") for one in rate.split("+") if one)
    return merchant.Item(
        shop.variants[which], quantity, Decimal(discount), Decimal(price), taxes, **more
    )


def shown(day, *names):
    return tuple(day[name] for name in names)


MONEY = ("gross", "discounts", "refunds", "net", "taxes", "total")


def test_a_dress_of_100_with_10_percent_tax_at_a_quarter_off(shop):
    """help.shopify.com's example: the reports say it before tax."""
    shop.sell(thing(shop, price="100", discount="25", rate="0.1"), at=NOW)

    assert shown(shop.day("2026-11-02"), *MONEY) == (
        "90.91",
        "22.73",
        "0.00",
        "68.18",
        "6.82",
        "75.00",
    )


def test_prices_without_tax_have_it_on_top(shop):
    included = merchant.Terms(taxes_included=False)
    shop.sell(thing(shop, 2, "48.00", "19.20", "0.05+0.0825"), at=NOW, terms=included)

    # 96.00 less 19.20 is 76.80: 3.84 and 6.34 (6.336) on top
    assert shown(shop.day("2026-11-02"), *MONEY) == (
        "96.00",
        "19.20",
        "0.00",
        "76.80",
        "10.18",
        "86.98",
    )


def test_shipping_tips_gift_cards_duties_and_fees_stand_beside_the_goods(shop):
    terms = merchant.Terms(
        tip=Decimal("3.00"),
        charges=(
            merchant.Charge("SHIPPING", Decimal("6.00"), Decimal("0.50"), (Tax(Decimal("0.1")),)),
            merchant.Charge("DUTY", Decimal("4.00")),
            merchant.Charge("ADDITIONAL_FEE", Decimal("2.00"), title="Packing"),
        ),
    )
    card = merchant.Item(None, 1, price=Decimal(50), title="Gift card", is_gift_card=True)
    order = shop.sell(thing(shop), card, at=NOW, terms=terms)
    day = shop.day("2026-11-02")

    # goods 24.00 with 4.00 VAT; shipping 5.50 with 0.50 tax
    assert shown(day, "gross", "shipping", "duties", "fees", "taxes", "total") == (
        *("20.00", "5.00", "4.00", "2.00", "4.50"),
        "35.50",
    )
    assert shown(day, "tips", "gift_cards", "orders", "units") == ("3.00", "50.00", 1, 1)
    assert shop.totals(order).current == 35_50 + 3_00 + 50_00


def test_goodwill_is_an_adjustment_and_nothing_else(shop):
    order = shop.sell(thing(shop))
    later = NOW + timedelta(days=4)
    shop.do(merchant.refund_order, order, [], amount=Decimal("20.00"), at=later)
    day = shop.day("2026-11-06")

    assert shown(day, *MONEY) == ("0.00", "0.00", "20.00", "-20.00", "0.00", "-20.00")
    assert shown(day, "orders", "units", "returned_units") == (0, 0, 0)


def test_money_kept_by_refunding_less_is_in_the_shops_favour(shop):
    """The reference's second case: a dress comes back, 10.00 are kept."""
    order = shop.sell(thing(shop, price="100", discount="25", rate="0.1"))
    line = (order + 1, 1)
    later = NOW + timedelta(days=3)
    shop.do(merchant.refund_order, order, [line], amount=Decimal("65.00"), at=later)
    day = shop.day("2026-11-05")

    assert shown(day, "refunds", "net", "taxes", "total") == ("58.18", "-58.18", "-6.82", "-65.00")
    assert day["returned_units"] == 1
    assert (shop.totals(order).current, shop.totals(order).discrepancy) == (0, 10_00)


def test_an_edit_takes_a_line_off_at_once_and_the_money_goes_back_in_another_month(shop):
    order = shop.sell(thing(shop, 2, "30.00", rate=""))
    november, december = NOW + timedelta(days=28), NOW + timedelta(days=30)
    shop.do(merchant.edit_order, order, order + 1, -1, at=november)
    shop.do(merchant.refund_order, order, [], amount=Decimal("30.00"), at=december)

    assert shown(shop.day("2026-11-30"), "refunds", "net", "returned_units") == ("0.00", "0.00", 1)
    assert shown(shop.day("2026-12-02"), "refunds", "net", "returned_units") == (
        "30.00",
        "-30.00",
        0,
    )
    assert shop.totals(order).discrepancy == 0
    (pending,) = [
        one["note"]
        for one in shop.sales(order)
        if one["line_type"] == "ADJUSTMENT" and one["total"] > 0
    ]
    assert pending == "PENDING_REFUND_DISCREPANCY"


def test_what_is_added_later_stands_on_its_own_day_and_is_no_new_order(shop):
    order = shop.sell(thing(shop))
    later = NOW + timedelta(days=1)
    shop.do(merchant.add_line, order, thing(shop, 3, "12.00", which=1), at=later)
    shop.do(merchant.edit_order, order, order + 1, 2, at=later)

    # 3 x 10.00 and 2 x 20.00 before VAT
    assert shown(shop.day("2026-11-03"), "gross", "net", "orders", "units") == (
        *("70.00", "70.00"),
        *(0, 0),
    )


def test_a_discount_given_later_changes_the_sale_on_its_day(shop):
    order = shop.sell(thing(shop, 1, "24.00"))
    shop.do(
        merchant.change_line, order, order + 1, discount=Decimal("6.00"), at=NOW + timedelta(days=1)
    )
    shop.do(
        merchant.change_line, order, order + 1, price=Decimal("36.00"), at=NOW + timedelta(days=2)
    )

    # 18.00 paid is 15.00 and 3.00 VAT: gross stays, 5.00 before VAT are off
    assert shown(shop.day("2026-11-03"), "gross", "discounts", "net", "taxes") == (
        *("0.00", "5.00"),
        *("-5.00", "-1.00"),
    )
    assert shown(shop.day("2026-11-04"), "gross", "discounts", "net", "taxes") == (
        *("10.00", "0.00"),
        *("10.00", "2.00"),
    )


def test_money_that_a_later_discount_left_open_is_no_goodwill_when_it_goes_back(shop):
    order = shop.sell(thing(shop, 1, "24.00"))
    shop.do(merchant.change_line, order, order + 1, discount=Decimal("6.00"))
    shop.do(merchant.refund_order, order, [], amount=Decimal("6.00"))

    assert not [one for one in shop.sales(order) if one["line_type"] == "ADJUSTMENT"]
    assert shop.totals(order).outstanding == 0


def test_an_exchange_is_a_return_a_sale_and_a_fee_but_no_order(shop):
    order = shop.sell(thing(shop, 1, "40.00", rate=""))
    later = NOW + timedelta(days=6)
    board = thing(shop, 1, "55.00", rate="", which=1)
    shop.do(merchant.exchange, order, [(order + 1, 1)], [board], fee=Decimal("4.00"), at=later)
    day = shop.day("2026-11-08")

    assert shown(day, "gross", "refunds", "net", "fees", "total") == (
        *("55.00", "40.00", "15.00"),
        *("4.00", "19.00"),
    )
    assert shown(day, "orders", "units", "returned_units") == (0, 0, 1)
    assert shop.totals(order).outstanding == 19_00


def test_a_return_counts_when_it_is_processed_not_when_it_is_asked_for(shop):
    order = shop.sell(thing(shop, 2))
    asked, here = NOW + timedelta(days=1), NOW + timedelta(days=5)
    number = shop.do(merchant.request_return, order, [(order + 1, 1)], at=asked)
    shop.do(merchant.approve_return, number, at=asked)
    assert shop.day("2026-11-03") is None

    shop.do(merchant.process_return, number, fee=Decimal("2.00"), at=here)
    assert shown(shop.day("2026-11-07"), "refunds", "fees", "taxes", "total") == (
        *("20.00", "2.00"),
        *("-4.00", "-22.00"),
    )


def test_a_cancellation_leaves_the_sale_on_its_day_and_takes_all_of_it_back_on_its_own(shop):
    terms = merchant.Terms(
        financial_status="pending",
        tip=Decimal(2),
        charges=(merchant.Charge("SHIPPING", Decimal("5.00")),),
    )
    order = shop.sell(thing(shop, 2, discount="3.00"), terms=terms)
    shop.do(merchant.cancel_order, order, at=NOW + timedelta(days=1))
    sold, taken = shop.day("2026-11-02"), shop.day("2026-11-03")

    assert Decimal(sold["total"]) == Decimal("50.00") == -Decimal(taken["total"])
    assert Decimal(sold["net"]) == -Decimal(taken["net"]) == Decimal(taken["refunds"])
    assert shop.rows("SELECT financial_status FROM orders WHERE id = ?", order)[0][0] == "voided"


def test_test_orders_and_deleted_ones_count_nowhere_unpaid_and_expired_ones_do(shop):
    shop.sell(thing(shop), test=True)
    gone = shop.sell(thing(shop))
    shop.do(merchant.refund_order, gone, [(gone + 1, 1)])
    shop.do(merchant.delete_order, gone)
    assert shop.day("2026-11-02") is None

    for status in ("pending", "voided", "expired"):
        shop.sell(thing(shop), terms=merchant.Terms(financial_status=status))
    assert shown(shop.day("2026-11-02"), "orders", "gross") == (3, "60.00")


@pytest.mark.parametrize(
    ("currency", "price", "expected"),
    [
        ("JPY", "1000", ("909", "0", "0", "909", "91", "1000")),  # 90.909 of 10 %
        ("KWD", "4.125", ("3.750", "0.000", "0.000", "3.750", "0.375", "4.125")),
    ],
)
def test_money_has_the_decimals_of_its_currency(shop, currency, price, expected):
    shop.change(currency=currency)
    shop.sell(thing(shop, price=price, rate="0.1"))

    assert shown(shop.day("2026-11-02"), *MONEY) == expected


def test_two_currencies_of_a_day_are_two_rows(shop):
    shop.sell(thing(shop))
    shop.change(currency="JPY")
    shop.sell(thing(shop, price="4600", rate=""))
    days = ledger(shop.store, shop.domain, "2026-11-02", "2026-11-02")["days"]

    assert [(day["currency"], day["gross"]) for day in days] == [("GBP", "20.00"), ("JPY", "4600")]


def test_a_sale_is_on_the_shops_day_at_midnight_and_when_the_clocks_change(shop):
    shop.change(timezone="Europe/Berlin")
    for moment in (
        "2026-11-01T22:59:59",  # 23:59:59 in Berlin
        "2026-11-01T23:00:00",  # midnight
        "2026-10-24T21:59:59",  # summer still: 23:59:59
        "2026-10-24T22:00:00",  # the day of 25 hours begins
        "2026-10-25T22:59:59",  # and ends
        "2026-10-25T23:00:00",
    ):
        at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        shop.sell(thing(shop, which=1), terms=merchant.Terms(processed_at=at))

    rows = variants(shop.store, shop.domain, "2026-10-24", "2026-11-02")["rows"]
    ours = {row["day"]: row["units"] for row in rows if row["variant_id"] == shop.variants[1]}
    before = defaultdict(int)
    for row in shop.rows(
        "SELECT o.processed_at, l.quantity FROM orders o JOIN order_lines l ON l.order_id = o.id"
        " WHERE l.variant_id = ? AND o.has_sales = 0",
        shop.variants[1],
    ):
        before[row[0][:10]] += row[1]  # the history sells by daylight
    assert {day: units - before[day] for day, units in ours.items() if units != before[day]} == {
        "2026-10-24": 1,
        "2026-10-25": 2,
        "2026-10-26": 1,
        "2026-11-01": 1,
        "2026-11-02": 1,
    }


PUBLISHED = [
    (
        "2026-07-17",
        [
            ("ORDER", "PRODUCT", "4544.10", "757.35", "210.48"),
            ("ORDER", "SHIPPING", "120.00", "18.49", "0"),
            ("RETURN", "PRODUCT", "-3638.80", "-606.51", "0"),
            ("RETURN", "SHIPPING", "-9.00", "0", "0"),
            ("RETURN", "ADJUSTMENT", "3491.80", "0", "0"),
        ],
        {
            "gross": "3997.23",
            "discounts": "210.48",
            "net": "4246.26",
            "taxes": "169.33",
            "shipping": "92.51",
            "total": "4508.10",
        },
    ),
    (
        "2026-07-26",
        [
            ("ORDER", "PRODUCT", "4156.60", "0", "0"),
            ("ORDER", "SHIPPING", "152", "0", "0"),
            ("RETURN", "PRODUCT", "-3678", "0", "0"),
            ("RETURN", "SHIPPING", "-11", "0", "0"),
            ("RETURN", "ADJUSTMENT", "3584.20", "0", "0"),
        ],
        {"total": "4203.80"},
    ),
]


@pytest.mark.parametrize(("day", "entered", "expected"), PUBLISHED)
def test_published_days_of_a_real_shop_come_out_as_its_own_report_said(
    shop, day, entered, expected
):
    at = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
    shop.store.connection().execute("DELETE FROM order_lines")
    shop.store.connection().execute("DELETE FROM orders")
    order = shop.sell(thing(shop, price="0"), terms=merchant.Terms(processed_at=at))
    with shop.store.transaction() as conn:
        agreement = open_agreement(conn, shop.store, shop.domain, order, "OrderAgreement", at=at)
        for action, line_type, total, tax, discount in entered:
            cents = [int(Decimal(one) * 100) for one in (total, tax, discount)]
            part = sales.Standing(line_type, None, None, None, None)
            agreement.write(action, Amounts(*cents, cents[2]), part)
    found = shop.day(day)

    assert {name: found[name] for name in expected} == expected


def test_what_is_written_of_a_sale_is_never_changed(shop):
    shop.sell(thing(shop))
    for statement in ("UPDATE sale SET total = 0", "DELETE FROM sale"):
        with pytest.raises(Exception, match="append-only"):
            shop.store.connection().execute(statement)


def test_writing_a_histories_order_down_changes_nothing_that_is_told_of_it(shop):
    (order,) = shop.rows("SELECT id FROM orders WHERE has_sales = 0 ORDER BY id LIMIT 1")
    before, books = shop.sales(order["id"]), ledger(shop.store, shop.domain, None, None)
    with shop.store.transaction() as conn:
        write_down(conn, shop.domain, order["id"])

    assert before == shop.sales(order["id"])
    assert books == ledger(shop.store, shop.domain, None, None)
    assert shop.rows("SELECT count(*) FROM sale")[0][0] == len(before)


def test_a_cent_that_does_not_divide_comes_back_with_the_last_unit(shop):
    order = shop.sell(thing(shop, 3, "10.00", "0.01"))
    for _ in range(3):
        shop.do(merchant.refund_order, order, [(order + 1, 1)])

    back = [one["total"] for one in shop.sales(order) if one["action"] == "RETURN"]
    assert sorted(back) == [-10_00, -10_00, -9_99]
    assert all(sum(one[name] for one in shop.sales(order)) == 0 for name in ("total", "tax"))


class Mix:
    """A seeded mix of every act over a few orders, with its own notes of what should be so."""

    def __init__(self, shop, seed):
        self.shop, self.random = shop, random.Random(seed)
        self.at = NOW
        self.expected = {}
        self.orders = []
        self.done = defaultdict(int)

    def act(self):
        self.at += timedelta(hours=self.random.randrange(1, 30))
        name = self.random.choice(
            [
                "place",
                "place",
                "refund",
                "less",
                "goodwill",
                "shipping",
                "cancel",
                "off",
                "more",
                "add",
                "discount",
                "price",
                "exchange",
                "return",
                "pay",
            ]
        )
        if not self.orders or name == "place":
            self.place()
            return
        order = self.random.choice(self.orders)
        try:
            getattr(self, name)(order)
            self.done[name] += 1
        except ValueError:  # nothing is left to do it with
            pass

    def do(self, act, *arguments, **more):
        return self.shop.do(act, *arguments, at=self.at, **more)

    def item(self):
        quantity, cents = self.random.randrange(1, 5), self.random.randrange(1, 5_000)
        discount = self.random.choice([0, 0, self.random.randrange(0, quantity * cents)])
        rate = self.random.choice(("", "0.2", "0.077", "0.05+0.0975"))
        which = self.random.randrange(len(self.shop.variants))
        return thing(
            self.shop,
            quantity,
            str(Decimal(cents) / 100),
            str(Decimal(discount) / 100),
            rate,
            which,
        )

    def place(self):
        charge = merchant.Charge(
            "SHIPPING", Decimal("5.95"), Decimal(self.random.choice(("0", "1.11")))
        )
        terms = merchant.Terms(
            taxes_included=self.random.random() < 0.5,
            charges=(charge,) if self.random.random() < 0.6 else (),
            tip=self.random.choice((Decimal(0), Decimal("2.50"))),
            financial_status=self.random.choice(("paid", "paid", "pending")),
        )
        items = [self.item() for _ in range(self.random.randrange(1, 4))]
        self.orders.append(self.do(merchant.place_order, items, terms=terms))

    def line(self, order):
        rows = self.shop.rows(
            "SELECT id, current_quantity FROM order_lines WHERE order_id = ? AND current_quantity > 0 AND tip = 0",
            order,
        )
        if not rows:
            raise ValueError
        row = self.random.choice(rows)
        return row["id"], self.random.randrange(1, row["current_quantity"] + 1)

    def refund(self, order):
        self.do(merchant.refund_order, order, [self.line(order)])

    def less(self, order):
        self.do(merchant.refund_order, order, [self.line(order)], amount=Decimal("0.50"))

    def goodwill(self, order):
        self.do(merchant.refund_order, order, [], amount=Decimal("0.70"))

    def shipping(self, order):
        self.do(merchant.refund_order, order, [], shipping=Decimal("1.23"))

    def cancel(self, order):
        if self.random.random() < 0.3:
            self.do(merchant.cancel_order, order)

    def off(self, order):
        line, units = self.line(order)
        self.do(merchant.edit_order, order, line, -units)

    def more(self, order):
        self.do(merchant.edit_order, order, self.line(order)[0], 2)

    def add(self, order):
        self.do(merchant.add_line, order, self.item())

    def discount(self, order):
        self.do(merchant.change_line, order, self.line(order)[0], discount=Decimal("0.01"))

    def price(self, order):
        self.do(merchant.change_line, order, self.line(order)[0], price=Decimal("60.37"))

    def exchange(self, order):
        self.do(merchant.exchange, order, [self.line(order)], [self.item()], fee=Decimal("1.00"))

    def pay(self, order):
        self.do(merchant.set_payment, order, "paid")

    def __getattr__(self, name):
        assert name == "return"
        return self.give_back

    def give_back(self, order):
        number = self.do(merchant.request_return, order, [self.line(order)])
        self.do(merchant.approve_return, number)
        self.do(merchant.process_return, number, fee=Decimal("0.40"))


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_to_orders_their_sales_agree_with_their_totals(shop, seed):
    """The invariants of the plan, for every order of a random mix of all acts."""
    mix = Mix(shop, seed)
    for _ in range(70):
        mix.act()

    assert len(mix.done) >= 8
    for order in mix.orders:
        found, state = shop.sales(order), shop.totals(order)
        kinds_of = defaultdict(int)
        for one in found:
            kinds_of[one["line_type"]] += one["total"]
        first = sum(one["total"] for one in found if one["agreement_id"] == order)
        assert first == state.original
        assert sum(kinds_of.values()) - kinds_of["ADJUSTMENT"] == state.current
        assert kinds_of["ADJUSTMENT"] == state.discrepancy
        for line in shop.rows("SELECT * FROM order_lines WHERE order_id = ?", order):
            mine = [one for one in found if one["line_item_id"] == line["id"]]
            assert sum(one["quantity"] or 0 for one in mine) == line["current_quantity"]
            if not line["current_quantity"]:
                assert [
                    sum(one[name] for one in mine)
                    for name in ("total", "tax", "discount_before_tax", "discount_after_tax")
                ] == [0, 0, 0, 0]
        for one in found:
            assert sum(tax["amount"] for tax in sales.taxes_of(one)) == one["tax"]
        assert all(
            one["total"] - one["tax"] + one["discount_before_tax"] >= 0
            for one in found
            if one["action"] == "ORDER"
        )


@pytest.mark.parametrize("seed", range(6))
def test_money_that_moved_is_what_the_refunds_say(shop, seed):
    """What was paid less what went back is what the order is worth, with what was kept or given on purpose."""
    mix = Mix(shop, 100 + seed)
    for _ in range(70):
        mix.act()

    for order in mix.orders:
        state = shop.totals(order)
        (given,) = shop.rows(
            "SELECT coalesce(sum(amount), 0) FROM refunds WHERE order_id = ?", order
        )
        (status,) = shop.rows("SELECT financial_status FROM orders WHERE id = ?", order)
        assert (status[0] in ("refunded", "partially_refunded")) <= (given[0] > 0)
        assert state.paid >= 0
        assert state.outstanding == state.current + state.discrepancy - state.paid


def test_every_day_adds_up_to_its_total(shop):
    mix = Mix(shop, 7)
    for _ in range(120):
        mix.act()
    parts = ("net", "shipping", "duties", "fees", "taxes")

    days = ledger(shop.store, shop.domain, None, None)["days"]
    assert len(days) > 200
    for day in days:
        assert sum(Decimal(day[name]) for name in parts) == Decimal(day["total"])
        assert Decimal(day["gross"]) - Decimal(day["discounts"]) - Decimal(
            day["refunds"]
        ) == Decimal(day["net"])
        assert day["unknown"] == "0.00"


def test_the_books_by_variant_add_up_to_the_days_but_for_adjustments(shop):
    mix = Mix(shop, 8)
    for _ in range(60):
        mix.act()
    sums = defaultdict(lambda: [Decimal(0), Decimal(0), 0])
    for row in variants(shop.store, shop.domain, None, None)["rows"]:
        sums[row["day"]][0] += Decimal(row["gross"])
        sums[row["day"]][1] += Decimal(row["discounts"])
        sums[row["day"]][2] += row["units"]

    for day in ledger(shop.store, shop.domain, None, None)["days"]:
        found = sums[day["day"]]
        assert found == [Decimal(day["gross"]), Decimal(day["discounts"]), day["units"]]


def test_a_file_of_an_earlier_simulator_opens_and_its_discounts_are_told_before_tax(shop, tmp_path):
    conn = shop.store.connection()
    (order,) = shop.rows("SELECT id FROM orders WHERE has_sales = 0 ORDER BY id LIMIT 1")
    (line, *_) = shop.rows("SELECT id FROM order_lines WHERE order_id = ?", order["id"])
    conn.execute(  # as an earlier one sold it: 24.00 less 6.00, 3.00 of it VAT
        "UPDATE order_lines SET quantity = 1, current_quantity = 1, price = '24.00', discount = '6.00', tax = '3.00' WHERE id = ?",
        (line["id"],),
    )
    for view in ("every_sale", "every_agreement"):
        conn.execute(f"DROP VIEW {view}")
    for table, column in (
        ("orders", "has_sales"),
        ("orders", "paid"),
        ("orders", "taxes_included"),
        ("order_lines", "tip"),
        ("refunds", "amount"),
    ):
        conn.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    shop.store = Store(tmp_path / "simulator.sqlite3")
    found = next(one for one in shop.sales(order["id"]) if one["line_item_id"] == line["id"])

    assert [found[name] for name in ("total", "tax", "discount_before_tax")] == [1800, 300, 500]
    shop.do(merchant.refund_order, order["id"], [(line["id"], 1)])
    back = next(one for one in shop.sales(order["id"]) if one["action"] == "RETURN")
    assert [back[name] for name in ("total", "tax", "discount_before_tax")] == [-1800, -300, -500]
