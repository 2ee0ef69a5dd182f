"""Settings are all right, or every wrong one is named at once; no secret is shown."""

import base64

import pytest

from launch.processes import ROOT
from shopify_app.config import read_settings
from shopify_app.errors import InvalidSettingsError

KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = {
    "APP_URL": "https://keel.example.com/",
    "DATABASE_URL": "postgresql://keel:dbpassword@db/keel",
    "REDIS_URL": "redis://:redispassword@redis/0",
    "TOKEN_KEYS": f"k1:{KEY}",
    "SHOPIFY_API_KEY": "a" * 32,
    "SHOPIFY_API_SECRET": "shpss_" + "b" * 32,
}


def test_good_settings_are_read_with_their_defaults():
    found = read_settings(GOOD | {"SHOPIFY_OLD_API_SECRET": "shpss_" + "c" * 32})

    assert (found.app_env, found.app_url, found.log_level, found.metrics_port) == (
        "production",
        "https://keel.example.com",
        "INFO",
        9464,
    )
    assert found.token_keys == (("k1", bytes(range(32))),)
    assert found.api_secrets == ("shpss_" + "b" * 32, "shpss_" + "c" * 32)


@pytest.mark.parametrize(("name", "value"), [
    ("SHOPIFY_API_KEY", "0123456789abcdef0123456789abcdef"), ("SHOPIFY_API_SECRET", "shpss_example"), ("SHOPIFY_API_SECRET", "s"),
    ("SHOPIFY_OLD_API_SECRET", "s"), ("TOKEN_KEYS", "k1:" + base64.b64encode(bytes(32)).decode()), ("TOKEN_KEYS", f"k1:{KEY},k1:{KEY}"),
    ("TOKEN_KEYS", "k1:BASE64_OF_32_BYTES"), ("APP_URL", "https://"), ("APP_URL", "https:///path"), ("APP_URL", "http://keel.example.com"),
    ("APP_URL", "keel.example.com"), ("LOG_LEVEL", "LOUD"), ("SHOPIFY_API_VERSION", "../x"), ("METRICS_PORT", "70000"), ("METRICS_PORT", "²"),
    ("APP_ENV", "prod"), ("SHOPIFY_BASE_URL_TEMPLATE", "https://evil.com"), ("SHOPIFY_ADMIN_ORIGIN", "https://evil.com"),
])  # fmt: skip
def test_production_takes_no_value_that_cannot_be_meant(name, value):
    with pytest.raises(InvalidSettingsError, match=name):
        read_settings(GOOD | {name: value})


def test_all_wrong_settings_are_named_at_once_and_no_secret_with_them():
    wrong = {
        "APP_URL": "https://",
        "TOKEN_KEYS": "k1:secretkey",
        "SHOPIFY_API_SECRET": "short",
        "LOG_LEVEL": "LOUD",
        "METRICS_PORT": "many",
    }

    with pytest.raises(InvalidSettingsError) as refused:
        read_settings(GOOD | wrong)

    assert all(name in str(refused.value) for name in wrong)
    assert "secretkey" not in str(refused.value) and "short" not in str(refused.value)


def test_what_settings_show_of_themselves_holds_no_secret():
    shown = repr(read_settings(GOOD)) + str(read_settings(GOOD))

    for secret in ("dbpassword", "redispassword", "b" * 32, KEY, repr(bytes(range(32)))):
        assert secret not in shown


def test_the_example_has_comments_on_lines_of_their_own_and_is_refused_as_it_stands():
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert not any("#" in value or value != value.strip() for value in example.values())
    with pytest.raises(InvalidSettingsError) as refused:
        read_settings(example)
    for name in ("TOKEN_KEYS", "SHOPIFY_API_KEY", "SHOPIFY_API_SECRET"):
        assert name in str(refused.value)
