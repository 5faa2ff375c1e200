"""Every page and every state of it: legible for all, within its width, light and dark."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Route
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from conference import errors
from conference.management.commands.demo import PASSWORD
from conference.models import Conference, Mail, Organisation
from conference.pages import idle
from sandbox.server import Sandbox
from signup import links
from signup.models import Subscriber
from tests.factories import make_order, make_subscriber
from tests.html import path_of
from tests.journeys.look import Look
from tickets import actions
from tickets.models import Order, TicketType

LONG = "Wolfeschlegelsteinhausenbergerdorff" * 6  # no place for a line break in 200 letters


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One context for all: the pages are looked at here, not what a browser remembers."""
    context = browser.new_context(locale="en-GB", timezone_id="Europe/London")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def look(context: BrowserContext, site: LiveServer) -> Iterator[Look]:
    """Looks at pages of the sample site in a fresh tab."""
    context.clear_cookies()
    page = context.new_page()
    yield Look(page, site.url)
    page.close()


def set_conference(**fields: Any) -> Conference:
    Conference.objects.update(**fields)
    return Conference.objects.get()


def order(names: tuple[str, ...] = ("Ada Lovelace",), gift_pence: int = 0) -> Order:
    return make_order(Conference.objects.get(), names=names, gift_pence=gift_pence)


def test_first_page_and_what_it_leads_to(look: Look) -> None:
    look("/", "Listening Together")
    look("/privacy/", "How we look after what you tell us")
    look("/accessibility/", "Accessibility of this site")
    look("/bulletin/", "The Bulletin")
    look("/bulletin/12/", "Slower than planned")
    look("/bulletin/11/", "Who was not in the room?")


def test_first_page_of_an_empty_site(
    context: BrowserContext, live_server: LiveServer, settings: Settings
) -> None:
    settings.TRIAL = False  # no trial bar: as visitors see it
    page = context.new_page()
    look = Look(page, live_server.url)
    look("/", "Welcome")
    look("/bulletin/", "The Bulletin")
    page.close()


def test_first_page_without_a_conference(look: Look) -> None:
    Conference.objects.update(is_published=False)
    look("/", "Northern Open Dialogue Network")


def test_conference_in_every_state(look: Look) -> None:
    conference = Conference.objects.get()
    path, form = f"/{conference.slug}/", f"/{conference.slug}/reserve/"
    look(path, conference.name)
    TicketType.objects.update(capacity=2)
    make_order(conference)
    set_conference(capacity=3)
    look(path, conference.name)
    assert "Few places left" in look.page.inner_text("main")
    assert "1 place left" in look.page.inner_text("main")
    TicketType.objects.update(capacity=0)
    look(path, conference.name)
    look(form, "No places can be reserved now")
    now = timezone.now()
    for fields in (
        {"opens_at": now + timedelta(days=1), "closes_at": now + timedelta(days=2)},
        {"opens_at": now - timedelta(days=2), "closes_at": now - timedelta(days=1)},
        {"starts_at": now - timedelta(days=2), "ends_at": now - timedelta(days=1)},
    ):
        set_conference(**fields)
        look(path, conference.name)
        look(form, "No places can be reserved now")


def test_reservation_form_in_every_state(look: Look) -> None:
    conference = Conference.objects.get()
    page = look(f"/{conference.slug}/reserve/", "Reserve places")
    look.press("Reserve my places")
    look.here("Reserve places")
    page.get_by_label("Your name").fill(LONG)
    page.get_by_label("Your e-mail address").fill("müller@example.org")
    page.get_by_role("button", name="Add another person").click()
    page.get_by_label("Another amount", exact=True).check()
    page.get_by_label("Another amount, in pounds").fill("5000")
    look.press("Reserve my places")
    assert page.locator(".error-summary li").count() == 7
    look.here("Reserve places")


def test_what_is_said_where_consent_is_the_condition(look: Look) -> None:
    Organisation.objects.update(special_category_basis="consent")
    page = look(f"/{Conference.objects.get().slug}/reserve/", "Reserve places")
    assert "By sending this form you agree" in page.inner_text("main")
    look("/privacy/", "How we look after what you tell us")


