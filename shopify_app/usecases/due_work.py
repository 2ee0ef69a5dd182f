"""Which doorbells to ring: what Postgres says is due. The pump asks this twice a second."""

from shopify_app.db import (
    backfills,
    daily_sales,
    ledgers,
    look_backs,
    price_changes,
    price_tests,
    refetches,
    refresh_requests,
    schedules,
    webhook_inbox,
)
from shopify_app.db.connection import sweep_transaction


def due_tasks() -> list[str]:
    """Names of the tasks that have work now, the ones a merchant waits for first."""
    with sweep_transaction() as conn:
        due = {
            "workers.prices.send_price_changes": bool(price_changes.due_shops(conn)),
            "workers.prices.carry_on_price_tests": bool(price_tests.due_shops(conn)),
            "workers.webhooks.drain_inbox": bool(webhook_inbox.due_domains(conn)),
            "workers.history.step_backfills": bool(backfills.due_shops(conn)),
            "workers.history.refetch_resources": bool(refetches.due_shops(conn)),
            "workers.history.confirm_uninstalls": webhook_inbox.uninstall_is_due(conn),
            "workers.sales.roll_up_sales": bool(daily_sales.touched_shops(conn)),
            "workers.decisions.refresh_suggestions": bool(refresh_requests.due_shops(conn)),
            "workers.decisions.judge_outcomes": bool(ledgers.due_shops(conn)),
            "workers.decisions.replay_years": bool(look_backs.due_shops(conn, "replay")),
            "workers.housekeeping.keep_house": schedules.any_due(conn),
        }
    return [task for task, is_due in due.items() if is_due]
