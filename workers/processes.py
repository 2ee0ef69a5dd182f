"""What a worker process does when it starts."""

from shopify_app.config import settings
from shopify_app.metrics import serve_metrics
from shopify_app.usecases.processes import forget_connections


def close_connections() -> None:
    """Forget the database connections that were opened before the fork."""
    forget_connections()


def serve_worker_metrics() -> None:
    """Serve the parent's metrics."""
    serve_metrics(settings().metrics_port)
