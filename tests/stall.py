"""A shop whose decisions can be measured: enough products, enough weeks."""

from datetime import datetime, timedelta

import numpy as np

from shopify_app.db.connection import transaction
from shopify_app.usecases.decisions import decide
from shopify_app.usecases.outcomes import register as registering
from tests.factories import make_run, make_suggestion, make_variant
from tests.web.page_rows import set_change

WEEKS = 60


def make_stall(acme):
    """A shop of sixty products that have sold about eight orders a week, and a suggestion for each of the first six."""
    rng = np.random.default_rng(5)
    today = datetime.now(acme.zone).date()
    variants = [make_variant(acme, title=f"Thing {number}") for number in range(60)]
    days = [today - timedelta(days=d) for d in range(7 * WEEKS)]
    with transaction(acme.shop_id) as conn, conn.cursor() as cur:
        for variant in variants:
            orders = rng.poisson(8 / 7, len(days))
            cur.executemany(
                "INSERT INTO daily_sales VALUES (%s, %s, %s, %s, 0, %s, 1, %s, %s)",
                [
                    (acme.shop_id, variant, day, int(n), int(n), int(n) * 24, int(n) * 24)
                    for day, n in zip(days, orders, strict=True)
                    if n
                ],
            )
    run_id = make_run(acme)
    evidence = {"unit_cost": "9.00", "margin_then": 0.65}
    ids = [
        make_suggestion(acme, variant, evidence=evidence, run_id=run_id, value=("-20", "30", "80"))
        for variant in variants[:6]
    ]
    return acme, ids, variants


def write(shop, suggestion_id):
    """Accept, register, and let the write have happened."""
    decide.accept_suggestion(shop.shop_id, suggestion_id, accepted_by="42")
    registering.register_accepted(shop.shop_id, [suggestion_id])
    set_change(shop, suggestion_id, "applied", seen="26.00")
