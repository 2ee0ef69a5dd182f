"""The sales ledger as the Admin API tells it: agreements, sales, totals, refunds; by the documents an app would send."""

import pytest

from launch.processes import ROOT
from simulator.world import kinds

DOCUMENTS = ROOT / "tests/simulator/admin_api/documents"


def document(name):
    return (DOCUMENTS / f"{name}.graphql").read_text()


def money(found):
    return found["shopMoney"]["amount"]


def kept(sale):
    """(kind, action, quantity, total, tax, discount before tax) of a sale."""
    return (
        sale["__typename"],
        sale["actionType"],
        sale["quantity"],
        *(
            money(sale[name])
            for name in ("totalAmount", "totalTaxAmount", "totalDiscountAmountBeforeTaxes")
        ),
    )


@pytest.fixture
def apron(rows, shop):
    return rows("SELECT * FROM variants WHERE shop = ? ORDER BY id", shop)[0]


@pytest.fixture
def agreements(run):
    def read(order_id):
        (found,) = run(
            document("orders_agreements_by_ids"), ids=[f"gid://shopify/Order/{order_id}"]
        )["nodes"]
        return [
            (one["__typename"], one["reason"], [kept(sale) for sale in one["sales"]["nodes"]])
            for one in found["agreements"]["nodes"]
        ]

    return read


def test_a_dress_at_a_quarter_off_is_told_before_and_after_its_tax(act, apron, agreements):
    line = {
        "variant_id": apron["id"],
        "quantity": 1,
        "price": "100",
        "discount": "25",
        "tax_rate": "0.1",
    }
    order = act("orders", lines=[line])["result"]

    assert agreements(order) == [
        ("OrderAgreement", "ORDER", [("ProductSale", "ORDER", 1, "75.0", "6.82", "22.73")])
    ]


def test_an_order_of_the_history_has_its_sales_though_nobody_wrote_them(
    run, rows, shop, agreements
):
    found = rows("SELECT * FROM orders WHERE shop = ? ORDER BY processed_at DESC LIMIT 1", shop)[0]
    lines = rows("SELECT * FROM order_lines WHERE order_id = ? ORDER BY id", found["id"])
    ((kind, reason, sold),) = agreements(found["id"])

    assert (kind, reason) == ("OrderAgreement", "ORDER")
    assert [one[2] for one in sold] == [line["quantity"] for line in lines]
    assert [float(one[3]) for one in sold] == [
        float(line["price"]) * line["quantity"] for line in lines
    ]


def test_a_refund_of_less_than_its_line_says_the_difference(act, apron, agreements, run):
    order = act("orders", lines=[{"variant_id": apron["id"], "quantity": 2}])["result"]
    act(f"orders/{order}/refund", lines=[{"line_id": order + 1, "quantity": 1}], amount="20.00")
    act(f"orders/{order}/refund", amount="5")

    assert agreements(order)[1:] == [
        (
            "RefundAgreement",
            "REFUND",
            [
                ("ProductSale", "RETURN", -1, "-24.0", "-4.0", "0.0"),
                ("AdjustmentSale", "RETURN", None, "4.0", "0.0", "0.0"),
            ],
        ),
        (
            "RefundAgreement",
            "REFUND",
            [("AdjustmentSale", "RETURN", None, "-5.0", "0.0", "0.0")],
        ),
    ]
    (found,) = run(document("orders_refunds_money_by_ids"), ids=[f"gid://shopify/Order/{order}"])[
        "nodes"
    ]
    assert money(found["refundDiscrepancySet"]) == "-1.0"
    assert [
        (money(one["totalRefundedSet"]), money(adjustment["amountSet"]), adjustment["reason"])
        for one in found["refunds"]
        for adjustment in one["orderAdjustments"]["nodes"]
    ] == [("20.0", "4.0", "REFUND_DISCREPANCY"), ("5.0", "-5.0", "REFUND_DISCREPANCY")]


