"""What people and scanners do at the door."""

from collections.abc import Callable

from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from tests import factories
from tickets.models import Ticket

Opens = Callable[..., None]
NAMES = ("Ada Lovelace", "Łucja Nowak", "محمد")


def ticket_of(name: str) -> Ticket:
    return Ticket.objects.get(attendee_name=name)


def log_in(page: Page, url: str, role: str = "volunteer") -> None:
    """Give the page the session of somebody of this role."""
    client = Client()
    client.force_login(factories.make_user(role))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])


def result(page: Page, title: str) -> None:
    """Wait until the screen is full of this word."""
    expect(page.locator("[data-result] [data-title]")).to_have_text(title)
    expect(page.locator("[data-result]")).to_be_visible()


def type_code(page: Page, code: str) -> None:
    page.get_by_label("Short code").fill(code)
    page.get_by_role("button", name="Check", exact=True).click()


def scanner_types(
    page: Page,
    text: str,
    *,
    gap_ms: float = 8,
    end: str | None = "Enter",
    after: float | None = None,
) -> float:
    """Press keys as a keyboard scanner does, at times of our own choosing.

    Returns the time of the last key; a scan goes on `after` it, however long the test took.
    """
    keyboard = page.context.new_cdp_session(page)
    at = timezone.now().timestamp() if after is None else after
    ends = {"Enter": "\r", "Tab": ""}
    for key in [*text, *([end] if end else [])]:
        at += gap_ms / 1000
        letters = ends.get(key, key)
        press = {"key": key, "code": "", "timestamp": at}
        if key in ends:
            press["windowsVirtualKeyCode"] = {"Enter": 13, "Tab": 9}[key]
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": letters, **press})
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **press})
    return at


def hold(page: Page, address: str) -> list[Route]:
    """Hold back what the page asks first of this address, until the test lets it go on."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(address, keep, times=1)
    return held


def until(page: Page, condition: str) -> None:
    """Wait until JavaScript is true; Playwright's own way breaks on a page's strict policy."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")