def test_reservation_form_after_the_places_went(look: Look) -> None:
    conference = Conference.objects.get()
    page = look.page
    page.goto(f"{look.site}/{conference.slug}/reserve/")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    page.get_by_label("Name", exact=True).fill("Ada")
    page.get_by_label("Kind of ticket").select_option(index=1)
    page.get_by_label("No donation this time").check()
    kinds = TicketType.objects.order_by("position")
    kinds.filter(pk=kinds[0].pk).update(capacity=0)
    look.press("Reserve my places")
    look.here("Reserve places")
    assert "Some of these places have just been taken." in page.inner_text(".error-summary")
    assert page.get_by_label("Your name").input_value() == "Ada"
    TicketType.objects.update(capacity=0)
    look.press("Reserve my places")
    look.here("Reserve places")
    assert "The last places have just been taken." in page.inner_text(".error-summary")


def test_order_reserved_waiting_and_changed(look: Look, stripe: Sandbox) -> None:
    reserved = order((LONG[:200], "محمد"), 1500)
    look(reserved.get_absolute_url(), "We keep your places")
    page = look(f"{reserved.get_absolute_url()}amount/", "Change the amount")
    page.get_by_label("Another amount", exact=True).check()
    page.get_by_label("Another amount, in pounds").fill("2,000")
    look.press("Go on with this")
    look.here("Change the amount")
    payment = actions.start_payment(order=reserved, now=timezone.now())
    stripe.pay_later(str(payment.session_id))
    look(f"{reserved.get_absolute_url()}returned/", "Your places are kept")


def test_order_confirmed(look: Look) -> None:
    one = order()
    look(one.get_absolute_url(), "Your ticket")
    look(order(("Ada Lovelace", "Ada Lovelace")).get_absolute_url(), "Your tickets")
    three = order(("Ada Lovelace", LONG[:200], "محمد بن سلمان"))
    path = three.get_absolute_url()
    page = look(path, "Your tickets")
    for summary in page.locator("details summary").all():
        summary.click()
    look.here("Your tickets")
    look(f"{path}tickets.pdf", "Your tickets are being drawn")
    reference = three.tickets.all()[1].reference
    page = look(f"{path}{reference}/cancel/", "Give this place back?")
    look.press("Give the place back")
    look.here("Your tickets")
    page.locator("details summary").first.click()
    page.get_by_label("Name on the ticket").first.fill("W" * 300)
    look.press("Save the change", 0)
    look.here("Correct a name")


def test_order_that_ended(look: Look) -> None:
    conference = Conference.objects.get()
    expired = order(gift_pence=500)
    actions.expire(order=expired, now=expired.expires_at)
    look(expired.get_absolute_url(), "We have released your places")
    TicketType.objects.update(capacity=0)
    look(expired.get_absolute_url(), "We have released your places")
    set_conference(opens_at=timezone.now() - timedelta(days=2), closes_at=timezone.now())
    look(expired.get_absolute_url(), "We have released your places")
    set_conference(closes_at=conference.closes_at)
    TicketType.objects.update(capacity=9)
    cancelled = order()
    actions.cancel_order(order=cancelled, now=timezone.now())
    look(cancelled.get_absolute_url(), "This booking is cancelled")


def test_lost_link(look: Look) -> None:
    page = look("/orders/", "Find my tickets")
    page.get_by_label("Your e-mail address").fill("ada@")
    look.press("Send me the links")
    look.here("Find my tickets")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    look.press("Send me the links")
    look.here("Look in your e-mail")


def test_bulletin_from_signing_up_to_leaving(look: Look, work_through: Callable[[], int]) -> None:
    page = look.page
    page.goto(f"{look.site}/bulletin/")
    look.press("Send me the Bulletin")
    look.here("The Bulletin")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.wait_for_timeout(1000)  # programs are quicker than that, people are not
    look.press("Send me the Bulletin")
    look.here("Look in your e-mail")
    work_through()
    subscriber = Subscriber.objects.get()
    look(path_of(links.confirm_url(subscriber)), "One more step")
    look.press("Yes, send me the Bulletin")
    look.here("You receive the Bulletin")
    look("/bulletin/confirm/nonsense/", "This link no longer works")
    look(path_of(links.unsubscribe_url(subscriber)), "Stop the Bulletin?")
    look.press("Stop the Bulletin")
    look.here("The Bulletin stops")


