"""Where a bulk result may lead, and where not."""

import gzip

import httpx
import pytest

from shopify_app import config
from shopify_app.errors import ShopifyProgramError, TransientError
from shopify_app.shopify import bulk_operations
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
        "https://storage.googleapis.com@evil.com/x",
        "https://storage.googleapis.com\\@evil.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://0x7f000001/x",
        "https://metadata.google.internal/x",
        "gopher://storage.googleapis.com/x",
        "javascript:alert(1)",
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


@pytest.fixture
def storage(settings_env, monkeypatch):
    """Shopify's storage, whose answers are given in turn; the requests that came are kept."""
    answers, asked = [], []

    def answer(request):
        asked.append(request)
        return answers.pop(0)

    http = httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=False)
    monkeypatch.setattr(bulk_operations, "http_client", lambda: http)
    return answers, asked


URL = "https://storage.googleapis.com/shopify/bulk.jsonl?sig=1"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_followed_nowhere(storage, status):
    answers, asked = storage
    answers.append(
        httpx.Response(status, headers={"Location": "http://169.254.169.254/latest/meta-data"})
    )
    with pytest.raises(TransientError, match=str(status)):
        list(bulk_operations.result_lines(URL))
    assert [request.url.host for request in asked] == ["storage.googleapis.com"]


def test_no_token_goes_to_the_storage_and_a_broken_file_is_read_on_from_its_byte(storage):
    answers, asked = storage
    answers.append(httpx.Response(206, content=b'{"id":"b"}\n{"id":"c"}'))
    found = list(bulk_operations.result_lines(URL, from_byte=11))

    assert found == [({"id": "b"}, 22), ({"id": "c"}, 32)]
    assert asked[0].headers["Range"] == "bytes=11-"
    assert not {"x-shopify-access-token", "authorization", "cookie"} & set(asked[0].headers)


def test_a_file_that_was_read_to_its_end_has_nothing_more(storage):
    answers, _ = storage
    answers.append(httpx.Response(416))
    assert list(bulk_operations.result_lines(URL, from_byte=100)) == []


def test_a_server_that_ignores_the_range_is_not_taken_for_the_rest(storage):
    answers, _ = storage
    answers.append(httpx.Response(200, content=b'{"id":"a"}\n'))
    with pytest.raises(TransientError):
        list(bulk_operations.result_lines(URL, from_byte=11))


@pytest.mark.parametrize("content", [b'{"id":\n', b"<html>\n", b'"a\xff"\n'])
def test_a_line_that_is_no_json_is_a_defect_and_not_data(storage, content):
    answers, _ = storage
    answers.append(httpx.Response(200, content=content))
    with pytest.raises(ShopifyProgramError):
        list(bulk_operations.result_lines(URL))


def test_a_line_or_a_file_without_end_is_cut_off(storage, monkeypatch):
    answers, _ = storage
    monkeypatch.setattr(bulk_operations, "LONGEST_LINE_BYTES", 100)
    answers.append(httpx.Response(200, content=b"x" * 1_000))
    with pytest.raises(ShopifyProgramError, match="longer"):
        list(bulk_operations.result_lines(URL))

    monkeypatch.setattr(bulk_operations, "LARGEST_FILE_BYTES", 10)
    answers.append(httpx.Response(200, content=b'{"id":1}\n' * 9))
    with pytest.raises(ShopifyProgramError, match="larger"):
        list(bulk_operations.result_lines(URL))


def test_a_compressed_bomb_is_measured_by_what_it_becomes(storage, monkeypatch):
    answers, _ = storage
    monkeypatch.setattr(bulk_operations, "LARGEST_FILE_BYTES", 1_000_000)
    bomb = gzip.compress(b'{"id":1}\n' * 1_000_000)
    answers.append(httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=bomb))
    with pytest.raises(ShopifyProgramError, match="larger"):
        list(bulk_operations.result_lines(URL))
