"""A shop as a case describes it: what a person writes down, proved field by field.

Days are a date, or a whole number: so many days before the shop's present day (0: that day). Moments are a day
with a time of the shop's clock behind it (`"14 09:30"`, noon where none is told), or a time with its offset.
Money is text or a number, in the shop's currency. A thing is named by its product's title, and where the
product has several variants by `Title / Variant`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

DAYS_BACK: Final = re.compile(r"(?P<days>-?\d{1,4})(?: (?P<clock>\d\d:\d\d(?::\d\d)?))?")
NOON: Final = time(12)


class Part(BaseModel):
    """A part of a case: what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _day(told: object) -> str:
    if isinstance(told, int) and not isinstance(told, bool):
        return str(told)
    text = str(told)
    if not re.fullmatch(r"-?\d{1,4}", text):
        date.fromisoformat(text)
    return text


def _moment(told: object) -> str:
    text = str(told)
    if isinstance(told, bool) or not text:
        raise ValueError("is no moment")
    if not DAYS_BACK.fullmatch(text):
        datetime.fromisoformat(text)
    return text


Day = Annotated[
    str,
    BeforeValidator(_day),
    WithJsonSchema({"type": ["string", "integer"], "description": "a date, or so many days ago"}),
]
Moment = Annotated[
    str,
    BeforeValidator(_moment),
    WithJsonSchema(
        {"type": ["string", "integer"], "description": 'a time, or days ago: 14, "14 09:30"'}
    ),
]
Money = Annotated[Decimal, Field(ge=0, le=Decimal(999999999999))]
Share = Annotated[Decimal, Field(ge=0, le=1)]
Units = Annotated[int, Field(ge=1, le=1_000_000)]
Stock = Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
Name = Annotated[str, Field(min_length=1, max_length=255)]


def day_of(told: str, as_of: date) -> date:
    """The day that is meant."""
    return as_of - timedelta(days=int(told)) if _counts_back(told) else date.fromisoformat(told)


