"""A door in the running site, and the way to it."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests import factories
from tests.journeys.door.steps import NAMES, Opens, log_in
from tickets.models import Gate


@pytest.fixture
def gate(live_server: LiveServer) -> Gate:
    """Main door of a conference for which NAMES have tickets."""
    conference = factories.make_conference(types={"Professional": 50, "Service user or carer": 20})
    factories.make_order(conference, names=NAMES)
    return factories.make_gate(conference)


@pytest.fixture
def open_door(live_server: LiveServer, gate: Gate) -> Opens:
    """Opens the scanner of the gate for somebody of this role."""

    def open_page(page: Page, role: str = "volunteer") -> None:
        log_in(page, live_server.url, role)
        page.goto(f"/door/{gate.slug}/")
        expect(page.locator("[data-camera]")).to_be_visible()

    return open_page
