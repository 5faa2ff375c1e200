"""Every page that visitors see, with axe, narrow and wide, in the light and the dark scheme."""

from datetime import timedelta
from typing import Literal

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from conference.models import Conference
from tests.factories import make_order
from tests.journeys.conftest import AXE
from tickets import actions

# Contrast of 7:1 and large targets are promised on the accessibility page.
RULES = {"rules": {name: {"enabled": True} for name in ("color-contrast-enhanced", "target-size")}}
PATHS = (
    *("/", "/privacy/", "/accessibility/", "/bulletin/", "/bulletin/12/", "/orders/"),
    *("/login/", "/outbox/", "/nothing-here/", "/orders/foreign/"),
    *("/bulletin/confirm/broken/", "/bulletin/unsubscribe/broken/"),
)


LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff" * 5


@pytest.fixture
def order_paths(conference: Conference) -> list[str]:
    """The pages of one order of each state, and those that lead on from there."""
    now = timezone.now()
    confirmed = make_order(conference, names=("Łucja Nguyễn", "محمد", LONG_NAME))
    reserved, expired = (make_order(conference, gift_pence=1500) for _ in range(2))
    actions.expire(order=expired, now=now + timedelta(days=1))
    cancelled = make_order(conference)
    for ticket in cancelled.tickets.all():
        actions.cancel_ticket(ticket=ticket, now=now)
    ticket = confirmed.tickets.all()[2]
    paths = [order.get_absolute_url() for order in (confirmed, reserved, expired, cancelled)]
    return [
        *paths,
        reverse("tickets:change_amount", args=[reserved.secret]),
        reverse("tickets:cancel_ticket", args=[confirmed.secret, ticket.reference]),
        reverse("tickets:order_pdf", args=[confirmed.secret]),
    ]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark"), (320, "dark")])
def test_pages_have_nothing_that_axe_finds(
    browser: Browser,
    site: LiveServer,
    conference: Conference,
    order_paths: list[str],
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    context = browser.new_context(
        base_url=site.url, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page = context.new_page()
    found = []
    for path in (*PATHS, f"/{conference.slug}/", f"/{conference.slug}/reserve/", *order_paths):
        page.goto(path)
        found += [f"{path}: {problem}" for problem in _problems(page)]
    context.close()
    assert found == []


def _problems(page: Page) -> list[str]:
    """What axe finds on the page, and whether it scrolls sideways."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        "async rules => (await axe.run(rules)).violations"
        ".map(v => v.id + ': ' + v.nodes.map(n => n.target).join(' '))",
        RULES,
    )
    too_wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return [*found, f"{too_wide} px too wide"] if too_wide > 0 else found
