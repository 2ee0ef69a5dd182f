"""What a decision is asked with, and what it answers."""

from dataclasses import dataclass

from shopify_app.domain.rollout import When


@dataclass(frozen=True, slots=True)
class Click:
    """Who accepts, by which click, and when it is to take effect."""

    by: str
    key: str
    when: When


@dataclass(frozen=True, slots=True)
class AcceptAnswer:
    """Whether an acceptance was carried out; else why not, as a code the page puts in words."""

    accepted: bool
    refused_because: str | None = None


@dataclass(frozen=True, slots=True)
class UndoAnswer:
    """Whether an undo is under way or done; else why it was refused, as a code the page puts in words."""

    accepted: bool
    refused_because: str | None = None
