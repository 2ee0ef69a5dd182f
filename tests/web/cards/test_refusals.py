"""Several decisions at once: what was refused is counted by reason, carried in the address, and told in words."""

import pytest

from shopify_app.usecases.decisions.decide import AcceptAnswer
from shopify_app.web import create_app
from shopify_app.web.cards.refusals import refusals, refused_lines
from shopify_app.web.wording import ACCEPT_REFUSALS, UNDO_REFUSALS


def test_reasons_are_counted_the_most_frequent_first_and_what_went_well_is_not():
    answers = [
        (1, AcceptAnswer(accepted=True)),
        (2, AcceptAnswer(accepted=False, refused_because="loss_cap")),
        (3, AcceptAnswer(accepted=False, refused_because="under_way")),
        (4, AcceptAnswer(accepted=False, refused_because="under_way")),
    ]

    assert refusals(answers) == ["under_way:2", "loss_cap:1"]
    assert refusals(answers[:1]) == []


def test_the_address_is_told_in_words(settings_env):
    with create_app().test_request_context("/?not_accepted=under_way:2&not_undone=conflict:1"):
        assert refused_lines() == [
            (2, str(ACCEPT_REFUSALS["under_way"])),
            (1, str(UNDO_REFUSALS["conflict"])),
        ]


@pytest.mark.parametrize(
    "said", ["<b>:1", "under_way", "under_way:", "under_way:-1", "under_way:1000000", "under_way:x"]
)
def test_what_the_app_never_wrote_into_an_address_is_not_told(settings_env, said):
    with create_app().test_request_context("/", query_string={"not_accepted": said}):
        assert refused_lines() == []
