"""Where a bulk result may lead, and where not."""

import pytest

from shopify_app import config
from shopify_app.shopify.bulk_operations import UnsafeUrlError, check_result_url


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://localhost/x",
        "file:///etc/passwd",
        "https://storage.googleapis.com.evil.com/x",
        "http://storage.googleapis.com/x",
        "https://u@storage.googleapis.com/x",
        "https://storage.googleapis.com:8443/x",
        "//storage.googleapis.com/x",
        "",
    ],
)
def test_a_result_leads_nowhere_but_to_shopifys_storage(settings_env, url):
    with pytest.raises(UnsafeUrlError):
        check_result_url(url)


def test_outside_production_the_simulator_may_serve_it_too(settings_env, monkeypatch):
    check_result_url("https://storage.googleapis.com/shopify-x/bulk.jsonl?sig=1")
    monkeypatch.setenv("SHOPIFY_BASE_URL_TEMPLATE", "http://127.0.0.1:9/{shop}")
    config.settings.cache_clear()
    check_result_url("http://127.0.0.1:9/acme.myshopify.com/bulk-files/x.jsonl")
    with pytest.raises(UnsafeUrlError):
        check_result_url("http://127.0.0.1:10/x")
