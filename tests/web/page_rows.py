"""Suggestions as the models leave them, for pages: every key of the evidence contract is there."""

import time
import uuid
from datetime import date, timedelta
from typing import Any

import jwt
from psycopg2.extras import Json

from shopify_app.db import price_tests, tested_prices
from shopify_app.db.connection import transaction
from shopify_app.domain.price_test import PriceTestPlan, PriceTestReading, StopReason
from shopify_app.domain.shop import Shop
from tests.conftest import CLIENT_ID, CLIENT_SECRET
from tests.factories import NOW, make_run, make_suggestion, make_variant

TODAY = NOW.date()
PROVENANCE = {
    "window_first": (TODAY - timedelta(days=700)).isoformat(),
    "window_last": TODAY.isoformat(),
    "model": "keel",
    "model_version": "1",
    "seed": 0,
    "run_id": 1,
    "inputs_sha256": "ab" * 32,
}


def id_token(shop: Shop, **claims: Any) -> str:
    """A token as Shopify would sign it for a user of the shop."""
    now = int(time.time())
    body = {
        "iss": f"https://{shop.domain}/admin",
        "dest": f"https://{shop.domain}",
        "aud": CLIENT_ID,
        "sub": "42",
        "exp": now + 60,
        "nbf": now - 5,
        "iat": now - 5,
        "jti": uuid.uuid4().hex,
        "sid": "s1",
    }
    return jwt.encode(body | claims, CLIENT_SECRET, algorithm="HS256")