def test_log_in(look: Look) -> None:
    page = look("/login/", "Log in")
    page.get_by_label("E-mail").fill("door@example.org")
    page.get_by_label("Password").fill("wrong")
    look.press("Log in")
    look.here("Log in")
    page.get_by_label("Password").fill(PASSWORD)
    look.press("Log in")
    page.wait_for_url(re.compile("/door/"))
    look("/desk/", "This page is not open to you")
    look.press("Use another account")
    look.here("Log in")


def test_log_in_after_wrong_tries(look: Look) -> None:
    page = look("/login/", "Log in")
    for _ in range(6):
        page.get_by_label("E-mail").fill("nobody@example.org")
        page.get_by_label("Password").fill("wrong")
        look.press("Log in")
    assert "The wrong password has been entered several times." in page.inner_text("[role=alert]")
    look.here("Log in")


def test_password_forgotten_and_chosen_anew(look: Look, work_through: Callable[[], int]) -> None:
    page = look("/login/", "Log in")
    page.get_by_role("link", name="Forgotten your password?").click()
    look.here("Forgotten your password?")
    look.press("Send me the link")
    look.here("Forgotten your password?")
    page.get_by_label("Your e-mail address").fill("door@example.org")
    look.press("Send me the link")
    look.here("Look in your e-mail")
    work_through()
    path = re.search(r"/password/new/\S+", Mail.objects.get().text)
    assert path is not None
    look(path[0], "Choose a new password")
    page.get_by_label("New password", exact=True).fill("conference")
    page.get_by_label("New password again").fill("conference")
    look.press("Save my new password")
    look.here("Choose a new password")
    page.get_by_label("New password", exact=True).fill("kettle umbrella fox")
    page.get_by_label("New password again").fill("kettle umbrella fox")
    look.press("Save my new password")
    look.here("Log in")
    look(path[0], "This link no longer works")
    page.goto(f"{look.site}/login/")
    page.get_by_label("E-mail").fill("door@example.org")
    page.get_by_label("Password").fill("kettle umbrella fox")
    look.press("Log in")
    page.get_by_role("link", name="Change my password").click()
    look.here("Change my password")


def test_form_of_a_desk_left_idle(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    page = look("/login/", "Log in")
    page.get_by_label("E-mail").fill("organiser@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    look.press("Log in")
    page.goto(f"{look.site}/admin/conference/user/add/")
    page.get_by_label("E-mail").fill("new@example.org")
    monkeypatch.setattr(idle, "ENDS_AFTER", timedelta(seconds=-1))
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    look.here("Log in again")
    look("/login/", "Log in again")


def test_outbox(look: Look, work_through: Callable[[], int]) -> None:
    look("/outbox/", "Outbox")
    order((LONG[:200], "محمد"), 0)
    make_subscriber()
    work_through()
    look("/outbox/", "Outbox")
    for mail in Mail.objects.all():
        look(f"/outbox/{mail.pk}/", mail.subject)


def test_errors(look: Look, context: BrowserContext) -> None:
    look("/no-such-page/", "There is no page here")
    page = look("/logout/", "Nothing to see here")
    page.goto(f"{look.site}/orders/")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    context.clear_cookies()
    look.press("Send me the links")
    look.here("Please send that again")
    page.goto(look.site + order().get_absolute_url())
    context.clear_cookies()
    look.press("Send the e-mail again")
    look.here("Please send that again")


@pytest.mark.parametrize(
    ("error", "heading"),
    [
        (BadRequest(), "We could not read that"),
        (PermissionDenied(), "This page is not open to you"),
        (errors.TooOften(), "Please wait a little"),
        (RuntimeError(), "Something went wrong on our side"),
        (OperationalError(), "Too much at once"),
    ],
)
def test_error_of_a_view(look: Look, error: Exception, heading: str) -> None:
    request = RequestFactory().post("/somewhere/", {"name": "Ada", "email": "ada@example.org"})
    request.user = AnonymousUser()
    handle = errors.branded_errors(lambda _: None).process_exception  # type: ignore[arg-type, attr-defined, return-value]
    body = handle(request, error).content.decode()

    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="text/html; charset=utf-8")

    look.page.route("**/somewhere/", answer)
    look("/somewhere/", heading)
