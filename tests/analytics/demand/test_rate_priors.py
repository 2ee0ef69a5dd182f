"""What is believed of a rate before it has sold: by moments of its like, worked out by hand."""

import numpy as np
import pytest

from shopify_app.analytics.demand.rate_priors import UNKNOWN, group_priors, launch_priors


def test_a_groups_prior_has_its_mean_and_the_variance_left_when_chance_is_taken_out():
    sold, time = np.array([10.0] * 5 + [30.0] * 5), np.full(10, 10.0)  # rates 1 and 3

    # mean 2; variance 1, of which chance makes mean(rate / time) = 0.2; shape 4 / 0.8, rate shape / 2
    prior = group_priors(sold, time, np.zeros(10, int))

    assert prior == pytest.approx(np.tile([5.0, 2.5], (10, 1)))


def test_a_small_group_is_believed_to_be_like_the_whole_shop():
    sold, time = np.array([10.0] * 9 + [90.0] * 3), np.full(12, 10.0)
    groups = np.array([0] * 9 + [1] * 3)

    shop, own, few = (
        group_priors(sold, time, np.zeros(12, int))[0],
        *group_priors(sold, time, groups)[[0, -1]],
    )

    assert few == pytest.approx(shop)
    assert own[0] / own[1] < shop[0] / shop[1]  # nine that sell little pull theirs down


def test_where_nothing_was_ever_on_sale_nothing_is_known():
    assert group_priors(np.zeros(3), np.zeros(3), np.zeros(3, int)) == pytest.approx(
        np.tile(UNKNOWN, (3, 1))
    )


@pytest.mark.parametrize(("launches", "apart"), [(4, False), (6, True)])
def test_launches_are_known_apart_once_there_are_five(launches, apart):
    sold, time = np.full(20, 10.0), np.full(20, 10.0)
    is_launch = np.arange(20) < launches
    young = np.where(is_launch, 12.0, 1.0), np.full(20, 4.0)  # launches sell three a week at first

    prior = launch_priors(sold, time, young, np.zeros(20, int), is_launch)
    mean = prior[:, 0] / prior[:, 1]

    assert (mean[is_launch] > 1.05).all() == apart
    assert mean[~is_launch] == pytest.approx(1.0)
