"""A simulator says what day it is in its shop, and hears what Keel still has to do. No such route where days are real.

Signed as webhooks are: who knows the client secret may turn the clock of a shop that it made up.
"""

from typing import Final

from flask import Blueprint, Response, jsonify, make_response, request
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shopify_app.config import settings
from shopify_app.shopify.signature import is_signed_webhook
from shopify_app.strict_json import parse_typed
from shopify_app.usecases.shops import simulated_days
from shopify_app.web.auth import public

SIGNATURE: Final = "X-Shopify-Hmac-Sha256"

blueprint = Blueprint("simulated_days", __name__, url_prefix="/development")


class SimulatedMoment(BaseModel):
    """The shop's moment; without one only what waits is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    shop: str
    now: AwareDatetime | None = None


@blueprint.post("/clock")
@public
def follow() -> Response:
    """Follow a shop's clock; what waits in it."""
    raw = request.get_data()
    if not is_signed_webhook(raw, request.headers.get(SIGNATURE), settings().api_secrets):
        return make_response("Unauthorized", 401)
    try:
        told = SimulatedMoment.model_validate(parse_typed(raw))
    except ValidationError:
        return make_response("shop, and now with its offset", 422)
    return jsonify(simulated_days.follow(told.shop, told.now))
