"""The format of a case: a shop, what is sent and done once Keel is installed, and what must be right then."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from simulator.world.description import Day, Name, Part, ShopDescription


class Webhook(Part):
    """A delivery, signed and sent as it is; names in the body are looked up (`world.names`).

    `about` takes the shop's own body of that thing as it is now, and lays `body` over it.
    """

    topic: Annotated[str, Field(pattern=r"^[a-z_]+/[a-z_]+$")]
    body: dict[str, Any] = Field(default_factory=dict)
    about: str | None = None
    at: str | None = None
    """X-Shopify-Triggered-At."""
    id: str | None = None
    """X-Shopify-Webhook-Id: a delivery of an id that came before is a repetition."""
    times: Annotated[int, Field(ge=1, le=100)] = 1


class Act(Part):
    """Something done in the shop, as the simulator's controls have it: `POST /_sim/{shop}/{act}`."""

    act: Annotated[str, Field(pattern=r"^[^?#]+$", max_length=300)]
    body: dict[str, Any] = Field(default_factory=dict)
    untold: bool = False
    """Shopify's news of it is lost."""


class Keel(Part):
    """Something that Keel does by itself in time, now: late changes compared (from `since` on), or everything counted."""

    keel: Literal["reconcile", "count"]
    since: Day | None = None


class Drained(Part):
    """Everything that came is worked through before what follows is sent."""

    drained: Literal[True]


def _listed(told: object) -> object:
    """`[topic, body]` as an object."""
    if not isinstance(told, list):
        return told
    if len(told) != 2:
        raise ValueError("must be [topic, body]")
    return {"topic": told[0], "body": told[1]}


def _kind_of_step(told: Any) -> str:
    known = told.keys() if isinstance(told, Mapping) else ()
    return next((kind for kind in ("act", "keel", "drained") if kind in known), "webhook")


Step = Annotated[
    Annotated[Webhook, Tag("webhook")]
    | Annotated[Act, Tag("act")]
    | Annotated[Keel, Tag("keel")]
    | Annotated[Drained, Tag("drained")],
    Discriminator(_kind_of_step),
    BeforeValidator(_listed),
]

Scalar = str | int | float | bool | None


class Bounds(Part):
    """What a value must be."""

    least: float | None = None
    most: float | None = None
    not_: Scalar = Field(default=None, alias="not")
    one_of: list[Scalar] = Field(default_factory=list)
    known: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Bounds":
        if not self.model_fields_set:
            raise ValueError("needs least, most, not, one_of or known")
        return self


Wanted = Bounds | Scalar
Kind = Literal["restock", "price", "trend"]
AnyKind = Kind | Literal["any"]


class Facts(Part):
    """Figures of a shop-local day (`keel facts`): each field, or that there is no such day."""

    facts: Day
    currency: str | None = None
    absent: bool = False
    fields: dict[str, Wanted] = Field(default_factory=dict)


class Shelves(Part):
    """Catalogue and stock (`products`, `variants`, `variants_with_cost`, `levels`, `available_units`)."""

    shelves: Annotated[dict[str, Wanted], Field(min_length=1)]


class Daily(Part):
    """Demand of a variant on a day, as advice sees it: `ordered_units`, `returned_units`, `revenue`, ..."""

    daily: Name
    on: Day
    fields: Annotated[dict[str, Wanted], Field(min_length=1)]


class Card(Part):
    """An open suggestion; `where` holds fields of the card to bounds: `proposal.units`, `evidence.unit_margin`."""

    card: Kind
    of: Name
    where: dict[str, Wanted] = Field(default_factory=dict)


class NoCard(Part):
    """No open suggestion of a kind (`any`), of a product or of none at all."""

    no_card: AnyKind
    of: Name | None = None
    where: dict[str, Wanted] = Field(default_factory=dict)
    """Only such as are so."""


class Reason(Part):
    """An abstention: so many variants with this reason."""

    reason: str
    variants: Wanted = Bounds(least=1)


class Advice(Part):
    """How far advice can be believed: `stage`, `looked_at`, `suggested`, `need_nothing`."""

    advice: Annotated[dict[str, Wanted], Field(min_length=1)]


class Words(Part):
    """What stands, or must not stand: on cards (of a product, a kind), or on a page by its path."""

    words: str
    """`cards`, or a path such as `/restock`."""
    of: Name | None = None
    language: Literal["en", "zh"] = "en"
    has: list[str] = Field(default_factory=list)
    lacks: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> "Words":
        if not self.has and not self.lacks:
            raise ValueError("needs has or lacks")
        return self


class DeadLetters(Part):
    """How many deliveries could not be applied."""

    dead_letters: Annotated[int, Field(ge=0)]


STATEMENTS: Final[Mapping[str, type[Part]]] = {
    "facts": Facts,
    "shelves": Shelves,
    "daily": Daily,
    "card": Card,
    "no_card": NoCard,
    "reason": Reason,
    "advice": Advice,
    "words": Words,
    "dead_letters": DeadLetters,
}


def _kind_of_statement(told: Any) -> str | None:
    known = told.keys() if isinstance(told, Mapping) else ()
    return next((kind for kind in STATEMENTS if kind in known), None)


def _gathered(told: object) -> object:
    """Figures may stand beside `facts` and `daily`: they are gathered under `fields`."""
    if not isinstance(told, dict) or not told.keys() & {"facts", "daily"}:
        return told
    kind = Facts if "facts" in told else Daily
    own = kind.model_fields.keys()
    beside = {name: value for name, value in told.items() if name not in own}
    fields = {**told.get("fields", {}), **beside}
    return {name: value for name, value in told.items() if name in own} | (
        {"fields": fields} if fields else {}
    )


Statement = Annotated[
    Annotated[Facts, Tag("facts")]
    | Annotated[Shelves, Tag("shelves")]
    | Annotated[Daily, Tag("daily")]
    | Annotated[Card, Tag("card")]
    | Annotated[NoCard, Tag("no_card")]
    | Annotated[Reason, Tag("reason")]
    | Annotated[Advice, Tag("advice")]
    | Annotated[Words, Tag("words")]
    | Annotated[DeadLetters, Tag("dead_letters")],
    Discriminator(_kind_of_statement),
    BeforeValidator(_gathered),
]


class Case(Part):
    """A case."""

    title: str = ""
    note: str = ""
    source: list[str] = Field(default_factory=list)
    pending: str | None = None
    """Why it cannot be right yet."""
    shop: ShopDescription = ShopDescription()
    webhooks: list[Step] = Field(default_factory=list)
    """Sent and done in this order."""
    expect: list[Statement] = Field(default_factory=list)

    @property
    def is_about_advice(self) -> bool:
        """Whether something is expected of cards, reasons or words, and not of the books alone."""
        return any(
            not isinstance(one, Facts | Shelves | Daily | DeadLetters) for one in self.expect
        )
