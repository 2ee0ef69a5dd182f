"""What each operator's command takes and does: arguments to use cases, an answer back."""

from datetime import date, datetime
from typing import Any, Final, TypeVar

import click

from shopify_app.config import settings
from shopify_app.db import (
    decision_log,
    due_work,
    ledgers,
    offline_tokens,
    price_tests,
    redactions,
    shops,
    suggestions,
    tested_prices,
    webhook_inbox,
)
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.db.due_work import FailedRuns
from shopify_app.db.migrate import migrate
from shopify_app.domain.ids import LARGEST_ID
from shopify_app.domain.shop import Shop
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.logs import set_up_logs
from shopify_app.usecases.history import books, facts, full_count, proof, reconcile
from shopify_app.usecases.inbox import drain
from shopify_app.usecases.price_tests import decide as stopping
from shopify_app.usecases.shops import access, writes
from shopify_app.usecases.suggestions import state as advice_state

JSON_ASKED: Final = "keel.json"

YEARS: Final = (1970, 3000)
"""Of a day that can be meant: its neighbours, some years off, are still dates."""

D = TypeVar("D", bound=date)


class OperatorCommand(click.Command):
    """A command that takes `--json`; logs are set up once it is understood."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        as_json = click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=lambda context, _, asked: context.meta.update({JSON_ASKED: asked}),
            help="answer as JSON",
        )
        options["params"] = [*(options.get("params") or []), as_json]
        super().__init__(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; its answer."""
        set_up_logs(settings().log_level)
        return super().invoke(ctx)


class Operator(click.Group):
    """All commands."""

    command_class = OperatorCommand


operator = Operator(
    "keel", help="The operator's commands. Answers are tables, or JSON with --json."
)


def _text(value: str) -> str:
    """A text that Postgres can be asked for: bytes that are no UTF-8 reach us as half characters."""
    if not value.isprintable():
        raise click.BadParameter("is no domain")
    return value


def _day(text: str) -> date:
    return _of_a_year_meant(date.fromisoformat(text))


def _moment(text: str) -> datetime:
    return _of_a_year_meant(datetime.fromisoformat(text))


def _of_a_year_meant(when: D) -> D:
    if not YEARS[0] <= when.year <= YEARS[1]:
        raise ValueError
    return when


ID: Final = click.IntRange(1, LARGEST_ID)
SHOP: Final = click.option(
    "--shop", type=_text, required=True, help="the shop's myshopify.com domain"
)
DOMAIN: Final = click.argument("shop", metavar="DOMAIN", type=_text)
SINCE_MOMENT: Final = click.option(
    "--since", type=_moment, metavar="TIME", help="from this moment on"
)


def day_option(name: str, words: str) -> Any:
    """An option that is a day."""
    return click.option(name, type=_day, metavar="YYYY-MM-DD", help=words)


@operator.command("migrate")
def migrate_schema() -> dict[str, Any]:
    """Bring the database's schema up to date."""
    return {"applied": migrate(settings().database_url)}


@operator.command("shops")
def list_shops() -> list[dict[str, Any]]:
    """Every shop and how it stands, with the runs of its suggestions that failed since the last good one."""
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


@operator.command("facts")
@SHOP
@day_option("--since", "first day")
@day_option("--until", "last day")
@click.option("--variants", is_flag=True, help="each variant's days too")
def show_facts(
    shop: str, *, since: date | None, until: date | None, variants: bool
) -> dict[str, Any]:
    """A shop's days, catalogue and stock, to compare with its own books."""
    return facts.facts(_shop(shop).shop_id, since=since, until=until, with_variants=variants)


@operator.command("proof")
@DOMAIN
def prove_books(shop: str) -> dict[str, Any]:
    """How a shop's books agree with Shopify's own totals: the orders that do not, the days that do not add up."""
    proved = proof.prove_shop(_shop(shop).shop_id)
    return {
        "proved_at": proved.proved_at,
        "sales_changed": proved.sales_changed,
        **proved.proof.as_json(),
    }


@operator.command("inbox")
def show_inbox() -> dict[str, Any]:
    """How the webhook inbox stands."""
    return drain.standing()


