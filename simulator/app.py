"""The simulator as a WSGI app."""

from flask import Flask

from simulator import admin, bulk, control, graphql_endpoint, lifecycle, oauth, plans
from simulator.config import SimConfig
from simulator.state import Simulator, make_simulator


def create_app(config: SimConfig, state: Simulator | None = None) -> Flask:
    """The app over a simulator (made from the configuration unless given)."""
    app = Flask(__name__, static_folder=None)
    app.extensions["simulator"] = state or make_simulator(config)
    for module in (control, lifecycle, admin, plans, oauth, graphql_endpoint, bulk):
        app.register_blueprint(module.bp)
    return app
