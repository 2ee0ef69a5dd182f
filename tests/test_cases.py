"""Every file of tests/cases is right: a shop of its own each, in one world with Keel and the simulator."""

import tempfile
from pathlib import Path

import pytest

from launch.case_world import case_world
from launch.processes import ROOT
from simulator.cases.case import Daily, DeadLetters, Facts, Shelves
from simulator.cases.reading import read_case

FOLDER = ROOT / "tests" / "cases"
FILES = sorted(FOLDER.glob("*/*.json"))

pytestmark = pytest.mark.slow


def parameter(path):
    case = read_case(path)
    marks = [pytest.mark.xfail(reason=case.pending, strict=True)] if case.pending else []
    return pytest.param(case, marks=marks, id=str(path.relative_to(FOLDER).with_suffix("")))


def is_about_advice(case):
    """Whether something is expected of cards, reasons or words, and not of the books alone."""
    return any(not isinstance(one, Facts | Shelves | Daily | DeadLetters) for one in case.expect)


@pytest.fixture(scope="module")
def world(database_of_module):
    with (
        tempfile.TemporaryDirectory(prefix="keel-cases-") as folder,
        case_world(
            Path(folder), database_url=database_of_module, redis_url="redis://127.0.0.1:1/0"
        ) as made,
    ):
        yield made


@pytest.mark.parametrize("case", [parameter(path) for path in FILES])
def test_what_a_case_expects_is_so(world, case, request):
    name = request.node.callspec.id.replace("/", "-")

    seen = world.run(case, f"{name}.myshopify.com", advise=is_about_advice(case))

    assert [one for one in seen["expect"] if not one["ok"]] == []
    assert seen["expect"], "a case that expects nothing shows nothing"
