"""What a case sets, sends and does, by a simulator's controls and Keel's pages: the same for `./run try` and the demo.

A delivery goes out after everything before it has arrived, so that the order is the file's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from simulator.cases.case import Act, Keel, Step, Webhook
from simulator.cases.reading import BadCaseError


@dataclass(frozen=True, slots=True)
class KeelActs:
    """What Keel does by itself in time, now: compare late changes (since a moment), count everything."""

    reconcile: Callable[[str | None], None]
    count: Callable[[], None]


def play(
    steps: Sequence[Step],
    sim: httpx.Client,
    domain: str,
    *,
    drain: Callable[[], None],
    keel: KeelActs,
) -> None:
    """Play the steps in their order; `drain` works through what came.

    Raises
    ------
    BadCaseError
        If the simulator refuses one: it names the step.
    """
    for number, step in enumerate(steps):
        name = f"webhooks[{number}]"
        if isinstance(step, Webhook):
            body = step.model_dump(mode="json", exclude_unset=True)
            answer = _posted(sim, f"_sim/{domain}/webhooks", body, name)
            if answer["pending"]:
                raise BadCaseError(f"{name}: the app did not take the delivery")
        elif isinstance(step, Act):
            _act(step, sim, domain, name)
        elif isinstance(step, Keel):
            drain()
            if step.keel == "count":
                keel.count()
            else:
                told = None if step.since is None else f"$time:{step.since}"
                keel.reconcile(told and _resolved(told, sim, domain, name))
        else:
            drain()


def save_settings(
    fields: Mapping[str, Any], sim: httpx.Client, keel: httpx.Client, domain: str
) -> None:
    """Save fields of Keel's settings page, as a person would.

    Raises
    ------
    BadCaseError
        If the page refuses one: it names the field.
    """
    answer = keel.post("settings", json=dict(fields), headers=headers(sim, domain))
    if answer.status_code == 200:
        return
    errors = answer.json().get("errors", {}) if answer.status_code == 422 else {}
    name, words = next(iter(errors.items()), ("", f"HTTP {answer.status_code}"))
    raise BadCaseError(f"shop.settings{name and f'.{name}'}: {words}")


def headers(
    sim: httpx.Client, domain: str, *, tongue: str = "en", accept: str = "application/json"
) -> dict[str, str]:
    """Of a request to Keel in the name of a shop's owner."""
    token = sim.post(f"_sim/{domain}/id-token", json={}).json()["id_token"]
    return {"Authorization": f"Bearer {token}", "Accept": accept, "Accept-Language": tongue}


def _act(step: Act, sim: httpx.Client, domain: str, name: str) -> None:
    """Something done in the shop; its news arrives, or is lost."""
    path = _resolved(step.act, sim, domain, name)
    body = _resolved(step.body, sim, domain, name)
    if step.untold:
        sim.put("_sim/faults", json={"webhook_drop": 1}).raise_for_status()
    try:
        _posted(sim, f"_sim/{domain}/{path}", body, name)
        sim.post("_sim/flush", json={"timeout_seconds": 60}).raise_for_status()
    finally:
        if step.untold:
            sim.delete("_sim/faults").raise_for_status()


def _resolved(told: Any, sim: httpx.Client, domain: str, name: str) -> Any:
    return _posted(sim, f"_sim/{domain}/names", {"told": told}, name)["told"]


def _posted(sim: httpx.Client, path: str, body: dict[str, Any], name: str) -> Any:
    answer = sim.post(path, json=body)
    if answer.status_code == 404:
        raise BadCaseError(f"{name}.act: the simulator has no such act")
    if answer.status_code != 200:
        told = answer.json().get("error", answer.text) if answer.status_code == 400 else answer.text
        raise BadCaseError(f"{name}: {told.partition(': ')[2] or told}")
    return answer.json()
