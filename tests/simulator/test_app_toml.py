"""What the app subscribed to, read as a deploy would read it."""

import pytest

from launch.processes import ROOT
from simulator import app_toml
from simulator.webhooks import events, payloads

APP = app_toml.read(ROOT / "shopify.app.toml")
PLACES = {"orders", "products", "inventory", "app", "compliance"}


def test_each_topic_is_subscribed_once_at_one_of_the_apps_doors():
    topics = [one.topic for one in APP.subscriptions]

    assert len(topics) == len(set(topics))
    assert {one.uri for one in APP.subscriptions} == {f"/webhooks/{place}" for place in PLACES}
    assert {topic for topic in topics if topic in events.COMPLIANCE} == events.COMPLIANCE
    assert APP.api_version == "2026-10"


def test_scopes_are_the_least_that_the_work_needs():
    assert set(APP.scopes) == {"read_inventory", "read_locations", "read_orders", "write_products"}
    assert APP.optional_scopes == ("read_all_orders", "read_markets", "read_reports")


def test_every_topic_that_a_body_is_built_for_has_a_builder():
    given = {"bulk_operations", "customers", "shop"}  # those who record them bring their bodies
    families = {one.topic.split("/")[0] for one in APP.subscriptions}

    assert families - given <= set(payloads.BUILDERS)


@pytest.mark.parametrize(
    "one", [s for s in APP.subscriptions if s.include_fields], ids=lambda s: s.topic
)
def test_a_cut_body_still_says_what_it_is_about_and_when_it_changed(one):
    assert {"id", "order_edit.id"} & set(one.include_fields)
    if one.topic.endswith(("update", "updated")):  # or equal bodies are held back as duplicates
        assert "updated_at" in one.include_fields
