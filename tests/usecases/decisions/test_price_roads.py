"""A price's roads at random: a small run of what `./run bench undo` does ten thousand times."""

import pytest

from bench.lib import price_sequences as roads
from simulator.world import kinds
from tests.simulated import install, simulated_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _a_kind_of_shop_for_these_tests_only():
    roads.add_kind()
    yield
    kinds.KINDS.pop(roads.KIND)


def test_no_road_loses_an_edit_or_writes_twice_or_undoes_inexactly(database, tmp_path, monkeypatch):
    counts = roads.Counts()
    with simulated_world(tmp_path, monkeypatch, roads.KIND) as world:
        install(world)
        roads.Machine(world, seed=7, counts=counts).run(150)
        wrong = list(roads.labels_that_are_wrong(world))

    assert (dict(counts.breaches), counts.examples, wrong) == ({}, [], [])
    assert counts.sequences == 150
    assert min(counts.ends[end] for end in ("apply applied", "apply conflict", "undo applied")) > 0


def test_the_judge_sees_a_write_over_an_edit(database, tmp_path, monkeypatch):
    counts = roads.Counts()
    monkeypatch.setattr(roads.price_outbox, "_old", lambda change: _Anything())
    with simulated_world(tmp_path, monkeypatch, roads.KIND) as world:
        install(world)
        roads.Machine(world, seed=7, counts=counts).run(60)

    assert counts.breaches["merchant_edit_lost"] > 0


class _Anything:
    """Equal to every price: an outbox that does not compare."""

    def __eq__(self, other):
        return True

    __hash__ = None
