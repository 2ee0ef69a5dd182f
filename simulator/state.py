"""Everything a simulator holds, for the blueprints that need it."""

from dataclasses import dataclass

from flask import current_app

from simulator import app_toml
from simulator.bulk.engine import BulkEngine
from simulator.config import SimConfig
from simulator.faults import Faults
from simulator.graphql.throttle import Throttle
from simulator.store import Store
from simulator.webhooks import events
from simulator.webhooks.emitter import Emitter
from simulator.world.walks import Walks


@dataclass(slots=True)
class Simulator:
    """One running simulator."""

    config: SimConfig
    store: Store
    faults: Faults
    emitter: Emitter
    bulk: BulkEngine
    throttle: Throttle
    walks: Walks

    def start(self) -> None:
        """Start the threads."""
        self.emitter.start()
        self.bulk.resume()

    def stop(self) -> None:
        """Stop the threads."""
        self.walks.stop()
        self.bulk.stop()
        self.emitter.stop()


def make_simulator(config: SimConfig) -> Simulator:
    """A simulator over the data in `config.data_dir`."""
    store = Store(config.data_dir / "simulator.sqlite3")
    faults = Faults(store)
    toml = app_toml.read(config.app_toml)
    emitter = Emitter(store, config, faults, toml.api_version)
    events.TOML[:] = toml.subscriptions
    return Simulator(
        config,
        store,
        faults,
        emitter,
        BulkEngine(store, config, faults),
        Throttle(),
        Walks(store, config, emitter),
    )


def simulator() -> Simulator:
    """The simulator of the present request."""
    return current_app.extensions["simulator"]
