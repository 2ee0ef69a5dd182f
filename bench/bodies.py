"""Anybody's webhook bodies against sums worked out from them alone: `./run bench bodies [DIR]`.

In: a folder of orders, refunds, products, levels, items and locations as JSON (two dozen of our own making by default,
    in the shapes that public clients and Shopify's docs have).
Method: each is cut to the fields we subscribe to, signed, sent to the app's own door and drained. Then `keel facts` is
    held against `bench.lib.body_sums`, which reads the bodies and nothing of ours, day by day and field by field;
    products, levels and costs against the newest body of each.
Out: a table and one JSON line: fields that differ (target 0), bodies that could not be taken.
Weak: the simulated shop does not know these orders, so what an edit or a return did is what the bodies say of it.
"""

import argparse
import base64
import hashlib
import hmac
import threading
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import orjson

from bench.facts import keel
from bench.lib import body_sums, living_shop, report
from bench.lib.living_shop import is_quiet, until
from bench.lib.public_bodies import Body, Folder, Found, read_folder
from bench.lib.report import Target
from launch.processes import ROOT
from launch.simulated import Simulated
from simulator import app_toml
from simulator.webhooks.payloads import only

OURS: Final = ROOT / "bench" / "public_bodies"
HISTORY_SECONDS: Final = 600
DRAIN_SECONDS: Final = 1_200
LATEST: Final = "2030-01-01T00:00:00Z"
"""When a delivery says it was sent, where its body bears no time of its own."""


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 if every figure is equal."""
    parser = argparse.ArgumentParser(
        prog="./run bench bodies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, nargs="?", default=OURS, help="bodies, as .json files")
    parser.add_argument("--port", type=int, help="the app's port (any free pair)")
    arguments = parser.parse_args(argv)
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder} is no folder")
    return living_shop.unless_stopped(lambda stop: _run(arguments, stop))


def _run(arguments: argparse.Namespace, stop: threading.Event) -> int:
    folder = read_folder(arguments.folder)
    with living_shop.started("bodies", "tiny", stop, port=arguments.port) as running:
        living_shop.read_history(running, stop, HISTORY_SECONDS)
        until(running, stop, lambda: is_quiet(running), DRAIN_SECONDS)
        before = facts(running)
        ids = [send(running, one) for one in folder.found]
        until(running, stop, lambda: is_quiet(running), DRAIN_SECONDS)
        dead = _dead(running, dict(zip(ids, folder.found, strict=True)))
        taken = [one for one in folder.found if one not in dead]
        different = [
            *days_that_differ(running, taken, before, facts(running)),
            *things_that_differ(running, taken),
        ]
    return _report(folder, dead, different)


def send(running: Simulated, one: Found) -> str:
    """Send a body as Shopify would; the delivery's id."""
    toml = app_toml.read(ROOT / "shopify.app.toml")
    told = next(entry for entry in toml.subscriptions if entry.topic == one.topic)
    body = only(one.body, told.include_fields) if told.include_fields else one.body
    raw = orjson.dumps(body, default=float)
    settings = running.children.environment
    secret = settings["SHOPIFY_API_SECRET"].encode()
    number = str(uuid.uuid4())
    answer = httpx.post(
        settings["APP_URL"] + told.uri,
        content=raw,
        timeout=30,
        headers={
            "Content-Type": "application/json",
            "X-Shopify-Topic": one.topic,
            "X-Shopify-Shop-Domain": running.domain,
            "X-Shopify-Webhook-Id": number,
            "X-Shopify-Triggered-At": one.body.get("updated_at")
            or one.body.get("created_at")
            or LATEST,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Hmac-Sha256": base64.b64encode(
                hmac.digest(secret, raw, hashlib.sha256)
            ).decode(),
        },
    )
    if answer.status_code != 200:
        raise RuntimeError(f"{one.source}: HTTP {answer.status_code}")
    return number


def facts(running: Simulated) -> dict[tuple[str, str], dict[str, Any]]:
    """What Keel holds: (day, currency) -> its fields."""
    told = keel(running, "facts", "--shop", running.domain)
    return {(day["day"], day.get("currency", told["currency"])): day for day in told["days"]}


