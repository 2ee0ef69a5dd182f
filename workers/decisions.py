"""Tasks that work out suggestions and judge what came of them, and of the past. Queue: analytics."""

from shopify_app.usecases.outcomes import judge as judging
from shopify_app.usecases.suggestions import replay as replay_year
from shopify_app.usecases.suggestions import suggest
from workers.celery_app import celery


@celery.task(name="workers.decisions.refresh_suggestions", soft_time_limit=850, time_limit=900)
def refresh_suggestions() -> None:
    """Work out the suggestions of one shop that is due. Safe to run twice."""
    suggest.refresh_due_suggestions()


@celery.task(name="workers.decisions.judge_outcomes", soft_time_limit=850, time_limit=900)
def judge_outcomes() -> None:
    """Judge decisions whose stop date has come, and work the ledger out. Safe to run twice."""
    judging.judge_due_shops()


@celery.task(name="workers.decisions.replay_years", soft_time_limit=850, time_limit=900)
def replay_years() -> None:
    """Replay the past of shops for which it is due. Safe to run twice."""
    replay_year.replay_due_shops()
