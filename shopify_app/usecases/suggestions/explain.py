"""Evidence recomputes: a suggestion's numbers, or a price test's, worked out again from what its run saw."""

from dataclasses import dataclass
from typing import Any, Final

from shopify_app.advice import inputs as advice_inputs
from shopify_app.advice import work_out
from shopify_app.advice.inputs import Inputs
from shopify_app.advice.work_out import MODEL_VERSION
from shopify_app.db import price_tests, suggestion_runs, suggestions
from shopify_app.db.connection import transaction
from shopify_app.domain.documents import Document
from shopify_app.domain.suggestion import SuggestionCard
from shopify_app.errors import NotFoundError

NOT_COMPUTED: Final = frozenset({"run_id", "inputs_sha256", "model_version", "chosen_units"})
"""What a run did not work out: its own marks, and what the merchant chose instead."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A suggestion, or a price test, as it was stored and as it comes out now.

    `matches` is True when every number is the same; `differences` names those that are not.
    """

    suggestion_id: int
    kind: str
    model_version: str
    inputs_are_intact: bool
    matches: bool
    differences: dict[str, Any]
    stored: dict[str, Any]
    recomputed: dict[str, Any] | None


def explain(shop_id: int, suggestion_id: int) -> Explanation:
    """Work a suggestion out again.

    Raises
    ------
    NotFoundError
        If this shop has no such suggestion, or its run's inputs were let go.
    """
    with transaction(shop_id) as conn:
        card = suggestions.card(conn, shop_id, suggestion_id)
        run = (
            suggestion_runs.inputs_of(conn, shop_id, card.evidence.run_id)
            if card is not None and card.evidence.run_id is not None
            else None
        )
    if card is None or run is None:
        raise NotFoundError(f"suggestion {suggestion_id}, or the inputs of its run")
    inputs = advice_inputs.from_bytes(run.inputs)
    stored, recomputed = _stored(card), _recomputed(inputs, card, run.seed)
    differences = _differences(stored, recomputed)
    if not work_out.KINDS[card.kind].comes_out_again(inputs, card.variant_id):
        differences["demand"] = ["as it was brought up to the day", "as its history says"]
    intact = advice_inputs.digest(inputs) == run.inputs_sha256
    return Explanation(
        suggestion_id,
        card.kind.value,
        run.model_version,
        intact,
        intact and not differences and run.model_version == MODEL_VERSION,
        differences,
        stored,
        recomputed,
    )


def explain_price_test(shop_id: int, test_id: int) -> Explanation:
    """Work a price test's plan out again; of the products, those that it began with.

    Raises
    ------
    NotFoundError
        If this shop has no such test, or its run's inputs were let go.
    """
    with transaction(shop_id) as conn:
        tests = price_tests.newest(conn, shop_id, test_id=test_id)
        run = suggestion_runs.inputs_of(conn, shop_id, tests[0].run_id) if tests else None
    if run is None:
        raise NotFoundError(f"price test {test_id}, or the inputs of its run")
    inputs, stored = advice_inputs.from_bytes(run.inputs), tests[0].plan.as_json()
    again = work_out.work_out(inputs, seed=run.seed).price_test
    begun = {one.series_id for one in tests[0].plan.series}
    recomputed = (
        again
        and again.with_changes(
            series=tuple(one for one in again.series if one.series_id in begun)
        ).as_json()
    )
    names = sorted(stored.keys() | (recomputed or {}).keys())
    differences = {
        name: [stored.get(name), recomputed.get(name) if recomputed else None]
        for name in names
        if recomputed is None or stored.get(name) != recomputed.get(name)
    }
    intact = advice_inputs.digest(inputs) == run.inputs_sha256
    is_same = intact and not differences and run.model_version == MODEL_VERSION
    return Explanation(
        test_id, "price_test", run.model_version, intact, is_same, differences, stored, recomputed
    )


def _stored(card: SuggestionCard) -> dict[str, Any]:
    """What a run worked out of a suggestion, as it was kept."""
    return {
        "proposal": _computed(card.proposal),
        "evidence": _computed(card.evidence),
        "value": [str(card.value_low), str(card.value_mid), str(card.value_high)],
    }


def _recomputed(inputs: Inputs, card: SuggestionCard, seed: int) -> dict[str, Any] | None:
    """The same worked out again from what the run saw; None if nothing is suggested of the variant."""
    found = work_out.work_out(inputs, seed=seed).suggestions
    again = next(
        (one for one in found if (one.kind, one.variant_id) == (card.kind, card.variant_id)), None
    )
    return again and {
        "proposal": again.proposal.as_json(),
        "evidence": _computed(again.evidence),
        "value": [f"{v:.2f}" for v in (again.value_low, again.value_mid, again.value_high)],
    }


def _computed(found: Document) -> dict[str, Any]:
    """Of a document what the run worked out, as JSON: any name of it may differ."""
    return {name: value for name, value in found.as_json().items() if name not in NOT_COMPUTED}


def _differences(stored: dict[str, Any], recomputed: dict[str, Any] | None) -> dict[str, Any]:
    """Path -> [stored, recomputed] of what is not the same."""
    if recomputed is None:
        return {"suggestion": ["stored", "not found again"]}
    found: dict[str, Any] = {}
    for part in ("proposal", "evidence"):
        for name in sorted(stored[part].keys() | recomputed[part].keys()):
            pair = [stored[part].get(name), recomputed[part].get(name)]
            if pair[0] != pair[1]:
                found[f"{part}.{name}"] = pair
    if stored["value"] != recomputed["value"]:
        found["value"] = [stored["value"], recomputed["value"]]
    return found
