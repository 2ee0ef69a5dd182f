"""Keel's own processes (the Procfile's), with everything they need around them."""

import json
import os
import re
import secrets
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launch.processes import ROOT, Children, python
from shopify_app.db.migrate import migrate

PROCFILE_LINE: Final = re.compile(r"(?P<name>\w+):\s*(?P<command>.+)")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What one machine's demo keeps between two starts."""

    api_key: str
    api_secret: str
    token_key: str


def local_secrets(folder: Path) -> Secrets:
    """The secrets of this folder, drawn once and readable by their owner only."""
    path = folder / "secrets.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        drawn = {
            "api_key": secrets.token_hex(16),
            "api_secret": f"shpss_{secrets.token_hex(16)}",
            "token_key": f"local:{b64encode(secrets.token_bytes(32)).decode()}",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(drawn))
    return Secrets(**json.loads(path.read_text()))


def environment(
    *, app_port: int, simulator_port: int, database_url: str, redis_url: str, secret: Secrets
) -> dict[str, str]:
    """The settings under which Keel meets a simulator instead of Shopify."""
    return {
        **os.environ,
        "APP_ENV": "development",
        "APP_URL": f"http://127.0.0.1:{app_port}",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TOKEN_KEYS": secret.token_key,
        "SHOPIFY_API_KEY": secret.api_key,
        "SHOPIFY_API_SECRET": secret.api_secret,
        "SHOPIFY_API_VERSION": "2026-10",
        "SHOPIFY_BASE_URL_TEMPLATE": f"http://127.0.0.1:{simulator_port}/{{shop}}",
        "APP_BRIDGE_URL": f"http://localhost:{simulator_port}/app-bridge.js",
        "SHOPIFY_ADMIN_ORIGIN": f"http://localhost:{simulator_port}",
        "LEDGER_WAIT_SECONDS": os.environ.get("LEDGER_WAIT_SECONDS", "2"),
        "SHOP_CLOCK": "simulated",
        "METRICS_PORT": os.environ.get("METRICS_PORT", "0"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PORT": str(app_port),
    }


def procfile() -> dict[str, str]:
    """Process name -> command."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {
        match["name"]: match["command"]
        for line in lines
        if (match := PROCFILE_LINE.fullmatch(line))
    }


def start_keel(children: Children) -> None:
    """Bring the schema up to date, then start every process of the Procfile."""
    migrate(children.environment["DATABASE_URL"])
    for name, command in procfile().items():
        if name == "release":
            continue
        filled = command.replace("$PORT", children.environment["PORT"]).replace(
            "0.0.0.0", "127.0.0.1"
        )
        children.start(name, *_with_this_python(filled.split()))


def _with_this_python(command: list[str]) -> tuple[str, ...]:
    """gunicorn, celery and python of the environment we run in, wherever PATH points."""
    program, *arguments = command
    return (
        python(arguments[1], *arguments[2:]) if program == "python" else python(program, *arguments)
    )
