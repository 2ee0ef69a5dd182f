"""HTTP: proves who asks, calls use cases, renders.

home, welcome, pricing, restock, trends, results, shop_settings     pages
cards, rollouts, price_tests     what is decided on them
auth, oauth, webhooks, health     who asks, and who else calls
simulated_days     a simulator that says what day it is: in development only
answers, json_twin, error_pages, headers, assets     how it is answered
posted, request_models     what is sent to us, proved
reading, formats, wording, advice_words, books_words, charts, demand_view     what pages share
"""

from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel
from werkzeug.routing import IntegerConverter, Map

from shopify_app.config import settings
from shopify_app.domain.ids import LARGEST_ID
from shopify_app.domain.suggestion import DISMISS_REASONS
from shopify_app.web import (
    assets,
    auth,
    cards,
    error_pages,
    formats,
    headers,
    health,
    home,
    oauth,
    posted,
    price_tests,
    pricing,
    restock,
    results,
    rollouts,
    shop_settings,
    simulated_days,
    trends,
    webhooks,
    welcome,
    wording,
)
from shopify_app.web.cards import lead_time_words, move_words, tax_words
from shopify_app.web.charts import sparkline
from shopify_app.web.demand_view import recent
from shopify_app.web.reading import language, now, today, zone
from shopify_app.web.restock import purchase_orders

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
TRANSLATIONS = Path(__file__).resolve().parents[1] / "translations"


class IdConverter(IntegerConverter):
    """The `<int:...>` of a route: an id that may exist."""

    def __init__(self, url_map: Map, *args: Any, **options: Any) -> None:
        super().__init__(url_map, *args, **{"max": LARGEST_ID, **options})


PAGES = (
    assets.blueprint,
    health.blueprint,
    oauth.blueprint,
    home.blueprint,
    welcome.blueprint,
    pricing.blueprint,
    restock.blueprint,
    trends.blueprint,
    shop_settings.blueprint,
    cards.blueprint,
    results.blueprint,
    rollouts.blueprint,
    price_tests.blueprint,
    purchase_orders.blueprint,
)


def create_app() -> Flask:
    """The WSGI app: no session, no cookie (but the fallback grant's); every answer is proved by an ID token or a signature."""
    app = Flask(__name__, static_folder=None, template_folder=str(TEMPLATES))
    app.url_map.converters["int"] = IdConverter
    app.config["MAX_CONTENT_LENGTH"] = 2 * 1024 * 1024
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    app.json.sort_keys = False  # pyright: ignore[reportAttributeAccessIssue] -- Flask's default provider has it
    Babel(app, locale_selector=language, timezone_selector=lambda: str(zone()))
    headers.install(app)
    error_pages.install(app)
    auth.install(app)
    posted.install(app)
    app.register_blueprint(webhooks.blueprint)
    if settings().follows_simulated_days:
        app.register_blueprint(simulated_days.blueprint)
    for blueprint in PAGES:
        app.register_blueprint(blueprint)
    _set_up_templates(app)
    return app


def _set_up_templates(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    shown: dict[str, Any] = {
        "F": formats,
        "asset": assets.asset,
        "settings": settings,
        "language": language,
        "today": today,
        "now": now,
        "zone": zone,
        "sparkline": sparkline,
        "recent": recent,
        "shown_first": home.SHOWN_FIRST,
        "wording": wording,
        "lead_time_words": lead_time_words,
        "move_words": move_words,
        "tax_words": tax_words,
        "dismiss_reasons": [(code, wording.DISMISS_REASONS[code]) for code in DISMISS_REASONS],
    }
    app.jinja_env.globals.update(shown)
