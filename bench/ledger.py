"""Whether the ledger's range holds the true effect of what Home suggested: `./run bench ledger [--shop uk-gifts]`.

In: a simulated shop with its history read through the real install path (the demo's, by default).
Method: every price that Home suggests is accepted as a click does, and written; `--days` simulated days go
    by with their webhooks; the shop is judged; the ledger's total is held against the simulator's own truth:
    its mean demand of every day at the price that stood, and at the price before (its true elasticity).
Out: both sums, each verdict's count, and one JSON line: the range holds the truth.
Weak: one shop is one draw of an 80 % range. Stock orders are accepted too, but nothing of them arrives.
"""

import argparse
import json
import math
import os
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.lib import living_shop, report
from bench.lib.report import Target
from launch.demo import SHOPS
from launch.simulated import Simulated

HISTORY_SECONDS: Final = 2_400
WRITE_SECONDS: Final = 900
DRAIN_SECONDS: Final = 3_600
STRIDE_DAYS: Final = 10
DAYS_A_MONTH: Final = 365.25 / 12


def main(argv: list[str] | None = None) -> int:
    """Run it; 0 if the range holds the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--shop", choices=sorted(SHOPS), default="uk-gifts")
    parser.add_argument("--port", type=int, help="the app's port (any free pair)")
    parser.add_argument("--data", type=Path, help="not read: the shop is simulated")
    arguments = parser.parse_args(argv)
    return living_shop.unless_stopped(lambda stop: _run(arguments, stop))


def _run(arguments: argparse.Namespace, stop: threading.Event) -> int:
    with living_shop.started("ledger", arguments.shop, stop, port=arguments.port) as running:
        os.environ.update(running.children.environment)  # noqa: TID251 -- it becomes a process of that shop
        living_shop.read_history(running, stop, HISTORY_SECONDS)
        accepted = _accept_all(running, stop)
        print(f"Accepted: {accepted}", flush=True)
        for _ in range(0, arguments.days, STRIDE_DAYS):
            running.control("advance", days=STRIDE_DAYS)
            living_shop.until(running, stop, lambda: living_shop.is_quiet(running), DRAIN_SECONDS)
        result = _judged(running, arguments.days)
    print(json.dumps(result, indent=1, default=str))
    told = result["told"] or {"low": math.inf, "high": -math.inf}  # nothing told holds nothing
    held = Target("the true effect", result["true_effect"], low=told["low"], high=told["high"])
    return report.finish("ledger", [held], shop=arguments.shop, figures=result, accepted=accepted)


def _accept_all(running: Simulated, stop: threading.Event) -> dict[str, int]:
    """Accept what Home shows, as clicks do, and wait for the writes."""
    from shopify_app.usecases.decisions import decide  # noqa: PLC0415 -- its settings are known only now

    found = running.rows("SELECT id, shop_id, kind FROM suggestions WHERE state = 'open'")
    counts: dict[str, int] = {}
    for number, shop_id, kind in found:
        answers = decide.accept_suggestions(shop_id, [number], accepted_by="bench")
        counts[kind] = counts.get(kind, 0) + sum(answer.accepted for _, answer in answers)
    living_shop.until(running, stop, lambda: not _unsettled(running), WRITE_SECONDS)
    return counts


def _unsettled(running: Simulated) -> int:
    return int(
        running.rows("SELECT count(*) FROM price_changes WHERE state IN ('approved', 'sending')")[
            0
        ][0]
    )


def _judged(running: Simulated, days: int) -> dict[str, Any]:
    from shopify_app.usecases.outcomes import judge as judging  # noqa: PLC0415 -- its settings are known only now

    shop_id = running.rows("SELECT shop_id FROM shops WHERE domain = %s", running.domain)[0][0]
    today = datetime.now(UTC).date()
    judged = judging.judge_shop(shop_id, as_of=today + timedelta(days=days - 1))
    total = running.rows("SELECT total FROM ledgers WHERE shop_id = %s", shop_id)[0][0]
    moves = running.rows(
        "SELECT r.variant_id, r.first_on, r.stop_on, s.proposal, s.evidence, s.value_mid FROM registrations r"
        " JOIN suggestions s ON (s.shop_id, s.id) = (r.shop_id, r.suggestion_id)"
        " WHERE r.shop_id = %s AND r.state = 'judged' AND r.kind LIKE 'price%%' AND NOT r.is_held_back",
        shop_id,
    )
    truths = {
        row["variant_id"]: row for row in running.sim.get(f"_sim/{running.domain}/truth").json()
    }
    verdicts = running.rows(
        "SELECT outcome, count(*)::int, sum(profit) FROM verdicts WHERE shop_id = %s GROUP BY 1",
        shop_id,
    )
    return {
        "judged": judged,
        "verdicts": verdicts,
        "told": _range(total),
        "true_effect": round(
            sum(_true_effect(running, truths[move[0]], *move[:5]) for move in moves), 2
        ),
        "foreseen": round(sum(_foreseen(*move[1:3], move[5]) for move in moves), 2),
        "total": total,
    }


def _range(total: dict[str, Any] | None) -> dict[str, float] | None:
    if not total or total.get("profit_low") is None:
        return None
    return {
        "low": float(total["profit_low"]),
        "middle": float(total["profit"]),
        "high": float(total["profit_high"]),
    }


def _true_effect(
    running: Simulated,
    truth: dict[str, Any],
    variant_id: int,
    first: date,
    stop: date,
    proposal: Any,
    evidence: Any,
) -> float:
    """Mean gross profit at the price that stood, less that at the price before, over the window."""
    days = running.sim.get(
        f"_sim/{running.domain}/truth/days",
        params={
            "variant_id": variant_id,
            "since": first.isoformat(),
            "until": (stop - timedelta(days=1)).isoformat(),
        },
    ).json()
    old, new = float(proposal["old_price"]), float(proposal["price"])
    cost = float(evidence["unit_cost"])
    was = (old / new) ** float(truth["elasticity"])
    return sum(day["mean"] for day in days) * ((new - cost) - was * (old - cost))


def _foreseen(first: date, stop: date, value_mid: Any) -> float:
    """What the card said a month would bring, over the window's days."""
    return float(value_mid) * (stop - first).days / DAYS_A_MONTH


if __name__ == "__main__":
    raise SystemExit(main())