def days_that_differ(
    running: Simulated,
    taken: list[Found],
    before: dict[tuple[str, str], dict[str, Any]],
    after: dict[tuple[str, str], dict[str, Any]],
) -> list[str]:
    """Every field of a day that is not what the bodies come to; what was there before is taken off."""
    zone, included, currency = running.rows(
        "SELECT timezone, taxes_included, currency FROM shops WHERE domain = %s", running.domain
    )[0]
    right = body_sums.sums(taken, ZoneInfo(zone), included=included, currency=currency)
    found: list[str] = []
    for key in sorted(right.keys() | after.keys()):
        for name in body_sums.FIELDS:
            now, was = (Decimal(str(days.get(key, {}).get(name, 0))) for days in (after, before))
            wanted = right.get(key, {}).get(name, Decimal(0))
            if now - was != wanted:
                found.append(f"{' '.join(key)} {name}: {now - was} is not {wanted}")
    return found


def things_that_differ(running: Simulated, taken: list[Found]) -> list[str]:
    """Products, levels and costs that are not what their newest body says."""
    found: list[str] = []
    for body in _newest(taken, "products/update", "id"):
        held = dict(
            running.rows(
                "SELECT v.id, v.price FROM variants v JOIN products p USING (shop_id)"
                " WHERE p.id = %s AND v.product_id = p.id AND v.deleted_at IS NULL AND p.title = %s",
                body["id"],
                body["title"],
            )
        )
        wanted = {one["id"]: Decimal(str(one["price"])) for one in body["variants"]}
        if held != wanted:
            found.append(f"product {body['id']}: {held} is not {wanted}")
    for body in _newest(taken, "inventory_levels/update", "inventory_item_id", "location_id"):
        held = running.rows(
            "SELECT available_units FROM inventory_levels WHERE inventory_item_id = %s AND location_id = %s",
            body["inventory_item_id"],
            body["location_id"],
        )
        if held != [(body["available"] or 0,)]:
            found.append(f"level {body['inventory_item_id']}: {held} is not {body['available']}")
    for body in _newest(taken, "inventory_items/update", "id"):
        held = running.rows("SELECT unit_cost FROM inventory_items WHERE id = %s", body["id"])
        cost = body.get("cost")
        if held != [(None if cost is None else Decimal(str(cost)),)]:
            found.append(f"cost of {body['id']}: {held} is not {cost}")
    return found


def _newest(taken: list[Found], topic: str, *names: str) -> list[Body]:
    """The newest body of each thing; none where two are of one second and differ."""
    kept: dict[tuple[Any, ...], Body] = {}
    unclear: set[tuple[Any, ...]] = set()
    for one in taken:
        if one.topic != topic:
            continue
        key = tuple(one.body[name] for name in names)
        held = kept.get(key)
        if held is not None and held["updated_at"] == one.body["updated_at"] and held != one.body:
            unclear.add(key)
        if held is None or held["updated_at"] < one.body["updated_at"]:
            kept[key] = one.body
    return [body for key, body in kept.items() if key not in unclear]


def _dead(running: Simulated, sent: dict[str, Found]) -> dict[Found, str]:
    rows = running.rows(
        "SELECT webhook_id, coalesce(error, 'no reason') FROM webhook_inbox WHERE dead_at IS NOT NULL"
    )
    return {sent[number]: str(error) for number, error in rows if number in sent}


def _report(folder: Folder, dead: dict[Found, str], different: list[str]) -> int:
    topics = sorted({one.topic for one in folder.found})
    print(f"\n{'topic':<28}{'bodies':>8}{'dead':>8}")
    for topic in topics:
        print(f"{topic:<28}{len(folder.of(topic)):>8}{sum(one.topic == topic for one in dead):>8}")
    for one, why in dead.items():
        print(f"  could not be taken: {one.source} ({one.topic}): {why[:160]}")
    for line in [*folder.strange, *different][:60]:
        print(f"  {line}")
    return report.finish(
        "fields that differ from sums of the bodies alone",
        [Target("fields that differ", len(different), high=0), Target("dead", len(dead), high=0)],
        bodies={topic: len(folder.of(topic)) for topic in topics},
        strange=len(folder.strange),
    )


if __name__ == "__main__":
    raise SystemExit(main())