def bearer(shop: Shop, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {id_token(shop)}"} | headers


def as_json(shop: Shop) -> dict[str, str]:
    return bearer(shop, Accept="application/json")


def price_evidence(**changed: Any) -> dict[str, Any]:
    curve = [
        {
            "price": 18.0 + i,
            "profit": 4_000 + 90 * i - 6 * i * i,
            "profit_low": 3_700 + 60 * i - 8 * i * i,
            "profit_high": 4_200 + 130 * i - 4 * i * i,
        }
        for i in range(15)
    ]
    return {
        "elasticity": -1.4,
        "elasticity_low": -1.9,
        "elasticity_high": -1.0,
        "chance_it_helps": 0.83,
        "units_per_month_now": 264.0,
        "units_per_month_then": 243.0,
        "margin_now": 0.62,
        "margin_then": 0.65,
        "unit_cost": "9.00",
        "curve": curve,
        "binding_limit": "max_step",
        "events": 11,
        "prices_tried": [
            {"price": "22.00", "units_per_week": 66, "weeks": 20},
            {"price": "25.00", "units_per_week": 61, "weeks": 38},
        ],
        "clamp_trail": [{"rule": "max_step", "before": 27.0, "after": 26.0}],
        **PROVENANCE,
        **changed,
    }


def restock_evidence(**changed: Any) -> dict[str, Any]:
    weeks = [
        {
            "start": (TODAY - timedelta(weeks=26 - i)).isoformat(),
            "units": 30 + (i * 7) % 18,
            "in_stock": 0.1 if i == 9 else 1.0,
        }
        for i in range(26)
    ]
    forecast = [
        {
            "start": (TODAY + timedelta(weeks=i)).isoformat(),
            "mean": 40.2 + i,
            "low": 28.0,
            "high": 55.0 + i,
        }
        for i in range(8)
    ]
    return {
        "available_units": 46,
        "incoming_units": 0,
        "lead_time_days": 14,
        "review_period_days": 7,
        "critical_fractile": 0.92,
        "target_units": 180,
        "ideal_units": 134,
        "expected_demand": 121.0,
        "demand_low": 96.0,
        "demand_high": 150.0,
        "run_out_first": (TODAY + timedelta(days=9)).isoformat(),
        "run_out_last": (TODAY + timedelta(days=14)).isoformat(),
        "demand_per_week": 40.3,
        "stockout_weeks": 1,
        "weeks": weeks,
        "forecast": forecast,
        "pack_units": 10,
        "minimum_units": 40,
        "dead_stock_risk": 0.04,
        "binding_rules": ["pack_units"],
        "expected_lost_units": 31.0,
        "expected_gain": 900.0,
        "look_ahead_weeks": 6,
        "less": {
            "units": 110,
            "expected_lost_units": 8.2,
            "dead_stock_risk": 0.01,
            "expected_gain": 840.0,
        },
        "more": {
            "units": 190,
            "expected_lost_units": 0.4,
            "dead_stock_risk": 0.21,
            "expected_gain": 870.0,
        },
        **PROVENANCE,
        **changed,
    }


def trend_evidence(**changed: Any) -> dict[str, Any]:
    weeks = [
        {
            "start": (TODAY - timedelta(weeks=40 - i)).isoformat(),
            "units": 20 + (i * 5) % 9 + max(0, i - 30) * 2,
            "expected": 22.5,
        }
        for i in range(40)
    ]
    return {
        "ratio": 1.38,
        "ratio_low": 1.18,
        "ratio_high": 1.61,
        "since": (TODAY - timedelta(weeks=10)).isoformat(),
        "false_sign_rate": 0.01,
        "cause": "demand",
        "lasting": 0.72,
        "units_per_week_before": 3.1,
        "units_per_week_now": 5.4,
        "weeks": weeks,
        **PROVENANCE,
        **changed,
    }


def price_row(shop: Shop, *, title: str = "Soy candle", **columns: Any) -> int:
    evidence = columns.pop("evidence", price_evidence())
    variant_id = columns.pop("variant_id", None) or make_variant(
        shop, title=title, variant_title="Fig", sku="SC-FG"
    )
    return make_suggestion(shop, variant_id, evidence=evidence, **columns)


def restock_row(
    shop: Shop,
    *,
    title: str = "Wool throw",
    order_by: str | None = None,
    vendor: str = "Norrland Mill",
    order_cost: str | None = "5775.00",
    evidence: dict[str, Any] | None = None,
    **columns: Any,
) -> int:
    proposal = {
        "units": 150,
        "unit_cost": None if order_cost is None else "38.50",
        "order_cost": order_cost,
        "order_by": order_by or (TODAY + timedelta(days=6)).isoformat(),
        "vendor": vendor,
        "location_id": None,
    }
    variant_id = make_variant(shop, title=title, variant_title="Moss", sku="WT-MS", vendor=vendor)
    return make_suggestion(
        shop,
        variant_id,
        kind="restock",
        proposal=proposal,
        evidence=restock_evidence(**(evidence or {})),
        value=("970.00", "1300.00", "1700.00"),
        value_unit="margin_a_week",
        **columns,
    )


def trend_row(shop: Shop, *, title: str = "Pour-over kettle", **columns: Any) -> int:
    evidence = columns.pop("evidence", trend_evidence())
    variant_id = make_variant(shop, title=title, variant_title="Default Title", sku="PK-09")
    return make_suggestion(
        shop,
        variant_id,
        kind="trend",
        proposal={"direction": "up"},
        evidence=evidence,
        value=("40.00", "110.00", "210.00"),
        value_unit="sales_a_month",
        **columns,
    )


def set_change(
    shop: Shop,
    suggestion_id: int,
    state: str,
    *,
    seen: str | None = None,
    error: str | None = None,
    error_code: str | None = None,
) -> None:
    """Bring the newest price change of a suggestion into a state, as the outbox would."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            """
            UPDATE price_changes
               SET state = %(state)s, seen_price = %(seen)s, error = %(error)s, error_code = %(code)s, lease_until = now(),
                   finished_at = CASE WHEN %(state)s NOT IN ('approved', 'sending') THEN now() END
             WHERE shop_id = %(shop_id)s AND suggestion_id = %(id)s
            """,
            {
                "shop_id": shop.shop_id,
                "id": suggestion_id,
                "state": state,
                "seen": seen,
                "error": error,
                "code": error_code,
            },
        )


def set_order_budget(
    shop: Shop, lines: dict[int, list[list[float]]], plans: list[list[int]]
) -> None:
    """What a run leaves for every budget: levels (units, gain) of each restock, and the plans, all of them turns."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT id, variant_id FROM suggestions WHERE shop_id = %s ORDER BY id", (shop.shop_id,)
        )
        variants = dict(cur.fetchall())
        budget = {
            "lines": [
                {"variant_id": variants[one], "levels": levels} for one, levels in lines.items()
            ],
            "plans": plans,
            "turns": list(range(len(plans))),
        }
        cur.execute(
            "UPDATE suggestion_runs SET order_budget = %s WHERE shop_id = %s",
            (Json(budget), shop.shop_id),
        )


