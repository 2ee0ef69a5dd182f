"""What each route may be told, as a form or as JSON: bounds, messages, and the schemas of docs/openapi.yaml."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import MultiDict

from shopify_app.domain.ids import LARGEST_ID
from shopify_app.domain.rollout import MOST_DAYS_APART, MOST_STAGES
from shopify_app.domain.suggestion import DISMISS_REASONS
from shopify_app.usecases.shops.settings_form import LONGEST_VENDOR
from shopify_app.web.posted import OURS, Posted

MOST_IDS: Final = 100
YEARS: Final = (2000, 2200)
"""Of a moment that can be meant: its neighbours in any time zone are still dates."""

IDS: Final = f"ids must hold 1 to {MOST_IDS} numbers"
UNITS: Final = "units must be a whole number"
MOMENT: Final = "first_at is not a moment, or a number is not one"
DATES: Final = "sent_at and day must be dates"
REASON: Final = f"reason must be one of {', '.join(DISMISS_REASONS)}"


def _error(message: str) -> PydanticCustomError:
    return PydanticCustomError(OURS, "{message}", {"message": message})


def _whole(message: str) -> BeforeValidator:
    """A whole number, as a number or as text; every other kind is refused with the message."""

    def read(value: Any) -> int:
        try:
            if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
                raise _error(message)
            number = int(value)
        except ValueError as error:
            raise _error(message) from error
        if number != value and not isinstance(value, str):
            raise _error(message)
        return number

    return BeforeValidator(read)


def _few(value: Any) -> Any:
    """A list that is not long, before anything of it is read."""
    if isinstance(value, list) and len(value) > MOST_IDS:
        raise _error(IDS)
    return value


def _one_of(allowed: tuple[str, ...], message: str) -> BeforeValidator:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise _error(message)
        return value

    return BeforeValidator(read)


def _parsed(read: Any, message: str) -> BeforeValidator:
    """Text in ISO 8601 as Python reads it; a year that nobody means is refused."""

    def parse(value: Any) -> Any:
        try:
            found = read(value.strip()) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None or not YEARS[0] <= found.year <= YEARS[1]:
            raise _error(message)
        return found

    return BeforeValidator(parse)


def _with_offset(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise _error("sent_at must have its offset")
    return value


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Id = Annotated[int, Field(ge=1, le=LARGEST_ID), _whole("ids must be numbers")]
Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST_IDS), BeforeValidator(_few)]
Units = Annotated[int, _whole(UNITS)]
Vendor = Annotated[str, Field(strict=True, max_length=LONGEST_VENDOR)]
Moment = Annotated[datetime, _parsed(datetime.fromisoformat, MOMENT)]
SentAt = Annotated[datetime, BeforeValidator(_with_offset), _parsed(datetime.fromisoformat, DATES)]
Day = Annotated[date, _parsed(date.fromisoformat, DATES)]


class AcceptanceQuery(Posted):
    """How many units of a restock are accepted, in place of what is proposed."""

    messages: ClassVar[Mapping[str, str]] = {"units": UNITS}
    units: Units | None = None


class DismissalRequest(Posted):
    """Why a suggestion is dismissed."""

    reason: Annotated[
        str,
        _one_of(DISMISS_REASONS, REASON),
        Field(json_schema_extra={"enum": list(DISMISS_REASONS)}),
    ] = "not_now"


class IdsRequest(Posted):
    """Suggestions that one decision is for."""

    messages: ClassVar[Mapping[str, str]] = {"ids": IDS}
    ids: Ids

    @classmethod
    def of_form(cls, form: "MultiDict[str, str]") -> dict[str, Any]:
        """Each tick is a field `ids`."""
        return form.to_dict() | {"ids": form.getlist("ids")}


class AcceptancesRequest(IdsRequest):
    """Suggestions to accept, and the units of restocks in place of those proposed."""

    messages: ClassVar[Mapping[str, str]] = {"ids": IDS, "units": "units must be an object"}
    units: Annotated[dict[str, Units | None], Field(description="Units by the id of a restock")] = (
        Field(default_factory=dict[str, int | None])
    )

    @classmethod
    def of_form(cls, form: "MultiDict[str, str]") -> dict[str, Any]:
        """`units-7` are the units of suggestion 7; those of what is not ticked are not read."""
        ids = form.getlist("ids")
        named = {one: form.get(f"units-{one}") for one in ids[:MOST_IDS]}
        return {"ids": ids, "units": named}

    @property
    def units_by_id(self) -> dict[int, int]:
        """Units of the suggestions that are accepted."""
        found = {number: self.units.get(str(number)) for number in self.ids}
        return {number: units for number, units in found.items() if units is not None}


class RolloutRequest(IdsRequest):
    """Prices that go out together: which, from when, in how many stages."""

    messages: ClassVar[Mapping[str, str]] = {
        "ids": IDS,
        "stages": f"stages must be 1 to {MOST_STAGES}",
        "every_days": f"every_days must be 1 to {MOST_DAYS_APART}",
    }
    ids: Annotated[Ids, Field(description="Needed unless `all` is said")] = Field(
        default_factory=list[int]
    )
    all: Annotated[
        bool,
        BeforeValidator(bool),
        Field(description="In place of ids: every open price suggestion, at most 100"),
    ] = False
    first_at: Annotated[
        Moment | None,
        BeforeValidator(_empty_is_none),
        Field(
            description="A moment; without an offset in the merchant's time zone; none means now"
        ),
    ] = None
    stages: Annotated[int, Field(ge=1, le=MOST_STAGES), _whole(MOMENT)] = 1
    every_days: Annotated[int, Field(ge=1, le=MOST_DAYS_APART), _whole(MOMENT)] = 7

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, told: Mapping[str, Any]) -> dict[str, Any]:
        """What is empty is as left out; ids are needed unless all are meant."""
        said = {name: value for name, value in told.items() if value not in ("", None)}
        if said.get("all"):
            return {name: value for name, value in said.items() if name != "ids"}
        return {"ids": told.get("ids", [])} | said


class ExportRequest(Posted):
    """Whose draft was sent."""

    messages: ClassVar[Mapping[str, str]] = {"vendor": "vendor must be a text"}
    vendor: Vendor


class ReceiptRequest(Posted):
    """Which order came, and when."""

    messages: ClassVar[Mapping[str, str]] = {
        "vendor": "vendor must be a text",
        "sent_at": DATES,
        "day": DATES,
    }
    vendor: Vendor
    sent_at: SentAt
    day: Annotated[Day | None, BeforeValidator(_empty_is_none)] = None
