"""Lead times from receipts."""

import numpy as np
import pandas as pd
import pytest

from shopify_app.analytics.orders.lead_times import LeadTimes, learn_lead_times


def receipts(*rows):
    return pd.DataFrame(rows, columns=["vendor", "days", "is_open"])


def learned(table, **changed):
    terms = {
        "vendors": np.array(["a", "b"]),
        "stated_days": {"a": 14.0},
        "default_days": 28.0,
        "period_days": 7.0,
    }
    return learn_lead_times(table, **{**terms, **changed})


def test_before_anything_was_received_it_is_mostly_what_was_stated():
    found = learned(receipts())

    assert found.probabilities.argmax(axis=1).tolist() == [2, 4]
    assert found.mean == pytest.approx([2, 4], rel=0.25)


def test_a_late_vendor_is_found_out_and_tells_a_little_of_the_others():
    late = receipts(*[("a", 28, False)] * 30)

    found = learned(late)

    assert found.probabilities[0].argmax() == 4
    assert found.mean[0] > 3.5
    assert learned(receipts()).mean[1] < found.mean[1] < 8


def test_few_receipts_move_it_less_than_many():
    means = [learned(receipts(*[("a", 28, False)] * count)).mean[0] for count in (0, 2, 10, 60)]

    assert means == sorted(means)
    assert means[1] < 3 < means[3]


def test_an_order_still_open_says_that_it_takes_longer_than_its_age():
    young, old = receipts(*[("a", 3, True)] * 5), receipts(*[("a", 25, True)] * 5)

    assert learned(young).mean[0] == pytest.approx(learned(receipts()).mean[0], rel=0.02)
    assert learned(old).mean[0] > learned(receipts()).mean[0] + 0.5


def test_rows_are_distributions_and_what_is_none_is_refused():
    found = learned(receipts(("a", 10, False), ("b", 40, True), ("c", 5, False)))

    assert found.probabilities.sum(axis=1) == pytest.approx([1, 1])
    assert LeadTimes.fixed(np.array([0, 3])).longest.tolist() == [0, 3]
    with pytest.raises(ValueError, match="sum to 1"):
        LeadTimes(np.array([[0.5, 0.2]]))
    with pytest.raises(ValueError, match="lack"):
        learned(pd.DataFrame({"vendor": []}))
    with pytest.raises(ValueError, match=">= 0"):
        learned(receipts(("a", -1, False)))
