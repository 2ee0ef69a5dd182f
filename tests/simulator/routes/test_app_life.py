"""The app's life in a shop over /_sim/: installed, ended, asked for its duties."""

from urllib.parse import urlsplit


def test_installing_grants_what_the_app_asks_for_unless_told_otherwise(act, look, sim):
    sim.store.connection().execute("UPDATE shops SET installed_at = NULL, granted_scopes = ''")
    assert urlsplit(act("install")["launch_url"]).netloc == urlsplit(sim.config.app_url).netloc
    assert "read_all_orders" in look("state")["scopes"].split(",")

    act("uninstall")
    act("install", scopes=["read_orders"])
    assert look("state")["scopes"] == "read_orders"


def test_an_end_is_told_and_ends_every_token_and_subscription(act, look, rows, told, shop, sim):
    conn = sim.store.connection()
    conn.execute(
        "INSERT INTO access_tokens (token, shop, install, kind, scopes, issued_at) VALUES ('t', ?, 1, 'offline', '', 0)",
        (shop,),
    )
    conn.execute(
        "INSERT INTO webhook_subscriptions (shop, id, topic, uri, created_at) VALUES (?, 7, 'orders/delete', '/own', '2026-11-01T00:00:00Z')",
        (shop,),
    )
    act("uninstall")

    assert [topic for topic, _ in told()] == ["app/uninstalled"]
    assert look("state")["installed_at"] is None
    assert rows("SELECT token FROM access_tokens WHERE revoked_at IS NULL") == []
    assert rows("SELECT id FROM webhook_subscriptions WHERE deleted_at IS NULL") == []


def test_duties_and_scopes_are_told_in_shopifys_words(act, rows, told, shop):
    act("customers-redact", customer_id=5, order_ids=[8, 9])
    act("data-request", customer_id=5, order_ids=[8])
    act("redact")
    act("scopes", granted=["read_orders"])
    number = rows("SELECT id FROM shops")[0]["id"]
    (_, redact), (_, request), (_, gone), (_, scopes) = told()

    assert set(redact) == {"shop_id", "shop_domain", "customer", "orders_to_redact"}
    assert (redact["shop_id"], redact["customer"]["id"], redact["orders_to_redact"]) == (
        number,
        5,
        [8, 9],
    )
    assert set(request) == {
        "shop_id",
        "shop_domain",
        "orders_requested",
        "customer",
        "data_request",
    }
    assert gone == {"shop_id": number, "shop_domain": shop}
    assert scopes["current"] == ["read_orders"]
    assert set(scopes) == {"id", "previous", "current", "updated_at", "shop_id"}
