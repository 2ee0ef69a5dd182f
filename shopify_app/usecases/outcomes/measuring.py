"""What a merchant chooses about measuring: consent to hold back, the cap on losses, a brake lifted."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from shopify_app.db import (
    due_work,
    ledgers,
    measuring_settings,
    shop_settings,
)
from shopify_app.db.connection import transaction
from shopify_app.domain.outcome import PRICE_MOVES, MeasuringSettings

HOLDBACK_PERCENTS: Final = ("0", "10", "15", "20")
"""What may be held back, in percent; 0 is no consent, and the default."""
EXPOSURE_PERCENTS: Final = (5, 100)
MOST_CAP: Final = 10_000_000

Errors = dict[str, tuple[str, float, float]]
"""Field -> code and bounds, as usecases/shops/merchant_settings.py has them."""


def check(form: Mapping[str, str]) -> Errors:
    """What is wrong with a form's three fields; empty if nothing is."""
    return _read(form)[1]


def save(shop_id: int, form: Mapping[str, str]) -> Errors:
    """Save what a form says, all or nothing; what is wrong with which field."""
    chosen, errors = _read(form)
    if not errors:
        with transaction(shop_id) as conn:
            shop_settings.make(conn, shop_id)
            measuring_settings.save(conn, shop_id, chosen)
    return errors


def lift_brake(shop_id: int, kind: str, *, lifted_by: str) -> bool:
    """Let a kind go on because the merchant says so, and ask for fresh suggestions; False if it was not stopped."""
    if kind not in {move.value for move in PRICE_MOVES}:
        return False
    with transaction(shop_id) as conn:
        lifted = ledgers.lift_brake(conn, shop_id, kind, by=lifted_by)
        if lifted:
            due_work.ask(conn, shop_id, "suggestions")
    return lifted


def _read(form: Mapping[str, str]) -> tuple[MeasuringSettings, Errors]:
    errors: Errors = {}
    share = str(form.get("holdback_share", "0") or "0").strip()
    if share not in HOLDBACK_PERCENTS:
        errors["holdback_share"] = ("choice", 0, 0)
        share = "0"
    cap_text = str(form.get("loss_cap", "") or "").strip()
    cap = _number(cap_text, 1, MOST_CAP) if cap_text else None
    if cap_text and cap is None:
        errors["loss_cap"] = ("range", 1, MOST_CAP)
    limit = _number(str(form.get("exposure_limit", "30") or "").strip(), *EXPOSURE_PERCENTS)
    if limit is None:
        errors["exposure_limit"] = ("range", *EXPOSURE_PERCENTS)
    return (
        MeasuringSettings(Decimal(share) / 100, cap, (limit or Decimal(30)) / 100),
        errors,
    )


def _number(text: str, low: int, high: int) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and low <= number <= high else None