@operator.command("dead")
@click.argument("act", type=click.Choice(["list", "show", "replay"]))
@click.argument("delivery_id", metavar="[ID]", type=ID, required=False)
@SINCE_MOMENT
def dead_letters(act: str, delivery_id: int | None, since: datetime | None) -> Any:
    """Parked webhooks: list, show N, replay [N]; --since replays what was parked since."""
    with sweep_transaction() as conn:
        if act == "list":
            return webhook_inbox.dead(conn)
        if act == "replay":
            return {"replayed": webhook_inbox.replay(conn, delivery_id=delivery_id, since=since)}
        if delivery_id is None:
            raise InvalidInputError("dead show needs the id of a delivery")
        found = webhook_inbox.dead(conn, delivery_id=delivery_id)
    if not found:
        raise NotFoundError(f"no parked delivery {delivery_id}")
    return found[0]


@operator.command("reconcile")
@SHOP
@SINCE_MOMENT
def reconcile_shop(shop: str, since: datetime | None) -> dict[str, Any]:
    """Compare a shop with Shopify now; --since looks back to a moment (after an outage)."""
    return {"healed": reconcile.reconcile_shop(_shop(shop), since=since)}


@operator.command("count")
@SHOP
def count_shop(shop: str) -> dict[str, Any]:
    """Have everything of a shop counted now instead of within the week; the pump and its workers do it."""
    shop_id = _shop(shop).shop_id
    with transaction(shop_id) as conn:
        due_work.forget_failures(conn, shop_id, full_count.WHAT)
        due_work.ask(conn, shop_id, full_count.WHAT)
    return {"asked_for": full_count.WHAT}


@operator.command("books")
@click.option("--shop", help="of one shop (default: of all)")
def show_books(shop: str | None) -> list[dict[str, Any]]:
    """What is wrong with shops' books: what, of what, since when, and whether suggestions are held for it."""
    asked = None if shop is None else _shop(shop).shop_id
    with sweep_transaction() as conn:
        domains = {one.shop_id: one.domain for one in shops.every(conn)}
    return [
        {
            "domain": domains[shop_id],
            "what": trouble.what.value,
            "of": trouble.of,
            "since": trouble.since,
            "rows": trouble.rows,
            "holds_suggestions": trouble.holds,
            "error": trouble.error,
        }
        for shop_id, found in books.troubles_of_all().items()
        if asked in (None, shop_id)
        for trouble in found.troubles
    ]


@operator.command("pause")
@DOMAIN
def pause_shop(shop: str) -> dict[str, Any]:
    """Let no price leave for a shop until it is resumed."""
    return _writes_of(writes.pause(_shop(shop).shop_id))


@operator.command("resume")
@DOMAIN
def resume_shop(shop: str) -> dict[str, Any]:
    """Let a paused shop's prices leave again, those that waited too."""
    return _writes_of(writes.resume(_shop(shop).shop_id))


def _writes_of(shop: Shop) -> dict[str, Any]:
    return {"domain": shop.domain, "writes_paused_at": shop.writes_paused_at}


@operator.command("decisions")
@DOMAIN
@SINCE_MOMENT
def list_decisions(shop: str, since: datetime | None) -> Any:
    """Who decided what, when, about a shop's suggestions, and what came of it; the oldest first."""
    shop_id = _shop(shop).shop_id
    with transaction(shop_id) as conn:
        return decision_log.of_shop(conn, shop_id, since=since)


@operator.command("suggestions")
@SHOP
@click.option("--refresh", is_flag=True, help="work them out first")
@click.option("--limit", type=click.IntRange(0, LARGEST_ID), help="so many at most (default: all)")
def list_suggestions(shop: str, *, refresh: bool, limit: int | None) -> list[dict[str, Any]]:
    """A shop's open suggestions; --refresh works them out first."""
    shop_id = _shop(shop).shop_id
    if refresh:
        from shopify_app.usecases.suggestions import suggest  # noqa: PLC0415 -- pandas is loaded only for this

        if suggest.refresh_suggestions(shop_id) is None:
            raise InvalidInputError("suggestions are held: see `keel books`")
    with transaction(shop_id) as conn:
        found = suggestions.cards(conn, shop_id, limit=limit)
    return [
        {
            "id": c.id,
            "kind": c.kind.value,
            "product": c.product_title,
            "variant": c.variant_title,
            "sku": c.sku,
            "urgent": c.is_urgent,
            "proposal": c.proposal.as_json(),
            "value": f"{c.value_mid} ({c.value_low} to {c.value_high}) {c.currency} {c.value_unit}",
        }
        for c in found
    ]


