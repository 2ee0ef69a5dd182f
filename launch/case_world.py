"""A simulator and Keel in one process, on loopback sockets, for shops that are described: work is done when it is asked for.

Keel comes into a shop by the real road (grant, signed launch URL, token exchange, history by bulk), and news by
signed deliveries over HTTP. What would wait for a moment, as a second question to Shopify, is asked at once.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg2
import structlog
from flask import Flask
from werkzeug.serving import make_server

from launch import case_steps
from launch.case_statements import Seen, judge
from launch.keel import Secrets, environment
from launch.processes import ROOT
from shopify_app import cli, clock, config
from shopify_app.db import connection, due_work, shops, suggestions, webhook_inbox
from shopify_app.db.connection import sweep_transaction, transaction
from shopify_app.domain.shop import Shop
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.logs import set_up_logs
from shopify_app.usecases import doorbells
from shopify_app.usecases.history import facts, full_count, reconcile
from shopify_app.web import create_app
from shopify_app.web.wording import NOT_SURE, words_for
from simulator.app import create_app as create_simulator
from simulator.cases.case import Case
from simulator.cases.reading import BadCaseError
from simulator.config import SimConfig
from simulator.graphql.schema import schema
from simulator.state import Simulator, make_simulator
from simulator.world import described
from simulator.world.rows import NotThereError

ADVICE: Final = "workers.decisions.refresh_suggestions"
NOT_OURS: Final = frozenset(
    {
        ADVICE,
        "workers.decisions.judge_outcomes",
        "workers.decisions.replay_years",
        "workers.housekeeping.keep_house",
    }
)
"""Work that is not done by itself: advice is run once, at the end; time stands still for the rest."""

TRIES: Final = 3
LANGUAGES: Final = ("en", "zh")
MOST_SECONDS: Final = 120
"""A case that is not through by then hangs."""

BRING_FORWARD: Final = (
    "UPDATE refetches SET due_at = now() WHERE due_at > now()",
    "UPDATE webhook_inbox SET due_at = now() WHERE done_at IS NULL AND dead_at IS NULL AND due_at > now()",
    "UPDATE backfills SET due_at = now() WHERE state <> 'done' AND due_at > now()",
    (
        "UPDATE due_work w SET due_at = now() WHERE what = 'full_count' AND due_at > now()"
        " AND EXISTS (SELECT FROM full_counts f WHERE f.shop_id = w.shop_id)"
    ),
)
DAILY: Final = """
SELECT p.title AS product, v.title AS variant, d.sold_on::text AS day, to_jsonb(d) - 'shop_id' AS row
  FROM daily_sales d JOIN variants v ON v.shop_id = d.shop_id AND v.id = d.variant_id
  JOIN products p ON p.shop_id = v.shop_id AND p.id = v.product_id
 WHERE d.shop_id = %s ORDER BY d.sold_on, p.title, v.title
