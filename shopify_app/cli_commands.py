"""What each operator's command does: arguments to use cases."""

import argparse
from typing import Any

from shopify_app.config import settings
from shopify_app.db import (
    ledgers,
    offline_tokens,
    price_tests,
    redactions,
    shops,
    suggestions,
    webhook_inbox,
)
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.db.migrate import migrate
from shopify_app.db.refresh_requests import FailedRuns
from shopify_app.domain.shop import Shop
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases import access, advice_state, facts, inbox, reconcile
from shopify_app.usecases import price_tests as stopping


def migrate_schema(_: argparse.Namespace) -> dict[str, Any]:
    """Apply migrations."""
    return {"applied": migrate(settings().database_url)}


def list_shops(_: argparse.Namespace) -> list[dict[str, Any]]:
    """Every shop, with the runs of its suggestions that failed since the last good one."""
    failing = advice_state.failing_shops()
    with sweep_transaction() as conn:
        return [
            {
                "shop_id": s.shop_id,
                "domain": s.domain,
                "state": s.state.value,
                "install_epoch": s.install_epoch,
                "installed_at": s.installed_at,
                "currency": s.currency,
                "timezone": s.timezone,
                **_failed_runs(failing.get(s.shop_id)),
            }
            for s in shops.every(conn)
        ]


def _failed_runs(failed: FailedRuns | None) -> dict[str, Any]:
    return {
        "runs_failed": failed.attempts if failed else 0,
        "runs_fail_since": failed and failed.failing_since,
        "runs_fail_of": failed and failed.error_type,
        "next_run_at": failed and failed.next_try_at,
    }


def show_facts(arguments: argparse.Namespace) -> dict[str, Any]:
    """A shop's books."""
    return facts.facts(_shop(arguments.shop).shop_id, since=arguments.since, until=arguments.until)


def show_inbox(_: argparse.Namespace) -> dict[str, Any]:
    """How the inbox stands."""
    return inbox.standing()


def dead_letters(arguments: argparse.Namespace) -> Any:
    """Parked webhooks."""
    with sweep_transaction() as conn:
        if arguments.act == "list":
            return webhook_inbox.dead(conn)
        if arguments.act == "replay":
            return {
                "replayed": webhook_inbox.replay(
                    conn, delivery_id=arguments.id, since=arguments.since
                )
            }
        if arguments.id is None:
            raise InvalidInputError("dead show needs the id of a delivery")
        found = webhook_inbox.dead(conn, delivery_id=arguments.id)
    if not found:
        raise NotFoundError(f"no parked delivery {arguments.id}")
    return found[0]


def reconcile_shop(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare with Shopify now."""
    return {"healed": reconcile.reconcile_shop(_shop(arguments.shop), since=arguments.since)}


def list_suggestions(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Open suggestions, worked out first if asked."""
    shop = _shop(arguments.shop)
    if arguments.refresh:
        from shopify_app.usecases import suggest  # noqa: PLC0415 -- pandas is loaded only for this

        suggest.refresh_suggestions(shop.shop_id)
    with transaction(shop.shop_id) as conn:
        found = suggestions.cards(conn, shop.shop_id, limit=arguments.limit)
    return [
        {
            "id": c.id,
            "kind": c.kind.value,
            "product": c.product_title,
            "variant": c.variant_title,
            "sku": c.sku,
            "urgent": c.is_urgent,
            "proposal": c.proposal,
            "value": f"{c.value_mid} ({c.value_low} to {c.value_high}) {c.currency} {c.value_unit}",
        }
        for c in found
    ]


def explain_suggestion(arguments: argparse.Namespace) -> Any:
    """Work a suggestion out again."""
    from shopify_app.usecases import explain  # noqa: PLC0415 -- pandas is loaded only for this

    return explain.explain(_shop(arguments.shop).shop_id, arguments.id)


def tell_price_test(arguments: argparse.Namespace) -> dict[str, Any]:
    """How a price test stands; stopped first, if asked for."""
    from shopify_app.usecases import explain  # noqa: PLC0415 -- pandas is loaded only for this

    shop_id = _shop(arguments.shop).shop_id
    with transaction(shop_id) as conn:
        found = price_tests.newest(conn, shop_id, test_id=arguments.id)
    if not found:
        raise NotFoundError("price test")
    test = found[0]
    if arguments.stop:
        stopping.stop(shop_id, test.id, asked_by="operator")
    explained = explain.explain_price_test(shop_id, test.id)
    with transaction(shop_id) as conn:
        test = price_tests.newest(conn, shop_id, test_id=test.id)[0]
        prices = price_tests.prices(conn, shop_id, test.id)
    return {
        "id": test.id,
        "state": test.state,
        "first_on": test.first_on,
        "weeks": test.weeks,
        "weeks_read": test.weeks_read,
        "maximum_cost": test.maximum_cost,
        "stop_because": test.stop_because,
        "prices": len(prices),
        "given_back": sum(one.returned_at is not None for one in prices),
        "left": {one.variant_id: one.left_because for one in prices if one.left_because},
        "plan_comes_out_again": explained.matches,
        "differences": explained.differences,
        "reading": test.reading,
    }


def judge_decisions(arguments: argparse.Namespace) -> dict[str, Any]:
    """Judge what is due; the ledger as it then stands."""
    from shopify_app.usecases import judge_outcomes  # noqa: PLC0415 -- pandas is loaded only for this

    shop = _shop(arguments.shop)
    judged = judge_outcomes.judge_shop(shop.shop_id, as_of=arguments.as_of)
    with transaction(shop.shop_id) as conn:
        ledger = ledgers.of_shop(conn, shop.shop_id)
    return {
        "judged": judged,
        "as_of": ledger.as_of,
        "total": ledger.total,
        "rulings": ledger.rulings,
    }


def replay_year(arguments: argparse.Namespace) -> dict[str, Any]:
    """Replay a shop's past under the advice; what it found."""
    from shopify_app.usecases import replay_year as year  # noqa: PLC0415 -- pandas is loaded only for this

    shop = _shop(arguments.shop)
    found = year.replay_shop(shop.shop_id, as_of=arguments.as_of)
    return {"as_of": found.as_of, "currency": found.currency, **found.record}


def show_tokens(arguments: argparse.Namespace) -> Any:
    """When tokens expire (never the tokens)."""
    if arguments.re_encrypt:
        return {"re_encrypted": access.re_encrypt_tokens()}
    with sweep_transaction() as conn:
        return offline_tokens.expiries(conn)


def list_redactions(_: argparse.Namespace) -> Any:
    """The privacy ledger."""
    with sweep_transaction() as conn:
        return redactions.every(conn)


def _shop(domain: str) -> Shop:
    with sweep_transaction() as conn:
        shop = shops.by_domain(conn, domain)
    if shop is None:
        raise NotFoundError(f"no shop {domain}")
    return shop