def test_sixty_agreements_of_an_order_are_read_page_by_page_and_by_when_they_happened(
    act, apron, run, rows
):
    order = act("orders", lines=[{"variant_id": apron["id"], "quantity": 60}])["result"]
    for _ in range(59):
        act(f"orders/{order}/edit", line_id=order + 1, delta=-1)
    gid, found, after = f"gid://shopify/Order/{order}", [], None
    while True:
        page = run(document("order_agreements"), id=gid, after=after)["order"]["agreements"]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    late = found[-3]["happenedAt"]
    last = run(document("order_agreements"), id=gid, query=f"happened_at:>='{late}'")

    assert len({one["id"] for one in found}) == 60
    assert [one["__typename"] for one in found] == ["OrderAgreement"] + ["OrderEditAgreement"] * 59
    assert [one["id"] for one in last["order"]["agreements"]["nodes"]] == [
        one["id"] for one in found[-3:]
    ]
    (kept_order,) = rows("SELECT current_quantity FROM order_lines WHERE order_id = ?", order)
    assert kept_order["current_quantity"] == 1


def test_more_than_fifty_sales_of_an_agreement_are_read_on(act, apron, run):
    line = {"variant_id": apron["id"], "quantity": 1}
    order = act("orders", lines=[line] * 70)["result"]
    gid = f"gid://shopify/Order/{order}"
    (first,) = run(document("order_agreements"), id=gid)["order"]["agreements"]["nodes"]
    page = first["sales"]["pageInfo"]
    number = first["id"].rsplit("/", maxsplit=1)[1]
    more = run(
        document("order_agreement_sales"),
        id=gid,
        agreement=f"id:{number}",
        after=page["endCursor"],
    )["order"]["agreements"]["nodes"][0]["sales"]["nodes"]

    assert page["hasNextPage"] and (len(first["sales"]["nodes"]), len(more)) == (50, 20)
    assert len({one["id"] for one in first["sales"]["nodes"] + more}) == 70


def test_every_kind_of_sale_names_what_was_sold(act, apron, run, agreements):
    order = act(
        "orders",
        lines=[
            {"variant_id": apron["id"], "quantity": 1},
            {"title": "Gift card", "price": "50", "gift_card": True},
            {"title": "Engraving", "price": "5", "tax_rate": "0"},
        ],
        shipping=[{"price": "6.00", "tax_lines": [{"rate": "0.2", "title": "VAT"}]}],
        tip="3",
        duties=[{"price": "4"}],
        additional_fees=[{"price": "2", "title": "Packing"}],
    )["result"]
    act(f"orders/{order}/refund", shipping="6.00")
    ((_, _, sold), (_, _, back)) = agreements(order)
    found = run(document("order_money"), id=f"gid://shopify/Order/{order}")["order"]

    assert [one[0] for one in sold] == [
        *("ProductSale", "GiftCardSale", "ProductSale", "TipSale"),
        *("ShippingLineSale", "DutySale", "AdditionalFeeSale"),
    ]
    assert back == [("ShippingLineSale", "RETURN", None, "-6.0", "-1.0", "0.0")]
    assert {name: money(found[name]) for name in found if name.endswith("Set")} == {
        "originalTotalPriceSet": "94.0",  # 24 + 50 + 5 + 6 + 3 + 4 + 2
        "totalPriceSet": "94.0",
        "currentTotalPriceSet": "88.0",
        "currentSubtotalPriceSet": "79.0",
        "currentTotalDiscountsSet": "0.0",
        "currentTotalTaxSet": "4.0",
        "currentShippingPriceSet": "0.0",
        "currentTotalDutiesSet": "4.0",
        "currentTotalAdditionalFeesSet": "2.0",
        "totalTipReceivedSet": "3.0",
        "totalRefundedSet": "6.0",
        "totalOutstandingSet": "0.0",
        "refundDiscrepancySet": "0.0",
        "netPaymentSet": "88.0",
    }


def test_another_shops_order_has_no_agreements_here(sim, web, shop, apron, run):
    rival = kinds.create_shop(sim.store, "slow", 1)["shop"]
    (theirs,) = (
        sim.store.connection()
        .execute("SELECT id FROM orders WHERE shop = ? ORDER BY id DESC LIMIT 1", (rival,))
        .fetchall()
    )
    gid = f"gid://shopify/Order/{theirs['id']}"

    assert run(document("order_agreements"), id=gid)["order"] is None
    assert run(document("orders_agreements_by_ids"), ids=[gid])["nodes"] == [None]