@operator.command("explain")
@SHOP
@click.argument("suggestion_id", metavar="ID", type=ID)
def explain_suggestion(shop: str, suggestion_id: int) -> Any:
    """Work a suggestion's numbers out again from its evidence."""
    from shopify_app.usecases.suggestions import explain  # noqa: PLC0415 -- pandas is loaded only for this

    return explain.explain(_shop(shop).shop_id, suggestion_id)


@operator.command("price-test")
@SHOP
@click.option("--id", "test_id", type=ID, help="this one (default: the newest)")
@click.option("--stop", is_flag=True, help="give its prices back")
def tell_price_test(shop: str, *, test_id: int | None, stop: bool) -> dict[str, Any]:
    """How a shop's price test stands, and whether its plan comes out again."""
    from shopify_app.usecases.suggestions import explain  # noqa: PLC0415 -- pandas is loaded only for this

    shop_id = _shop(shop).shop_id
    with transaction(shop_id) as conn:
        found = price_tests.newest(conn, shop_id, test_id=test_id)
    if not found:
        raise NotFoundError("price test")
    test = found[0]
    if stop:
        stopping.stop(shop_id, test.id, asked_by="operator")
    explained = explain.explain_price_test(shop_id, test.id)
    with transaction(shop_id) as conn:
        test = price_tests.newest(conn, shop_id, test_id=test.id)[0]
        prices = tested_prices.of_test(conn, shop_id, test.id)
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
        "reading": test.reading and test.reading.as_json(),
    }


@operator.command("judge")
@SHOP
@day_option("--as-of", "as of a day (default: the shop's today)")
def judge_decisions(shop: str, as_of: date | None) -> dict[str, Any]:
    """Judge the decisions whose stop date has come, work the ledger out, tell it."""
    from shopify_app.usecases.outcomes import judge as judging  # noqa: PLC0415 -- pandas is loaded only for this

    shop_id = _shop(shop).shop_id
    judged = judging.judge_shop(shop_id, as_of=as_of)
    with transaction(shop_id) as conn:
        ledger = ledgers.of_shop(conn, shop_id)
    return {
        "judged": judged,
        "as_of": ledger.as_of,
        "total": ledger.total and ledger.total.as_json(),
        "rulings": ledger.rulings.as_json(),
    }


@operator.command("replay")
@SHOP
@day_option("--as-of", "the year before a day (default: today)")
def replay_year(shop: str, as_of: date | None) -> dict[str, Any]:
    """What the past year would have brought with the restock advice, in money."""
    from shopify_app.usecases.suggestions import replay as year  # noqa: PLC0415 -- pandas is loaded only for this

    found = year.replay_shop(_shop(shop).shop_id, as_of=as_of)
    return {"as_of": found.as_of, "currency": found.currency, **found.record}


@operator.command("tokens")
@click.option("--re-encrypt", is_flag=True, help="put them under the newest key")
def show_tokens(*, re_encrypt: bool) -> Any:
    """When tokens expire (never the tokens)."""
    if re_encrypt:
        return {"re_encrypted": access.re_encrypt_tokens()}
    with sweep_transaction() as conn:
        return offline_tokens.expiries(conn)


@operator.command("redactions")
def list_redactions() -> Any:
    """What the privacy topics asked and what was done."""
    with sweep_transaction() as conn:
        return redactions.every(conn)


def _shop(domain: str) -> Shop:
    with sweep_transaction() as conn:
        shop = shops.by_domain(conn, domain)
    if shop is None:
        raise NotFoundError(f"no shop {domain}")
    return shop
