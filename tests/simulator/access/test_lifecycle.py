"""Scopes granted and taken back, a shop frozen."""

import json

import pytest


def told(rows):
    return [
        json.loads(row["body"])
        for row in rows(
            "SELECT body FROM deliveries WHERE topic = 'app/scopes_update' ORDER BY seq"
        )
    ]


def test_scopes_are_set_whole_or_changed_one_by_one_and_the_app_is_told_both(act, rows):
    act("scopes", granted=["read_orders", "write_products"])
    act("scopes", grant=["read_all_orders"], revoke=["read_orders"])

    assert [(one["previous"], one["current"]) for one in told(rows)][1] == (
        ["read_orders", "write_products"],
        ["write_products", "read_all_orders"],
    )
    assert all(one["shop_id"] for one in told(rows))


def test_an_app_gives_optional_scopes_back_and_no_required_one(act, run, rows):
    act("scopes", granted=["read_orders", "read_all_orders"])
    text = "mutation($s: [String!]!) { appRevokeAccessScopes(scopes: $s) { revoked { handle } userErrors { code } } }"

    assert run(text, s=["read_orders"])["appRevokeAccessScopes"] == {
        "revoked": None,
        "userErrors": [{"code": "CANNOT_REVOKE_REQUIRED_SCOPES"}],
    }
    assert run(text, s=["read_all_orders"])["appRevokeAccessScopes"]["revoked"] == [
        {"handle": "read_all_orders"}
    ]
    assert rows("SELECT granted_scopes FROM shops") == [{"granted_scopes": "read_orders"}]


@pytest.mark.parametrize("status", [402, 403, 404, 423])
def test_a_blocked_shop_answers_so_until_it_is_let_go(act, web, shop, api, status):
    def read():
        return api("{ shop { id } }").status_code

    act("block", status=status)
    assert read() == status
    act("block", status=0)
    assert read() == 200
    assert web.post(f"/_sim/{shop}/block", json={"status": 418}).status_code == 400
    assert web.post("/_sim/nobody.myshopify.com/block", json={}).status_code == 404
