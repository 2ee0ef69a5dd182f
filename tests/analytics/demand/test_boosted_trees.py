"""Trees learn what patterns mean together, and little where there is nothing."""

import numpy as np
import pytest

from shopify_app.analytics.demand.boosted_trees import Trees, grow, no_trees


def rows(effect, n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 5))
    features[:, 4] = rng.integers(0, 4, n)
    expected = rng.lognormal(0.5, 0.5, n)
    actual = rng.poisson(expected * np.exp(effect(features))).astype(float)
    return features, expected, actual, np.ones(n), np.zeros(n), np.random.default_rng(1)


def test_what_two_patterns_mean_together_is_learned():
    def effect(x):
        return np.where((x[:, 0] > 0) & (x[:, 1] > 0.5), 0.6, -0.1)

    trees = grow(*rows(effect))
    features = rows(effect, seed=9)[0]

    found = trees.effect(features)
    wanted = effect(features)
    assert np.abs(found - wanted).mean() < 0.12
    assert np.corrcoef(found, wanted)[0, 1] > 0.9


def test_little_is_made_of_noise():
    trees = grow(*rows(lambda x: np.zeros(len(x))))

    assert np.abs(trees.effect(rows(lambda x: np.zeros(len(x)), seed=9)[0])).mean() < 0.02


def test_rounding_turns_no_answer_of_a_whole_number():
    trees = grow(*rows(lambda x: 0.3 * (x[:, 4] >= 2)))
    features = rows(lambda x: np.zeros(len(x)), seed=9)[0]
    nudged = features.copy()
    nudged[:, 4] *= 1 + 1e-6

    np.testing.assert_array_equal(trees.effect(features), trees.effect(nudged))


def test_each_row_is_answered_alone_as_among_many():
    known = rows(lambda x: np.where(x[:, 0] > 0, 0.5, -0.5), n=3_000)
    trees, features = grow(*known), known[0]

    found = trees.effect(features)
    alone = [trees.effect(features[row : row + 1])[0] for row in (0, 1_023, 1_024, 2_999)]
    assert found[[0, 1_023, 1_024, 2_999]].tolist() == alone
    assert trees.effect(features.reshape(3, 1_000, 5)).ravel().tolist() == found.tolist()


def test_too_few_rows_to_ask_grow_no_tree():
    trees = grow(*rows(lambda x: np.zeros(len(x)), n=4))

    assert trees.effect(np.ones((2, 3, 5))).tolist() == [[0.0] * 3] * 2
    assert isinstance(trees, Trees)


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5)])
def test_no_trees_say_nothing_of_any_rows(shape):
    assert (no_trees().effect(np.ones(shape)) == 0).all()