"""


@dataclass(frozen=True, slots=True)
class CaseWorld:
    """What shops of cases live in."""

    sim: Simulator
    http: httpx.Client
    """To the simulator."""
    keel: httpx.Client
    """To the app."""
    app: Flask
    database_url: str

    def run(self, case: Case, domain: str, *, advise: bool = True) -> dict[str, Any]:
        """Make the case's shop under a domain, play the case, run the advice once (unless told not to); what was seen.

        Raises
        ------
        BadCaseError
            If a field of the case names what is not there.
        """
        began = time.monotonic()
        try:
            described.make(self.sim.store, domain, case.shop)
        except (NotThereError, ValueError) as error:
            raise BadCaseError(
                f"shop.{error}" if str(error).startswith("orders[") else f"shop: {error}"
            ) from error
        self._install(case, domain)
        case_steps.play(
            case.webhooks,
            self.http,
            domain,
            drain=self.drain,
            keel=case_steps.KeelActs(
                lambda since: self._reconcile(domain, since), lambda: self._count(domain)
            ),
        )
        self.drain()
        if advise:
            self._advise(case, domain)
        document = self._document(case, domain)
        seen = Seen(document, case.shop.today, lambda path, tongue: self.page(domain, path, tongue))
        verdicts = [(one, judge(one, seen)) for one in case.expect]
        document["expect"] = [
            {
                "statement": one.model_dump(mode="json", by_alias=True, exclude_unset=True),
                "ok": verdict.ok,
                "found": verdict.found,
            }
            for one, verdict in verdicts
        ]
        document["ok"] = all(verdict.ok for _, verdict in verdicts)
        document["seconds"] = round(time.monotonic() - began, 1)
        return document

    def shop(self, domain: str) -> Shop:
        """Keel's own row of a shop."""
        with sweep_transaction() as conn:
            found = shops.by_domain(conn, domain)
        if found is None:
            raise RuntimeError(f"Keel does not know {domain}")
        return found

    def drain(self) -> None:
        """Work until nothing is left, now or later.

        Raises
        ------
        TimeoutError
            If there is no end to it.
        """
        deadline = time.monotonic() + MOST_SECONDS
        while True:
            due = [bell for bell in doorbells.due_doorbells() if bell.name not in NOT_OURS]
            for bell in due:
                bell.work()
            if time.monotonic() > deadline:
                raise TimeoutError(f"there is no end to {', '.join(bell.name for bell in due)}")
            if not due and not self._brought_forward():
                return

    def page(self, domain: str, path: str, tongue: str) -> str:
        """The words of a page."""
        answer = self._ask(domain, path, tongue, accept="text/html")
        return text_of(answer.text)

    def _install(self, case: Case, domain: str) -> None:
        asked = {} if case.shop.scopes is None else {"scopes": case.shop.scopes}
        answer = self.http.post(f"_sim/{domain}/install", json=asked)
        answer.raise_for_status()
        self._open(answer.json()["launch_url"], domain)
        self._tell_the_moment(domain)
        self.drain()
        if case.shop.settings:
            case_steps.save_settings(case.shop.settings, self.http, self.keel, domain)

    def _open(self, launch_url: str, domain: str) -> None:
        """Open the app in the admin; a person whose page says "in a moment" opens it again."""
        status = 0
        for _ in range(TRIES):
            status = self.keel.get(launch_url).status_code
            if status == 200:
                return
            launch_url = self.http.get(f"_sim/{domain}/launch-url").json()["url"]
        raise RuntimeError(f"the app did not open: HTTP {status}")

    def _tell_the_moment(self, domain: str) -> None:
        """Put Keel's clock of the shop to the shop's own, as the simulator does when days pass; it never goes back."""
        moment = self.http.get(f"_sim/{domain}/state").json()["now"]
        if datetime.fromisoformat(moment) <= datetime.now(UTC):
            return
        body = json.dumps({"shop": domain, "now": moment}).encode()
        signature = hmac.new(self.sim.config.client_secret.encode(), body, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Hmac-Sha256": base64.b64encode(signature).decode(),
        }
        self.keel.post("development/clock", content=body, headers=headers).raise_for_status()

    def _reconcile(self, domain: str, since: str | None) -> None:
        moment = None if since is None else datetime.fromisoformat(since)
        reconcile.reconcile_shop(self.shop(domain), since=moment)
        self.drain()

    def _count(self, domain: str) -> None:
        """Have everything of the shop counted."""
        shop_id = self.shop(domain).shop_id
        with transaction(shop_id) as conn:
            due_work.ask(conn, shop_id, full_count.WHAT)
        self.drain()

    def _advise(self, case: Case, domain: str) -> None:
        """One run, by the road of every run: a failure is kept and shown. A run of a day that is past is told its day."""
        shop = self.shop(domain)
        if case.shop.today < clock.today(shop):
            from shopify_app.usecases.suggestions import suggest  # noqa: PLC0415 -- pandas is loaded only for this

            suggest.refresh_suggestions(shop.shop_id, as_of=case.shop.today)
            return
        with transaction(shop.shop_id) as conn:
            due_work.ask(conn, shop.shop_id, "suggestions")
        bell = next(one for one in doorbells.DOORBELLS if one.name == ADVICE)
        bell.work()

    def _brought_forward(self) -> bool:
        """Make due now what waits for a moment; whether there was something."""
        conn = psycopg2.connect(self.database_url)
        conn.autocommit = True
        found = 0
        try:
            with conn.cursor() as cur:
                for statement in BRING_FORWARD:
                    cur.execute(statement)
                    found += cur.rowcount
        finally:
            conn.close()
        if found:
            time.sleep(0.05)  # an operation of Shopify's is under way: let it go on
        return bool(found)

    def _document(self, case: Case, domain: str) -> dict[str, Any]:
        shop = self.shop(domain)
        home = {tongue: self._ask(domain, "/", tongue).json() for tongue in LANGUAGES}
        counts = (home["en"]["run"] or {}).get("counts", {})
        with transaction(shop.shop_id) as conn:
            cards = suggestions.cards(conn, shop.shop_id)
            with conn.cursor() as cur:
                cur.execute(DAILY, (shop.shop_id,))
                daily = [
                    {"product": product, "variant": variant, "day": day, **row}
                    for product, variant, day, row in cur.fetchall()
                ]
        with sweep_transaction() as conn:
            dead = [one for one in webhook_inbox.dead(conn) if _field(one, "shop_domain") == domain]
        return {
            "case": case.title,
            "shop": {
                "domain": domain,
                "as_of": case.shop.today.isoformat(),
                "currency": shop.currency,
                "timezone": shop.timezone,
            },
            "facts": json.loads(cli.as_json(facts.facts(shop.shop_id))),
            "cards": [self._card(domain, card) for card in cards],
            "not_sure": self._not_sure(counts.get("not_sure", {})),
            "advice": {
                **home["en"]["advice"],
                **{name: value for name, value in counts.items() if name != "not_sure"},
                "words": {tongue: home[tongue]["advice"]["words"] for tongue in LANGUAGES},
            },
            "daily": daily,
            "dead_letters": json.loads(cli.as_json(dead)),
        }

    def _card(self, domain: str, card: SuggestionCard) -> dict[str, Any]:
        words: dict[str, Any] = {}
        for tongue in LANGUAGES:
            told = self._ask(domain, f"/suggestions/{card.id}", tongue).json()["suggestion"]
            row = self.page(domain, f"/suggestions/{card.id}?shape=row", tongue)
            words[tongue] = {"title": told["title"], "why": told["why"], "text": row}
        told = json.loads(
            cli.as_json(
                {
                    "id": card.id,
                    "kind": card.kind.value,
                    "product": card.product_title,
                    "variant": card.variant_title,
                    "urgent": card.is_urgent,
                    "value": {
                        "low": card.value_low,
                        "mid": card.value_mid,
                        "high": card.value_high,
                        "unit": card.value_unit,
                        "currency": card.currency,
                    },
                    "proposal": card.proposal,
                    "evidence": card.evidence,
                }
            )
        )
        return {**told, "words": words}

    def _not_sure(self, counts: Mapping[str, int]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for reason, variants in sorted(counts.items(), key=lambda one: -one[1]):
            words: dict[str, str] = {}
            for tongue in LANGUAGES:
                with self.app.test_request_context(headers={"Accept-Language": tongue}):
                    words[tongue] = words_for(NOT_SURE, reason)
            found.append({"reason": reason, "variants": variants, "words": words})
        return found

    def _ask(
        self, domain: str, path: str, tongue: str, *, accept: str = "application/json"
    ) -> httpx.Response:
        headers = case_steps.headers(self.http, domain, tongue=tongue, accept=accept)
        answer = self.keel.get(path, headers=headers, follow_redirects=True)
        if answer.status_code != 200:
            raise BadCaseError(f"{path}: the app answers {answer.status_code}")
        return answer


@contextlib.contextmanager
def case_world(folder: Path, *, database_url: str, redis_url: str) -> Iterator[CaseWorld]:
    """A world over a migrated database; the environment is given back as it was."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    sim_port, app_port = (door.getsockname()[1] for door in doors)
    secret = Secrets("c" * 32, f"shpss_{'c' * 32}", f"case:{'Y2Nj' * 10}Y2M=")
    settings = environment(
        app_port=app_port,
        simulator_port=sim_port,
        database_url=database_url,
        redis_url=redis_url,
        secret=secret,
    )
    with contextlib.ExitStack() as stack:
        for door in doors:
            stack.callback(door.close)
        stack.enter_context(_settings(settings))
        sim_config = SimConfig(
            folder,
            sim_port,
            settings["APP_URL"],
            ROOT / "shopify.app.toml",
            secret.api_key,
            secret.api_secret,
        )
        schema()  # takes a second or more: no first request shall wait for it
        sim, app = make_simulator(sim_config), create_app()
        for served, door in zip((create_simulator(sim_config, sim), app), doors, strict=True):
            stack.callback(_serve(served, door))
        sim.start()
        stack.callback(sim.stop)
        http, keel = (
            stack.enter_context(httpx.Client(base_url=url, timeout=120, trust_env=False))
            for url in (sim_config.api_origin, settings["APP_URL"])
        )
        yield CaseWorld(sim, http, keel, app, database_url)


@contextlib.contextmanager
def _settings(wanted: Mapping[str, str]) -> Iterator[None]:
    """Keel under these settings, in this process, quiet but for what is broken."""
    before = dict(os.environ)
    os.environ.update(wanted)
    config.settings.cache_clear()
    connection.close_pool()
    logs, server = structlog.get_config(), logging.getLogger("werkzeug")
    level = server.level
    set_up_logs("CRITICAL")
    server.setLevel(logging.ERROR)
    try:
        yield
    finally:
        structlog.configure(**logs)
        server.setLevel(level)
        connection.close_pool()
        os.environ.clear()
        os.environ.update(before)
        config.settings.cache_clear()


def _serve(app: Flask, door: socket.socket) -> Any:
    """Answer on a socket that listens already; what ends it."""
    host, port = door.getsockname()
    server = make_server(host, port, app, threaded=True, fd=door.fileno())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


class _Text(HTMLParser):
    """Collects what a person reads of a page; what replaces other parts of a page is not of this one."""

    UNREAD: Final = frozenset({"script", "style", "template", "svg"})
    WITHOUT_END: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr", "source"})

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._unread = 0
        """How many tags deep in what nobody reads."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter a tag."""
        if tag in self.WITHOUT_END:
            return
        is_elsewhere = any(name == "hx-swap-oob" for name, _ in attrs)
        if self._unread or tag in self.UNREAD or is_elsewhere:
            self._unread += 1

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        if self._unread and tag not in self.WITHOUT_END:
            self._unread -= 1

    def handle_data(self, data: str) -> None:
        """Read."""
        if not self._unread:
            self.words.append(data)


def text_of(page: str) -> str:
    """The words of an HTML page, one space between them."""
    reader = _Text()
    reader.feed(page)
    return " ".join(" ".join(reader.words).split())


def _field(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, dict) else getattr(row, name)
