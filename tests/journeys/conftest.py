"""A real Chromium; without one these tests are skipped, unless KEEL_REQUIRE_BROWSER says that they must not be."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    path = (
        os.environ.get("KEEL_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    expect.set_options(timeout=20_000)  # pages are slow where the machine is busy
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Exception as error:
            if os.environ.get("KEEL_REQUIRE_BROWSER") == "1":
                raise
            pytest.skip(f"no Chromium to drive: {type(error).__name__}")
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    opened = context.new_page()
    opened.problems = []
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            opened.problems.append(f"{message.text} {message.location.get('url', '')}".strip())
            if message.type == "error" and "favicon" not in message.location.get("url", "")
            else None
        ),
    )
    yield opened
    context.close()