SALES = (
    "FROM sales SHOW gross_sales, discounts, sales_reversals, net_sales, taxes, shipping_charges,"
    " total_sales, orders, quantity_ordered GROUP BY day SINCE -300d UNTIL today"
)


@pytest.fixture
def report(sim, web, shop, exchange):
    """A text under a token that may read reports."""

    def ask(text):
        sim.store.connection().execute(
            "UPDATE shops SET granted_scopes = 'read_orders,read_reports'"
        )
        token = exchange().json["access_token"]
        answer = web.post(
            f"/{shop}/admin/api/2026-10/graphql.json",
            json={"query": document("shopifyql_run"), "variables": {"ql": text}},
            headers={"X-Shopify-Access-Token": token},
        )
        return answer.json["data"]["shopifyqlQuery"]

    return ask


def test_the_shops_own_report_is_the_books(report, act, web, shop, apron):
    order = act(
        "orders",
        lines=[{"variant_id": apron["id"], "quantity": 3, "discount": "1.50"}],
        shipping=[{"price": "6.00"}],
    )["result"]
    act(f"orders/{order}/refund", lines=[{"line_id": order + 1, "quantity": 1}], amount="3")
    act("advance", days=12)
    table = report(SALES)["tableData"]
    books = {day["day"]: day for day in web.get(f"/_sim/{shop}/ledger").json["days"]}

    assert {row["day"] for row in table["rows"]} == books.keys()
    for row in table["rows"]:
        day = books[row["day"]]
        assert float(row["discounts"]) == -float(day["discounts"])
        assert float(row["sales_reversals"]) == -float(day["refunds"])
        assert [
            row[name]
            for name in ("gross_sales", "net_sales", "taxes", "shipping_charges", "total_sales")
        ] == [day[name] for name in ("gross", "net", "taxes", "shipping", "total")]
        assert (row["orders"], row["quantity_ordered"]) == (day["orders"], day["units"])


def test_a_report_fills_days_only_where_it_is_asked_to_and_names_what_it_does_not_know(report):
    filled = report("FROM sales SHOW net_sales TIMESERIES day SINCE startOfDay(-9d) UNTIL today")
    wrong = report("FROM sales SHOW returns GROUP BY day")

    assert len(filled["tableData"]["rows"]) == 10
    assert wrong["parseErrors"] == ["Column Not Found: Column 'returns' not found"]
    assert wrong["tableData"] is None


def test_a_report_needs_the_scope_of_reports(api):
    (error,) = api(document("shopifyql_run"), ql=SALES).json["errors"]

    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert error["message"].startswith("Access denied for shopifyqlQuery field.")


def test_a_closed_place_is_shown_to_those_who_ask_for_it_and_says_so(act, run, rows, shop):
    first, second = (row["id"] for row in rows("SELECT id FROM locations WHERE shop = ?", shop))
    act(f"locations/{first}/deactivate", destination_id=second)
    text = """query($all: Boolean) { locations(first: 5, includeInactive: $all) {
      nodes { isActive inventoryLevels(first: 50, includeInactive: $all) { nodes { isActive } } } } }"""

    def shown(**asked):
        return [
            (place["isActive"], {level["isActive"] for level in place["inventoryLevels"]["nodes"]})
            for place in run(text, **asked)["locations"]["nodes"]
        ]

    assert shown(all=False) == [(True, {True})]
    assert shown(all=True) == [(False, {False}), (True, {True})]
    act(f"locations/{first}/delete")
    assert shown(all=True) == [(True, {True})]


def test_orders_are_found_by_when_they_came_and_how_they_are_paid(act, apron, run):
    made = [
        act("orders", lines=[{"variant_id": apron["id"]}], financial_status=status)["result"]
        for status in ("voided", "expired", "paid")
    ]
    text = """query($q: String) { orders(first: 9, query: $q) { nodes { id createdAt } } }"""

    def found(query):
        return [int(one["id"].rsplit("/", 1)[1]) for one in run(text, q=query)["orders"]["nodes"]]

    created = run(text, q="financial_status:voided")["orders"]["nodes"][0]["createdAt"]
    assert found("(financial_status:voided OR financial_status:expired)") == made[:2]
    assert found(f"created_at:>='{created}'") == made
    assert found(f"updated_at:>'{created}' financial_status:paid") == made[2:]
