"""Why an order is not smaller and not larger: every sentence, in both languages, with the numbers of the run."""

import pytest

from shopify_app.web import create_app
from tests.web.page_rows import bearer, restock_row, set_settings

LESS = {
    "units": 110,
    "expected_lost_units": 8.2,
    "dead_stock_risk": 0.01,
    "expected_gain": 840.0,
}
MORE = {
    "units": 190,
    "expected_lost_units": 0.4,
    "dead_stock_risk": 0.21,
    "expected_gain": 870.0,
}


@pytest.fixture
def client(database):
    return create_app().test_client()


def page(client, shop, language="en", **evidence):
    set_settings(shop, language=language)
    number = restock_row(shop, evidence=evidence)
    return client.get(f"/restock/{number}", headers=bearer(shop)).text


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        # 900 expected of the order, 840 of a quarter less: 60 forgone.
        (
            {"less": LESS},
            "Not 110: about 8.2 units that customers want would be lost, and it would earn about £60 less.",
        ),
        (
            {"less": {**LESS, "units": 0, "expected_gain": 100.0}},
            "Not none: about 8.2 units that customers want would be lost, and about £800 with them.",
        ),
        (
            {"less": {**LESS, "expected_gain": 950.0}},
            "110 would earn about £50 more by themselves, but not with the vendor&#39;s least order.",
        ),
        # 870 of a quarter more: 30 less, and the last of it lies there more often.
        (
            {"more": MORE},
            (
                "Not 190: the chance that the last of it still lies there in 6 weeks rises from 4% to 21%, "
                "and it would earn about £30 less."
            ),
        ),
        (
            {"more": {**MORE, "expected_gain": 925.0}},
            "Not 190: it would earn about £25 more, but goes beyond the limits you set.",
        ),
        (
            {"more": {**MORE, "dead_stock_risk": 0.045}},
            "Not 190: keeping the rest would cost about £30 more than it earns.",
        ),
    ],
)
def test_each_reason_has_its_sentence(client, acme, evidence, words):
    assert words in page(client, acme, **evidence)


def test_the_reasons_are_said_in_chinese_too(client, acme):
    shown = page(client, acme, "zh", less=LESS, more=MORE)

    assert "Not 110" not in shown
    assert "£60" in shown.replace("英镑", "£")
    assert "190" in shown


def test_a_run_that_kept_neither_says_nothing(client, acme):
    shown = page(client, acme, less=None, more=None)

    assert "Not 110" not in shown
    assert "Not 190" not in shown
