"""From the first page to 'already in': the main job, as one person after the other does it."""

import re
from collections.abc import Callable
from io import BytesIO

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from conference.management.commands.demo import PASSWORD
from conference.models import Mail
from donations.models import Donation
from sandbox.server import Sandbox
from signup.models import Subscriber
from tickets.models import Ticket

Check = Callable[[Page], None]


def test_main_job_from_home_to_already_in(
    page: Page,
    site: LiveServer,
    stripe_with_webhooks: Sandbox,
    work_through: Callable[[], int],
    check_page: Check,
) -> None:
    page.goto("/")
    check_page(page)
    page.get_by_role("link", name="See the conference and get tickets").click()
    check_page(page)
    page.get_by_role("link", name="Reserve my places").click()
    check_page(page)
    _fill_in(page, "Amina Yusuf", "amina@example.org")
    page.get_by_role("button", name="Add another person").click()
    second = page.get_by_role("group", name="Person 2")
    second.get_by_label("Name").fill("Łucja Nguyễn")
    second.get_by_label("Kind of ticket").select_option(index=2)
    page.get_by_label("£15").check()
    page.get_by_label("Please also send me the Bulletin").check()
    expect(page.locator("[data-total]")).to_contain_text("2 places, with a donation of £15")
    page.get_by_role("button", name="Reserve my places").last.click()
    page.get_by_role("button", name=re.compile("Pay")).first.click()
    expect(page.locator("h1")).to_have_text(re.compile("Your tickets"))
    check_page(page)
    stripe_with_webhooks.wait_for_webhooks()
    work_through()

    page.goto("/outbox/")
    check_page(page)
    page.get_by_role("link", name=re.compile("^Your tickets")).click()
    check_page(page)
    with page.expect_popup() as popup:
        page.frame_locator("iframe").get_by_role("link", name="Confirm the Bulletin").click()
    confirm = popup.value
    check_page(confirm)
    assert Subscriber.objects.get().status == Subscriber.Status.PENDING
    confirm.get_by_role("button", name="Yes, send me the Bulletin").click()
    expect(confirm.locator("h1")).to_have_text("You receive the Bulletin")
    assert Subscriber.objects.get().status == Subscriber.Status.CONFIRMED
    assert Donation.objects.get().status == Donation.Status.RECEIVED

    tickets = list(Ticket.objects.order_by("pk"))
    assert _codes_in_pdf() == [ticket.code for ticket in tickets]
    page.goto("/door/")
    page.get_by_label("E-mail").fill("door@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Main door").click()
    for word in ("Admitted", "Already in"):
        page.get_by_label("Short code").fill(tickets[0].reference.lower())
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("heading", name=word)).to_be_visible()
        page.keyboard.press("Escape")
    assert Mail.objects.filter(status=Mail.Status.SENT).count() == Mail.objects.count()


@pytest.mark.parametrize("width", [390, 1280])
def test_reserve_without_javascript(
    browser: Browser,
    site: LiveServer,
    stripe_with_webhooks: Sandbox,
    check_page: Check,
    width: int,
) -> None:
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="See the conference and get tickets").click()
    page.get_by_role("link", name="Reserve my places").click()
    _fill_in(page, "Amina Yusuf", "amina@example.org")
    page.get_by_role("button", name="Add another person").click()
    second = page.get_by_role("group", name="Person 2")
    second.get_by_label("Name").fill("Sam")
    assert page.get_by_label("Your name").input_value() == "Amina Yusuf"
    page.get_by_label("£5").check()
    page.get_by_role("button", name="Reserve my places").last.click()
    expect(page.locator(".error-summary")).to_contain_text("Person 2: Choose a kind of ticket.")
    second.get_by_label("Kind of ticket").select_option(index=1)
    page.get_by_role("button", name="Reserve my places").last.click()
    page.get_by_role("link", name=re.compile("Back|Cancel")).or_(
        page.get_by_role("button", name=re.compile("Back|Cancel"))
    ).first.click()
    expect(page.locator("h1")).to_have_text("We keep your places")
    page.get_by_role("button", name="Take the tickets without a donation").click()
    expect(page.locator("h1")).to_have_text("Your tickets")
    context.close()


def test_reserve_by_keyboard_alone(page: Page, site: LiveServer) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    _tab_to(page, "link", "See the conference and get tickets")
    page.keyboard.press("Enter")
    _tab_to(page, "link", "Reserve my places")
    page.keyboard.press("Enter")
    _tab_to(page, "textbox", "Your name")
    page.keyboard.type("Amina Yusuf")
    page.keyboard.press("Tab")
    page.keyboard.type("amina@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type("Amina Yusuf")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    _tab_to(page, "radio", "£5")
    page.keyboard.press("ArrowUp")  # round to the last choice: no donation
    expect(page.get_by_label("No donation this time")).to_be_checked()
    _tab_to(page, "button", "Reserve my places")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Your ticket")


def _fill_in(page: Page, name: str, email: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail address").fill(email)
    first = page.get_by_role("group", name="Person 1")
    first.get_by_label("Name").fill(name)
    first.get_by_label("Kind of ticket").select_option(index=1)


def _tab_to(page: Page, role: str, name: str) -> None:
    """Press Tab until the element is focused, as somebody without a mouse would."""
    wanted = page.get_by_role(role, name=name).last  # type: ignore[arg-type]
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def _codes_in_pdf() -> list[str]:
    """What a scanner reads in the PDF that was mailed, page by page."""
    mail = Mail.objects.get(subject__startswith="Your tickets")
    content = mail.attachments.get(mime_type="application/pdf").content
    pages = pypdfium2.PdfDocument(BytesIO(bytes(content)))
    return [zxingcpp.read_barcode(page.render(scale=3).to_numpy()).text for page in pages]
