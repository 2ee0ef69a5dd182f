"""The sales ledger as the Admin API tells it: agreements, sales, totals, refunds; by the documents an app would send."""

import pytest

from launch.processes import ROOT

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