def moment_of(told: str, as_of: date, zone: ZoneInfo) -> datetime:
    """The moment that is meant, aware."""
    if back := DAYS_BACK.fullmatch(told):
        clock = time.fromisoformat(back["clock"]) if back["clock"] else NOON
        return datetime.combine(as_of - timedelta(days=int(back["days"])), clock, zone)
    moment = datetime.fromisoformat(told)
    if len(told) == len("2026-01-01"):
        return datetime.combine(moment.date(), NOON, zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _counts_back(told: str) -> bool:
    return bool(re.fullmatch(r"-?\d{1,4}", told))


class Level(Part):
    """What is at one location."""

    available: Stock = 0
    incoming: Annotated[int, Field(ge=0)] = 0
    committed: Annotated[int, Field(ge=0)] = 0


class Location(Part):
    """A place with stock; the first is where a variant's `available` lies."""

    name: Name
    active: bool = True
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "GB"


class Rate(Part):
    """Sales of every day from one to another, at a rate."""

    first: Day = Field(alias="from")
    last: Day = Field(default="1", alias="to")
    per_day: Annotated[float, Field(ge=0, le=10_000)]
    """Units."""
    draw: Annotated[str, Field(pattern="^(poisson|steady)$")] = "poisson"
    """`steady`: as even as whole units can be, so that sums can be worked out by hand."""
    units_per_order: Units = 1
    price: Money | None = None
    discount: Money = Decimal(0)
    """Off every order's line."""


class Sold(Part):
    """Sales of one day: one order, or as many as `orders` says."""

    on: Day
    units: Units
    price: Money | None = None
    discount: Money = Decimal(0)
    orders: Annotated[int, Field(ge=1, le=10_000)] = 1


def _listed(told: object) -> object:
    """`[day, units, price, discount]` as an object: long histories are written so."""
    if not isinstance(told, list):
        return told
    if not 2 <= len(told) <= 4:
        raise ValueError(
            "must be [day, units], [day, units, price] or [day, units, price, discount]"
        )
    names = ("on", "units", "price", "discount")
    return dict(zip(names, told, strict=False))


def _kind_of_sales(told: Any) -> str:
    return "rate" if "per_day" in told or "from" in told else "sold"


Sales = Annotated[
    Annotated[Rate, Tag("rate")] | Annotated[Sold, Tag("sold")],
    Discriminator(_kind_of_sales),
    BeforeValidator(_listed),
]


class Component(Part):
    """A part of a bundle."""

    variant: Name
    quantity: Units = 1


class PriceOfPast(Part):
    """A price that stood until the next one, or until today's."""

    since: Day = Field(alias="from")
    price: Money
    compare_at: Money | None = None


class Variant(Part):
    """A variant, its shelf and its past."""

    title: Name = "Default Title"
    sku: str | None = None
    price: Money
    compare_at: Money | None = None
    cost: Money | None = None
    tracked: bool = True
    policy: Annotated[str, Field(pattern="^(?i:deny|continue)$")] = "deny"
    requires_shipping: bool = True
    taxable: bool = True
    available: Stock | None = None
    """At the first location; 0 where no level is told either."""
    incoming: Annotated[int, Field(ge=0)] = 0
    levels: dict[str, Level] = Field(default_factory=dict)
    """By location; beside it `available` says nothing."""
    price_history: list[PriceOfPast] = Field(default_factory=list)
    """Oldest first; sales that tell no price are at the price of their day."""
    market_prices: dict[str, Money] = Field(default_factory=dict)
    """Fixed, by market."""
    components: list[Component] = Field(default_factory=list)
    sales: list[Sales] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_way(self) -> "Variant":
        if self.levels and (self.available is not None or self.incoming):
            raise ValueError("tell `levels`, or `available` and `incoming`, not both")
        return self


class Product(Part):
    """A product with its variants."""

    title: Name
    status: Annotated[str, Field(pattern="^(?i:active|draft|archived|unlisted)$")] = "active"
    vendor: str | None = "Northmill"
    type: str | None = None
    tags: list[str] = Field(default_factory=list)
    gift_card: bool = False
    created: Day = "400"
    variants: Annotated[list[Variant], Field(min_length=1, max_length=2048)]

    @field_validator("variants")
    @classmethod
    def _names_differ(cls, variants: list[Variant]) -> list[Variant]:
        if len({one.title for one in variants}) < len(variants):
            raise ValueError("two variants have one title")
        return variants


class Line(Part):
    """A line of an order: of a variant, or a custom one with a `title` and a `price`."""

    variant: Name | None = None
    title: Name | None = None
    units: Units = 1
    price: Money | None = None
    discount: Money = Decimal(0)
    tax_rate: Share | None = None
    """The shop's where not told."""

    @model_validator(mode="after")
    def _is_something(self) -> "Line":
        if self.variant is None and (self.title is None or self.price is None):
            raise ValueError("needs a `variant`, or a `title` and a `price`")
        return self


class RefundLine(Part):
    """Units of a line that come back."""

    line: Annotated[int, Field(ge=0)]
    """Counted from 0, in the order as it was placed."""
    units: Units = 1


class Refund(Part):
    """Units that come back, and the money that goes back, all in all.

    Told no `amount`, that is what the units and the shipping are worth; without units it is goodwill, or what an edit
    left to be given back.
    """

    at: Moment
    lines: list[RefundLine] = Field(default_factory=list)
    restock: Annotated[str, Field(pattern="^(return|no_restock|cancel)$")] = "return"
    shipping: Money | None = None
    amount: Money | None = None


class Edit(Part):
    """Units taken off a line, or a line added, some time later."""

    at: Moment
    line: Annotated[int, Field(ge=0)] | None = None
    remove: Annotated[int, Field(ge=0)] = 0
    add: Line | None = None

    @model_validator(mode="after")
    def _is_something(self) -> "Edit":
        if (self.add is None) == (self.line is None or not self.remove):
            raise ValueError("needs `line` and `remove`, or `add`")
        return self


class Exchange(Part):
    """Lines that come back and what goes out for them."""

    at: Moment
    back: Annotated[list[RefundLine], Field(min_length=1)]
    out: Annotated[list[Line], Field(min_length=1)]
    fee: Money = Decimal(0)
    """Kept for restocking."""


class Order(Part):
    """One order with all that happened to it."""

    name: Name | None = None
    at: Moment
    lines: list[Line] = Field(default_factory=list)
    tip: Money = Decimal(0)
    shipping: Money = Decimal(0)
    shipping_discount: Money = Decimal(0)
    duty: Money = Decimal(0)
    fee: Money = Decimal(0)
    """An additional one."""
    test: bool = False
    channel: str = "web"
    """`source_name`: web, pos, shopify_draft_order, ..."""
    company: bool = False
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    taxes_included: bool | None = None
    """Both the shop's where not told."""
    financial_status: str = "paid"
    processed: Moment | None = None
    """Of an order that was brought in: when it was really placed."""
    cancelled: Moment | None = None
    edits: list[Edit] = Field(default_factory=list)
    refunds: list[Refund] = Field(default_factory=list)
    exchanges: list[Exchange] = Field(default_factory=list)


class Closed(Part):
    """Days on which the shop sells nothing, whatever its rates say."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")


class Market(Part):
    """A market with a price list of its own (prices: `market_prices` of variants)."""

    name: Name
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class ShopDescription(Part):
    """A shop: its facts, its catalogue, what it sold."""

    kind: str | None = None
    """A kind of `world.kinds` with its catalogue, history, currency and zone, to which the rest is added."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "GBP"
    timezone: str = "Europe/London"
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "GB"
    taxes_included: bool = False
    tax_rate: Share = Decimal(0)
    scopes: list[str] | None = None
    """Granted at the install; all that shopify.app.toml names where not told."""
    as_of: date | None = None
    """The shop's present day; today where not told."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the sales that are drawn."""
    locations: Annotated[list[Location], Field(min_length=1)] = [Location(name="Main warehouse")]
    """The first of a kind's own is called so too."""
    markets: list[Market] = Field(default_factory=list)
    products: list[Product] = Field(default_factory=list)
    orders: list[Order] = Field(default_factory=list)
    closed: list[Closed] = Field(default_factory=list)
    settings: dict[str, str | int | float | None] = Field(default_factory=dict)
    """Fields of Keel's settings page, as they are typed there."""

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is no time zone")
        return name

    @field_validator("products")
    @classmethod
    def _titles_differ(cls, products: list[Product]) -> list[Product]:
        if len({one.title for one in products}) < len(products):
            raise ValueError("two products have one title")
        return products

    @property
    def zone(self) -> ZoneInfo:
        """Of the shop's clock."""
        return ZoneInfo(self.timezone)

    @property
    def today(self) -> date:
        """The shop's present day."""
        return self.as_of or datetime.now(UTC).astimezone(self.zone).date()

    def day(self, told: str) -> date:
        """The day that is meant."""
        return day_of(told, self.today)

    def moment(self, told: str) -> datetime:
        """The moment that is meant."""
        return moment_of(told, self.today, self.zone)


def named(products: list[Product]) -> Mapping[str, Variant]:
    """Variants by the names under which a case calls them."""
    found: dict[str, Variant] = {}
    for product in products:
        for variant in product.variants:
            found[f"{product.title} / {variant.title}"] = variant
        if len(product.variants) == 1:
            found[product.title] = product.variants[0]
    return found