def set_settings(shop: Shop, **columns: Any) -> None:
    """Change single settings of a shop."""
    assignments = ", ".join(f"{name} = %({name})s" for name in columns)
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            f"UPDATE shop_settings SET {assignments} WHERE shop_id = %(shop_id)s",
            columns | {"shop_id": shop.shop_id},
        )


def set_counts(shop: Shop, counts: dict[str, Any]) -> None:
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "UPDATE suggestion_runs SET counts = %(counts)s WHERE shop_id = %(shop_id)s",
            {"counts": Json(counts), "shop_id": shop.shop_id},
        )


def plan_record(products: list[int], **changed: Any) -> dict[str, Any]:
    """A plan of a price test as a run keeps it: every second product begins with its high price."""
    series = [
        {
            "series_id": str(product),
            "old_price": 24.0,
            "low_price": 22.8,
            "high_price": 25.2,
            "unit_cost": 9.0,
            "units_per_week": 6.0,
            "dispersion": 0.1,
            "starts_high": [place % 2 == 0] * 4,
            "units_each": 1.0,
        }
        for place, product in enumerate(products)
    ]
    return {
        "maximum_cost": 30.2,
        "expected_cost": 9.4,
        "weeks": 8,
        "block_weeks": 1,
        "precision": 0.5,
        "prior_mean": -2.2,
        "prior_sd": 1.1,
        "product_sd": 0.8,
        "wanted_precision": 0.6,
        "series": series,
        "comparison_ids": [str(number) for number in range(13)],
        "abstained_because": None,
        "seed": 0,
        **changed,
    }


def reading_record(**changed: Any) -> dict[str, Any]:
    """What a test has shown: sales fall by 1.9 % for each 1 % of price."""
    return {
        "weeks_seen": 4,
        "elasticity": -1.9,
        "sd": 0.35,
        "low": -2.35,
        "high": -1.45,
        "drawn_low": -2.6,
        "drawn_high": -1.3,
        "p_value_no_answer": 0.03,
        "cost_so_far": 6.2,
        "cost_high": 11.5,
        "cost_after_next_block_high": 14.0,
        "stop_because": None,
        "series": [],
        **changed,
    }


def price_test_row(
    shop: Shop,
    state: str = "proposed",
    *,
    title: str = "Tea towel",
    products: int = 12,
    plan: dict[str, Any] | None = None,
    reading: dict[str, Any] | None = None,
    weeks_read: int = 4,
    first_on: date | None = None,
    because: StopReason = StopReason.FINISHED,
) -> int:
    """A price test brought into a state by its own statements; product 0 has two variants. Its id."""
    variants = [make_variant(shop, title=f"{title} {number:02}") for number in range(products)]
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT id, product_id FROM variants WHERE shop_id = %s AND id = ANY (%s) ORDER BY id",
            (shop.shop_id, variants),
        )
        ids = [product for _, product in cur.fetchall()]
    make_variant(shop, title=f"{title} 00", variant_title="Moss", product_id=ids[0])
    run_id = make_run(shop)
    planned = PriceTestPlan.of_json(plan_record(ids, **(plan or {})))
    with transaction(shop.shop_id) as conn:
        made = price_tests.propose(conn, shop.shop_id, run_id, planned, currency=shop.currency)
        assert made is not None
        if state == "declined":
            price_tests.decline(conn, shop.shop_id, made, by="42")
        if state in ("running", "returning", "ended"):
            price_tests.start(
                conn,
                shop.shop_id,
                made,
                plan=planned,
                first_on=first_on or TODAY,
                by="42",
                due_at=NOW,
            )
            tested_prices.add(conn, shop.shop_id, made, ids)
            if reading is not None:
                told = PriceTestReading.of_json(reading)
                price_tests.keep_reading(conn, shop.shop_id, made, told, weeks_read=weeks_read)
        if state in ("returning", "ended"):
            price_tests.stop(conn, shop.shop_id, because, by="42", test_id=made)
        if state == "ended":
            back = [row.variant_id for row in tested_prices.of_test(conn, shop.shop_id, made)]
            tested_prices.mark_returned(conn, shop.shop_id, made, back)
            price_tests.end(conn, shop.shop_id, made)
    return made


def rows_of(shop: Shop) -> dict[str, str]:
    """Every row of a shop, by table: what must stay as it is."""
    with transaction(shop.shop_id) as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'shop_id'"
        )
        tables = sorted(row[0] for row in cur.fetchall())
        found = {}
        for table in tables:
            cur.execute(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
            )
            found[table] = cur.fetchone()[0]
        return found
