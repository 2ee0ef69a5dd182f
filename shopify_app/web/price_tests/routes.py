"""A price test: what it would cost and teach, how it stands, what it showed; starting, declining and stopping it."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, jsonify, redirect, url_for
from flask.typing import ResponseReturnValue

from shopify_app.db import pages
from shopify_app.db import price_tests as rows
from shopify_app.db import tested_prices as tested_rows
from shopify_app.db.pages import StorePrice
from shopify_app.domain.price_test import PriceTest, PriceUnderTest
from shopify_app.errors import InvalidInputError, NotFoundError
from shopify_app.usecases.price_tests import decide as price_test_decisions
from shopify_app.web.answers import answer
from shopify_app.web.json_twin import Inlined, Told
from shopify_app.web.price_tests.views import (
    LeftPrice,
    ProductUnderTest,
    TestedPrice,
    left_prices,
    product_lines,
    tested_prices,
)
from shopify_app.web.price_tests.words import REFUSALS, PriceTestView, price_test_view
from shopify_app.web.reading import reading, shop, today, wants_json
from shopify_app.web.wording import words_for

blueprint = Blueprint("price_tests", __name__, url_prefix="/price-tests")


@dataclass(frozen=True, slots=True)
class Shown:
    """A test with its prices, as read for one answer."""

    test: PriceTest
    under_test: list[PriceUnderTest]
    store: list[StorePrice]


@dataclass(frozen=True, slots=True)
class PriceTestPage:
    """A test as it stands."""

    view: Inlined[PriceTestView]
    prices: Told[list[TestedPrice]]
    refused_because: Told[str | None]
    """What stood against a click on Start."""
    problem: Told[str | None]
    """The same in words."""
    products: list[ProductUnderTest]
    left: list[LeftPrice]

    @property
    def may_decide(self) -> bool:
        """Whether a proposal still stands."""
        return self.refused_because != "changed"


@blueprint.get("/<int:test_id>")
def show(test_id: int) -> ResponseReturnValue:
    """A test as it stands."""
    return _page(_read(test_id))


@blueprint.post("/<int:test_id>/start")
def create_start(test_id: int) -> ResponseReturnValue:
    """Agree to it; a limit that is not kept refuses it, and the page says which."""
    shown = _read(
        test_id
    )  # a refusal may take the proposal back: it is answered from what was shown
    try:
        price_test_decisions.start(shop().shop_id, test_id, started_by=g.user_id)
    except InvalidInputError as error:
        return _page(shown, refused_because=error.field)
    except NotFoundError:
        return _as_it_stands(test_id, {"started": False})
    return _as_it_stands(test_id, {"started": True})


@blueprint.post("/<int:test_id>/decline")
def create_decline(test_id: int) -> ResponseReturnValue:
    """Say no to it."""
    declined = price_test_decisions.decline(shop().shop_id, test_id, declined_by=g.user_id)
    return _as_it_stands(test_id, {"declined": declined})


@blueprint.post("/<int:test_id>/stop")
def create_stop(test_id: int) -> ResponseReturnValue:
    """Let it end now: its prices go back."""
    stopped = price_test_decisions.stop(shop().shop_id, test_id, asked_by=g.user_id)
    return _as_it_stands(test_id, {"stopped": stopped})


def _as_it_stands(test_id: int, body: dict[str, Any]) -> ResponseReturnValue:
    """Where to look after a click, also after one that came too late."""
    return jsonify(body) if wants_json() else redirect(url_for(".show", test_id=test_id), 303)


def _read(test_id: int) -> Shown:
    shop_id = shop().shop_id
    with reading() as conn:
        found = rows.newest(conn, shop_id, test_id=test_id)
        if not found:
            raise NotFoundError(f"price test {test_id}")
        products = [one.product_id for one in found[0].plan.series]
        return Shown(
            found[0],
            tested_rows.of_test(conn, shop_id, test_id),
            pages.store_prices(conn, shop_id, products),
        )


def _page(shown: Shown, *, refused_because: str | None = None) -> Response:
    test, under_test, store = shown.test, shown.under_test, shown.store
    staying = [row for row in under_test if row.left_because is None]
    back = sum(row.returned_at is not None for row in staying)
    page = PriceTestPage(
        view=price_test_view(test, today(), back=back, of=len(staying)),
        prices=tested_prices(test, under_test, store),
        refused_because=refused_because,
        problem=None if refused_because is None else words_for(REFUSALS, refused_because),
        products=product_lines(test, under_test, store),
        left=left_prices(test, under_test, store),
    )
    return answer("price_tests/show.html", page, status=200 if page.problem is None else 422)
