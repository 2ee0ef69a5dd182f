"""The operator's commands answer in JSON, and say plainly what they cannot do."""

import json

import pytest

from shopify_app import cli
from shopify_app.db import price_changes
from shopify_app.db.connection import sweep_transaction
from shopify_app.usecases.decisions import decide
from tests.factories import make_suggestion, make_variant
from tests.kept_worlds import installed
from tests.web.page_rows import price_row


def ask(capsys, *words):
    status = cli.main([*words, "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out) if status == 0 else said.err


def test_each_command_answers(world, capsys):
    shop = installed(world)
    capsys.readouterr()

    assert ask(capsys, "migrate")[1] == {"applied": []}
    assert [one["domain"] for one in ask(capsys, "shops")[1]] == [shop.domain]
    facts = ask(capsys, "facts", "--shop", shop.domain, "--since", "2026-01-01")[1]
    assert set(facts["days"][0]) == {
        "day",
        "currency",
        "orders",
        "units",
        "returned_units",
        "gross",
        "discounts",
        "refunds",
        "net",
        "shipping",
        "duties",
        "fees",
        "taxes",
        "total",
        "tips",
        "gift_cards",
        "unknown",
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


@pytest.fixture
def ready(acme, rival, capsys):
    """Two shops, and nothing said yet."""
    capsys.readouterr()
    return acme, rival


def may_leave(shop):
    """Whether the pump would send a price of this shop."""
    with sweep_transaction() as conn:
        return shop.shop_id in price_changes.due_shops(conn)


def test_no_price_leaves_a_paused_shop_until_it_is_resumed(ready, capsys):
    acme, rival = ready
    for shop in ready:
        decide.accept_suggestion(shop.shop_id, price_row(shop), accepted_by="42")

    paused = ask(capsys, "pause", acme.domain)[1]

    assert (paused["domain"], may_leave(acme), may_leave(rival)) == (acme.domain, False, True)
    assert ask(capsys, "pause", acme.domain)[1] == paused
    assert ask(capsys, "resume", acme.domain)[1] == {
        "domain": acme.domain,
        "writes_paused_at": None,
    }
    assert may_leave(acme)


def test_the_log_of_decisions_tells_who_what_and_when_of_one_shop(ready, capsys):
    acme, rival = ready
    number = price_row(acme)
    decide.accept_suggestion(acme.shop_id, number, accepted_by="Ada")
    decide.accept_suggestion(rival.shop_id, price_row(rival), accepted_by="Bob")

    (told,) = ask(capsys, "decisions", acme.domain)[1]

    assert (told["actor"], told["action"], told["suggestion_id"], told["kind"]) == (
        "Ada",
        "accepted",
        number,
        "price",
    )
    assert ask(capsys, "decisions", acme.domain, "--since", "2999-01-01T00:00:00+00:00")[1] == []
    assert cli.main(["decisions", acme.domain]) == 0
    said = capsys.readouterr().out
    assert "Ada" in said
    assert "Bob" not in said


def test_every_suggestion_is_listed_unless_so_many_are_asked_for(ready, capsys):
    acme, _ = ready
    numbers = {make_suggestion(acme, make_variant(acme)) for _ in range(52)}

    assert {one["id"] for one in ask(capsys, "suggestions", "--shop", acme.domain)[1]} == numbers
    assert len(ask(capsys, "suggestions", "--shop", acme.domain, "--limit", "7")[1]) == 7


@pytest.mark.parametrize(
    "words",
    [
        ("facts",),
        ("facts", "--shop", "a.myshopify.com", "--since", "yesterday"),
        ("dead", "bury"),
        ("pause",),
        ("explain", "--shop", "a.myshopify.com", "one"),
        ("explain", "--shop", "a.myshopify.com", "9" * 20),
        ("dead", "replay", "9" * 20),
        ("dead", "show", "0"),
        ("dead", "replay", "--since", "0001-01-01T00:00:00+23:59"),
        ("price-test", "--shop", "a.myshopify.com", "--id", "9" * 20),
        ("suggestions", "--shop", "a.myshopify.com", "--limit", "9" * 20),
        ("decisions", "a.myshopify.com", "--since", "9999-12-31T23:59:59-23:59"),
        ("judge", "--shop", "a.myshopify.com", "--as-of", "0001-01-01"),
        ("replay", "--shop", "a.myshopify.com", "--as-of", "0001-01-01"),
        ("facts", "--shop", "\udcff"),
        ("pause", "a\0b"),
        ("suggest",),
        (),
    ],
)
def test_what_is_not_understood_is_said_and_nothing_is_touched(words, capsys, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert cli.main(list(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Usage: keel" in said.err


def test_help_needs_no_settings_and_every_command_says_what_it_does(capsys, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert cli.main(["--help"]) == 0
    commands = capsys.readouterr().out.split("Commands:\n")[1].splitlines()
    assert len(commands) > 14
    for command, *words in map(str.split, commands):
        assert words
        assert cli.main([command, "--help"]) == 0
        assert "--json" in capsys.readouterr().out
