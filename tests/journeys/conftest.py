"""A whole running site for a person's journey: live server, local Stripe, queue, sample data."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from conference.models import Conference
from sandbox import server as sandbox
from sandbox.server import Sandbox
from tests.journeys.sideways import scrolls_sideways_by
from tests.queue import run_queue

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def site(live_server: LiveServer, settings: Settings) -> LiveServer:
    """The running site with the sample conference; its links lead back to it."""
    settings.TRIAL = True
    settings.BASE_URL = live_server.url
    call_command("demo", stdout=StringIO())
    return live_server


@pytest.fixture
def conference(site: LiveServer) -> Conference:
    """The sample conference."""
    return Conference.objects.get()


@pytest.fixture
def stripe_with_webhooks(site: LiveServer, settings: Settings) -> Iterator[Sandbox]:
    """A local Stripe that the running site speaks to, and that tells it of what happens."""
    policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
    with sandbox.start(
        webhook_url=f"{site.url}/stripe/webhook/",
        webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
    ) as running:
        settings.STRIPE_API_BASE = running.base_url
        policy["DIRECTIVES"]["form-action"] = ["'self'", running.base_url]
        settings.CONTENT_SECURITY_POLICY = policy
        yield running


@pytest.fixture
def work_through(transactional_db: None) -> Callable[[], int]:
    """Does all that waits in the queue, as the worker would."""
    return run_queue


@pytest.fixture
def check_page() -> Callable[[Page], None]:
    """Fails where axe finds a violation, or where the page scrolls sideways."""

    def check(page: Page) -> None:
        page.evaluate(AXE.read_text())
        found = page.evaluate(
            "async () => (await axe.run()).violations"
            ".map(v => v.id + ': ' + v.nodes.map(n => n.target).join(' '))"
        )
        assert found == [], f"{page.url}: {found}"
        beyond = scrolls_sideways_by(page)
        assert beyond <= 0, f"{page.url} scrolls sideways by {beyond} px"

    return check


def main_heading(page: Page) -> str:
    """What the page says it is."""
    return re.sub(r"\s+", " ", page.locator("h1").first.inner_text()).strip()
