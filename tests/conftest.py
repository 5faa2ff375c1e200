"""What tests stand on: databases, a browser, and which tests need which."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import hypothesis
import pytest
import requests
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from stripe import HTTPClient

from sandbox import server as sandbox
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.mails import MailServer
from tests.queue import run_queue

JOURNEYS = Path(__file__).parent / "journeys"
DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
# Chromium opens our own pages alone: it needs no sandbox (which root and containers lack),
# and nothing that talks to the world by itself.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 390, "height": 844}
PATIENCE = 10_000  # milliseconds that a page may take on a busy machine

# A slow machine is no failure; a failing example is printed so that it can be kept.
hypothesis.settings.register_profile("suite", deadline=None, print_blob=True)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `python -m tests` chooses by: 'database' and 'journey'."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or names & DATABASE_FIXTURES:
            item.add_marker("database")
        if JOURNEYS in item.path.parents:
            item.add_marker("journey")


def pytest_unconfigure() -> None:
    """Take away this process's data."""
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """What pages keep is kept by rows' keys and times, which another test's rows may share."""
    cache.clear()


@pytest.fixture
def process_env(transactional_db: None) -> dict[str, str]:
    """The environment for a process of our own that is to work on this test's database."""
    database = django_settings.DATABASES["default"]
    name = str(database["NAME"])
    if database["ENGINE"].endswith("sqlite3"):
        url = f"sqlite:///{name}"
    else:
        url = f"postgresql://{database['USER']}@/{name}?host={quote(database['OPTIONS']['host'])}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "conference.settings"}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, running."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def launch_chromium(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """Starts a Chromium of its own with further flags, for instance those of a camera film."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing. 'make test' installs it; or: apt-get install chromium")
    launched: list[Browser] = []

    def launch(*flags: str) -> Browser:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*CHROMIUM_FLAGS, *flags], chromium_sandbox=False
        )
        launched.append(browser)
        return browser

    yield launch
    for browser in launched:
        browser.close()


@pytest.fixture(scope="session")
def browser(launch_chromium: Callable[..., Browser]) -> Browser:
    """The Chromium that all journeys of a process share; each opens a context of its own."""
    return launch_chromium()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A fresh page of a phone's size; addresses are relative to the running site."""
    context = browser.new_context(
        base_url=live_server.url, viewport=PHONE, locale="en-GB", timezone_id="Europe/London"
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def stripe(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A local Stripe of this test's own, which the service speaks to; it sends no webhooks."""
    # The SDK's own wait before it tries a call once more.
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0.01)
    with sandbox.start(webhook_url=None, webhook_secret="whsec_local") as running:
        settings.STRIPE_API_BASE = running.base_url
        yield running


@pytest.fixture
def clock(stripe: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Moves the time on, for the service and for its local Stripe."""
    clock = Clock(stripe)
    monkeypatch.setattr(timezone, "now", clock.now)
    return clock


@pytest.fixture
def smtp(settings: Settings) -> Iterator[MailServer]:
    """A mail server, running, which the service sends its mail by."""
    server = MailServer()
    server.start()
    settings.MAIL_IS_KEPT_LOCALLY = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 5
    yield server
    server.stop()


@pytest.fixture
def calls_inside_transactions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls to Stripe that were made while a database transaction was open."""
    inside: list[str] = []
    request = requests.Session.request

    def watched(self: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
        if connection.in_atomic_block:
            inside.append(f"{method} {url}")
        return request(self, method, url, **more)

    monkeypatch.setattr(requests.Session, "request", watched)
    return inside


@pytest.fixture
def work(db: None) -> Callable[[], int]:
    """Does all that waits in the queue, as a worker would; returns how many tasks there were."""
    return run_queue
