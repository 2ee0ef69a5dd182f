"""The settings form, a model a group: text becomes settings, or each wrong field its error, of all groups at once.

Percent fields hold percents; what comes out is shares. A field that is left out is as one left empty.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shopify_app.domain.outcome import MeasuringSettings
from shopify_app.domain.shop import ShopSettings, VendorLeadTime

LANGUAGES: Final = ("auto", "en", "zh")
PRICE_ENDINGS: Final = ("keep", ".99", ".95", ".00")
HOLDBACK_PERCENTS: Final = ("0", "10", "15", "20")
"""What may be held back, in percent; 0 is no consent, and the default."""
MEASURES: Final = ("money", "units")
"""What a vendor's least order is counted in."""
MOST_DECIMALS: Final = 100
"""Of a number that a person types; Postgres refuses one of ten thousands."""
LEAST_ORDER: Final = Decimal("0.01")
"""In a vendor's measure, of a least order that is one: less would be kept as 0."""
YEARS: Final = (2000, 2200)
"""Of a day that can be meant: the day after it is one too."""
LONGEST_VENDOR: Final = 255
"""Characters of a vendor's name, as Shopify has it."""

Errors = dict[str, tuple[str, float, float]]
"""Field -> what is wrong: a code and bounds, for the page to word."""


def wrong(code: str, low: float = 0, high: float = 0) -> PydanticCustomError:
    """The error of one field."""
    return PydanticCustomError("setting", "{code}", {"code": code, "low": low, "high": high})


def _number(read: Callable[[str], Any], low: float, high: float) -> BeforeValidator:
    """A number within bounds, as a person writes it."""

    def parse(text: str) -> Any:
        try:
            number = read(text)
            if not low <= number <= high:
                raise wrong("range", low, high)
        except (ValueError, InvalidOperation) as error:  # no number, or one that is not comparable
            raise wrong("range", low, high) from error
        return number

    return BeforeValidator(parse)


def _decimal(text: str) -> Decimal:
    """A decimal as it can be kept.

    Raises
    ------
    ValueError
        If it has more decimals than that.
    """
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_DECIMALS:
        raise ValueError(f"{text[:20]} has too many decimals")
    return number


def _percent(low: float, high: float) -> tuple[BeforeValidator, BeforeValidator]:
    """A share, written as percent."""
    return BeforeValidator(lambda percent: percent / 100), _number(_decimal, low, high)


def _one_of(allowed: Sequence[str]) -> BeforeValidator:
    def check(text: str) -> str:
        if text not in allowed:
            raise wrong("choice")
        return text

    return BeforeValidator(check)


def _empty_is(default: Any) -> BeforeValidator:
    return BeforeValidator(lambda text: default if text == "" else text)


def _day(text: str) -> date | None:
    """None for what is empty.

    Raises
    ------
    PydanticCustomError
        If it is no date, or of a year that nobody means.
    """
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as error:
        raise wrong("date") from error
    if day is not None and not YEARS[0] <= day.year <= YEARS[1]:
        raise wrong("date")
    return day


def _is_day(text: str) -> bool:
    try:
        return _day(text) is not None
    except PydanticCustomError:
        return False


LeadTime = Annotated[int, _number(int, 0, 365)]
Day = Annotated[date | None, BeforeValidator(_day)]


class ShopFields(BaseModel):
    """Limits, money, calendar and language."""

    language: Annotated[str, _one_of(LANGUAGES)]
    timezone: Annotated[str | None, _empty_is(None)]
    lead_time_days: LeadTime
    review_period_days: Annotated[int, _number(int, 1, 90)]
    cycle_service_level: Annotated[Annotated[Decimal, *_percent(50, 99.9)] | None, _empty_is(None)]
    holding_cost_per_year: Annotated[Decimal, *_percent(1, 200)]
    margin_floor: Annotated[Decimal, *_percent(0, 95)]
    max_price_step: Annotated[Decimal, *_percent(1, 50)]
    price_ending: Annotated[str, _one_of(PRICE_ENDINGS)]
    prices_frozen_first: Day
    prices_frozen_last: Day

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise wrong("timezone")
        return name

    @field_validator("prices_frozen_first")
    @classmethod
    def _has_an_end(cls, first: date | None, info: ValidationInfo) -> date | None:
        if first is None and _is_day(_typed(info, "prices_frozen_last")):
            raise wrong("both_dates")
        return first

    @field_validator("prices_frozen_last")
    @classmethod
    def _ends_after_its_start(cls, last: date | None, info: ValidationInfo) -> date | None:
        if last is None and _is_day(_typed(info, "prices_frozen_first")):
            raise wrong("both_dates")
        first = info.data.get("prices_frozen_first")
        if first is not None and last is not None and last < first:
            raise wrong("end_before_start")
        return last

    def settings(self) -> ShopSettings:
        """As they are kept."""
        return ShopSettings(**self.model_dump())


class MeasuringFields(BaseModel):
    """Consent to hold back, the cap on losses, how much may be under change."""

    holdback_share: Annotated[
        Decimal,
        BeforeValidator(lambda percent: Decimal(percent) / 100),
        _one_of(HOLDBACK_PERCENTS),
        _empty_is("0"),
    ]
    loss_cap: Annotated[
        Annotated[Decimal, _number(_decimal, 1, 10_000_000)] | None, _empty_is(None)
    ]
    exposure_limit: Annotated[Decimal, *_percent(5, 100)]

    def settings(self) -> MeasuringSettings:
        """As they are kept."""
        return MeasuringSettings(**self.model_dump())


class VendorFields(BaseModel):
    """What the merchant says of one vendor."""

    lead_time_days: LeadTime
    pack_units: Annotated[int, _number(int, 1, 100_000), _empty_is("1")]
    minimum_units: Annotated[int, _number(int, 0, 1_000_000), _empty_is("0")]
    order_minimum: Annotated[
        Annotated[Decimal, _number(_decimal, 0, 1_000_000_000)] | None, _empty_is(None)
    ]
    order_minimum_in: Annotated[str, _one_of(MEASURES), _empty_is(MEASURES[0])]
    lead_time_is_fixed: Annotated[bool, BeforeValidator(bool)]

    def settings(self, vendor: str) -> VendorLeadTime:
        """As they are kept; a least order of less than `LEAST_ORDER` is none."""
        fields: dict[str, Any] = self.model_dump() | {"order_minimum": self._least_order()}
        return VendorLeadTime(vendor=vendor, **fields)

    def _least_order(self) -> Decimal | None:
        least = self.order_minimum
        return least if least is not None and least >= LEAST_ORDER else None


Group = TypeVar("Group", ShopFields, MeasuringFields, VendorFields)


def read_group(
    group: type[Group], form: Mapping[str, str], errors: Errors, *, before: str = ""
) -> Group | None:
    """A group of a form's fields, whose names have `before` in front; None if one is wrong, which `errors` then names."""
    typed = {name: typed_text(form, before + name) for name in group.model_fields}
    try:
        return group.model_validate(typed, context=typed)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            told = one.get("ctx", {})
            errors[before + str(one["loc"][0])] = (told["code"], told["low"], told["high"])
        return None


def typed_text(form: Mapping[str, str], name: str) -> str:
    """What was typed into a field, without the spaces around it."""
    return str(form.get(name, "") or "").strip()


def _typed(info: ValidationInfo, name: str) -> str:
    """What was typed into another field of the group."""
    typed: Mapping[str, str] = info.context or {}
    return typed[name]
