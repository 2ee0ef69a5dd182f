"""A case's delivery arrives as it is told: names looked up, over the shop's own body, as often as it says."""

import json

import pytest

from simulator.cases import sending
from simulator.cases.case import Webhook
from simulator.store import Store
from simulator.webhooks import events
from simulator.world import described
from simulator.world.description import ShopDescription
from simulator.world.rows import NotThereError

TOLD = ShopDescription.model_validate(
    {
        "as_of": "2026-11-30",
        "products": [
            {"title": "Apron", "variants": [{"price": "24.00", "available": 5}]},
            {
                "title": "Mug",
                "variants": [{"title": "Red", "price": "9.00"}, {"title": "Blue", "price": "9.00"}],
            },
        ],
    }
)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    from launch.processes import ROOT
    from simulator import app_toml

    monkeypatch.setattr(events, "TOML", app_toml.read(ROOT / "shopify.app.toml").subscriptions)
    store = Store(tmp_path / "simulator.sqlite3")
    described.make(store, "acme.myshopify.com", TOLD)
    described.make(store, "rival.myshopify.com", TOLD)
    return store


def sent(store, **told):
    with store.transaction() as conn:
        sending.queue(conn, store, "acme.myshopify.com", Webhook(**told))
    return store.connection().execute("SELECT * FROM deliveries ORDER BY seq").fetchall()


def id_of(store, title, domain="acme.myshopify.com"):
    row = store.connection().execute(
        "SELECT id FROM products WHERE shop = ? AND title = ?", (domain, title)
    )
    return row.fetchone()["id"]


def test_names_become_the_ids_of_the_shop_and_of_no_other(shop):
    rows = sent(
        shop, topic="orders/create", body={"a": ["$product:Mug"], "b": "gid/{$product:Mug}"}
    )

    body = json.loads(rows[0]["body"])
    assert body == {"a": [id_of(shop, "Mug")], "b": f"gid/{id_of(shop, 'Mug')}"}
    assert body["a"] != [id_of(shop, "Mug", "rival.myshopify.com")]
    assert {row["shop"] for row in rows} == {"acme.myshopify.com"}


def test_times_count_back_from_the_shops_day(shop):
    rows = sent(shop, topic="orders/create", body={"a": "$time:2 09:30", "b": "$day:-1"})

    assert json.loads(rows[0]["body"]) == {"a": "2026-11-28T09:30:00Z", "b": "2026-12-01"}


def test_changes_are_laid_over_the_shops_own_body(shop):
    rows = sent(
        shop,
        topic="products/update",
        about="$product:Mug",
        body={"status": "unlisted", "variants": [{"price": "11.00"}]},
    )

    body = json.loads(rows[0]["body"])
    assert (body["title"], body["status"]) == ("Mug", "unlisted")
    assert [(one["title"], one["price"]) for one in body["variants"]] == [
        ("Red", "11.00"),
        ("Blue", "9.00"),
    ]


def test_a_delivery_of_one_id_is_sent_as_often_as_it_says(shop):
    rows = sent(shop, topic="orders/create", id="d1", times=3)

    assert [row["webhook_id"] for row in rows] == ["acme.myshopify.com:d1"] * 3


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"topic": "orders/create", "body": {"a": "$variant:Mug"}}, "has several variants"),
        ({"topic": "orders/create", "body": {"a": "$product:Hat"}}, "no product “Hat”"),
        ({"topic": "carts/update"}, "not subscribed to carts/update"),
    ],
)
def test_what_is_not_there_is_named(shop, told, words):
    with pytest.raises(NotThereError, match=words):
        sent(shop, **told)
