"""The simulator as a WSGI app."""

from flask import Flask

from simulator.config import SimConfig
from simulator.routes import (
    admin,
    admin_api,
    app_life,
    bulk_files,
    cases,
    control,
    merchant_acts,
    oauth,
    order_acts,
    place_acts,
    plans,
    truth,
)
from simulator.state import Simulator, make_simulator

ROUTES = (
    control,
    cases,
    app_life,
    merchant_acts,
    order_acts,
    place_acts,
    truth,
    admin,
    plans,
    oauth,
    admin_api,
    bulk_files,
)


def create_app(config: SimConfig, state: Simulator | None = None) -> Flask:
    """The app over a simulator (made from the configuration unless given)."""
    app = Flask(__name__, static_folder=None)
    app.extensions["simulator"] = state or make_simulator(config)
    for module in ROUTES:
        app.register_blueprint(module.bp)
    return app
