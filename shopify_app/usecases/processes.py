"""What every process does around a fork, whichever door it is."""

from shopify_app.db.connection import close_pool


def forget_connections() -> None:
    """Drop this process's database connections; the next use opens fresh ones."""
    close_pool()
