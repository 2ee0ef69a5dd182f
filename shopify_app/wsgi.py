"""gunicorn's entry: `gunicorn shopify_app.wsgi:app`."""

from shopify_app.config import settings
from shopify_app.logs import set_up_logs
from shopify_app.metrics import serve_metrics
from shopify_app.web import create_app

set_up_logs(settings().log_level)
serve_metrics(settings().metrics_port)
app = create_app()
