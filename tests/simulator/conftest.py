"""A simulated shop beside a receiver on a real socket: what the app would see, without the app."""

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from launch.processes import ROOT
from simulator.access.launch_url import id_token
from simulator.app import create_app
from simulator.config import SimConfig
from simulator.state import make_simulator
from simulator.world import kinds

SECRET, OLD_SECRET = "shpss_" + "1" * 32, "shpss_" + "0" * 32
CLIENT_ID = "0123456789abcdef0123456789abcdef"


@dataclass
class Received:
    """One POST as it came in."""

    path: str
    headers: dict
    body: bytes


@dataclass
class Receiver:
    """Answers `statuses` in turn, then 200; an answer drips for `drip_seconds`."""

    port: int = 0
    got: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    always: int = 200
    drip_seconds: float = 0.0

    def of(self, name):
        return [one.headers[name] for one in self.got]

    def wait_for(self, count, seconds=10.0):
        deadline = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.got) >= count, f"{len(self.got)} of {count} came"


@pytest.fixture
def receiver():
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = kept.statuses.pop(0) if kept.statuses else kept.always
            kept.got.append(Received(self.path, headers, body))
            answer = f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode()
            for part in (
                [answer] if not kept.drip_seconds else [answer[:9], answer[9:20], answer[20:]]
            ):
                self.wfile.write(part)
                self.wfile.flush()
                time.sleep(kept.drip_seconds / 2)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.port = server.server_port
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_sim(tmp_path, receiver):
    """Simulators over one data folder, as after a restart; the running ones are stopped at the end."""
    made = []

    def make(*, old_secret=OLD_SECRET):
        sim = make_simulator(
            SimConfig(
                tmp_path,
                5998,
                f"http://127.0.0.1:{receiver.port}",
                ROOT / "shopify.app.toml",
                CLIENT_ID,
                SECRET,
                old_secret,
            )
        )
        made.append(sim)
        return sim

    yield make
    for sim in made:
        sim.stop()


@pytest.fixture
def sim(make_sim):
    return make_sim()


@pytest.fixture
def shop(sim):
    """A `tiny` shop that has the app."""
    domain = kinds.create_shop(sim.store, "tiny", 1)["shop"]
    sim.store.connection().execute("UPDATE shops SET installed_at = now_at, install_count = 1")
    return domain


@pytest.fixture
def web(sim):
    return create_app(sim.config, sim).test_client()


@pytest.fixture
def act(web, shop):
    """POST to a control endpoint of the shop; its answer."""

    def post(path, **body):
        answer = web.post(f"/_sim/{shop}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json

    return post


@pytest.fixture
def rows(sim):
    def query(text, *params):
        return [dict(row) for row in sim.store.connection().execute(text, params)]

    return query


SCOPES = "read_inventory,read_locations,read_orders,write_products"
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
}


@pytest.fixture
def ask(web, sim, shop):
    """POST to the token endpoint as the app."""

    def post(to=shop, **body):
        whole = {"client_id": CLIENT_ID, "client_secret": SECRET, **body}
        return web.post(f"/{to}/admin/oauth/access_token", json=whole)

    return post


@pytest.fixture
def exchange(ask, sim, shop):
    """A token exchange with a good ID token."""

    def post(**changed):
        return ask(
            **{**EXCHANGE, "subject_token": id_token(sim.config, shop), "expiring": 1, **changed}
        )

    return post


@pytest.fixture
def api(web, sim, shop, exchange):
    """The Admin API under a fresh token: (document, **variables) -> the whole answer."""
    sim.store.connection().execute(
        "UPDATE shops SET granted_scopes = ? WHERE granted_scopes = ''", (SCOPES,)
    )
    token = exchange().json["access_token"]

    def post(document, **variables):
        return web.post(
            f"/{shop}/admin/api/2026-10/graphql.json",
            json={"query": document, "variables": variables},
            headers={"X-Shopify-Access-Token": token},
        )

    return post


@pytest.fixture
def run(api):
    """The data of an answer."""
    return lambda document, **variables: api(document, **variables).json["data"]
