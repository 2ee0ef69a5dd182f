"""Demand as it is kept between two fits: what was learned of all, and where each variant stands."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DemandFit:
    """A shop's newest fit; its states have seen the weeks before `closed_on`."""

    fitted_on: date
    closed_on: date
    model_version: str
    horizon: int
    learned: bytes


@dataclass(frozen=True, slots=True)
class DemandState:
    """Where one variant stands, and the mark of the history that brought it there."""

    variant_id: int
    mark: int
    state: bytes
