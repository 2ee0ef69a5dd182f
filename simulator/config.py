"""How a simulator is told who it serves."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SimConfig:
    """One app, registered with one Shopify."""

    data_dir: Path
    port: int
    app_url: str
    app_toml: Path
    client_id: str
    client_secret: str
    old_client_secret: str = ""

    @property
    def admin_origin(self) -> str:
        """Where the admin is: another site than the app's, as in production."""
        return f"http://localhost:{self.port}"

    @property
    def api_origin(self) -> str:
        """Where the Admin API and the bulk files are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Secrets that may sign now."""
        return tuple(secret for secret in (self.client_secret, self.old_client_secret) if secret)
