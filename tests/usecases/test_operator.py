"""The operator's commands answer in JSON, and say plainly what they cannot do."""

import json

import pytest

from shopify_app import cli
from tests.simulated import install


def ask(capsys, *words):
    status = cli.main([*words, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out) if status == 0 else said.err


def test_each_command_answers(world, capsys):
    shop = install(world)
    capsys.readouterr()

    assert ask(capsys, "migrate")[1] == {"applied": []}
    assert [one["domain"] for one in ask(capsys, "shops")[1]] == [shop.domain]
    facts = ask(capsys, "facts", "--shop", shop.domain, "--since", "2026-01-01")[1]
    assert set(facts["days"][0]) == {
        "day",
        "orders",
        "units",
        "gross",
        "discounts",
        "refunds",
        "net",
    }
    assert ask(capsys, "inbox")[1]["dead"] == 0
    assert ask(capsys, "dead", "list")[1] == []
    assert ask(capsys, "dead", "replay")[1] == {"replayed": 0}
    assert set(ask(capsys, "reconcile", "--shop", shop.domain)[1]["healed"]) == {
        "orders",
        "products",
        "inventory",
    }
    found = ask(capsys, "suggestions", "--shop", shop.domain, "--refresh")[1]
    assert ask(capsys, "explain", "--shop", shop.domain, str(found[0]["id"]))[1]["matches"] is True
    assert "access_token" not in json.dumps(ask(capsys, "tokens")[1])
    assert ask(capsys, "tokens", "--re-encrypt")[1] == {"re_encrypted": 0}
    assert ask(capsys, "redactions")[1] == []
    assert cli.main(["shops"]) == 0


@pytest.mark.parametrize(
    "words", [("facts", "--shop", "none.myshopify.com"), ("dead", "show", "7"), ("dead", "show")]
)
def test_what_is_not_there_is_said_in_a_line(database, capsys, words):
    status, said = ask(capsys, *words)
    assert status == 1
    assert len(said.strip().splitlines()) == 1
