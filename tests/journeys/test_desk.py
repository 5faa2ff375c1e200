"""The desk as an organiser uses it: finding somebody, putting things right, nothing in the way."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from conference.clocks import Trouble
from conference.models import Conference, Heartbeat, Mail, Restore, User
from donations.models import Donation, Payment, Refund, StripeEvent
from tests.factories import make_gate, make_order, make_user
from tickets import actions
from tickets.models import Order

Check = Callable[[Page], None]
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def organiser(site: LiveServer) -> User:
    """Olive, an organiser."""
    return make_user(email="olive@example.org", first_name="Olive", may_configure=True)


@pytest.fixture
def desk(page: Page, site: LiveServer, organiser: User) -> Page:
    """A browser in which Olive is logged in."""
    client = Client()
    client.force_login(organiser)
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "url": site.url}
    page.context.add_cookies([cookie])
    return page


@pytest.fixture
def order(conference: Conference, organiser: User) -> Order:
    """A confirmed order of three, one of whom is in, after a full life."""
    order = make_order(
        conference,
        names=("Łucja Nguyễn", "محمد بن عبد الله", "Wolfeschlegelsteinhausenbergerdorff " * 5),
        name="Łucja Nguyễn",
        email="a.very.long.address.of.somebody.at.a.long.domain@conference-organisers.example.org",
    )
    now = timezone.now()
    first = order.tickets.all()[0]
    actions.correct_name(ticket=first, attendee_name="Łucja Nguyễn-Ó", by=organiser, now=now)
    actions.reissue(ticket=order.tickets.all()[1], by=organiser, now=now)
    gate = conference.gates.first() or make_gate(conference)
    actions.scan(scan_id=uuid.uuid4(), text=first.reference, gate=gate, by=organiser, now=now)
    return order


@pytest.fixture
def troubles(conference: Conference) -> None:
    """One matter of each kind that a person must look at."""
    now = timezone.now()
    parked, refunded = (make_order(conference, names=(n,), gift_pence=1500) for n in ("Bo", "Cy"))
    assert parked.donation
    assert refunded.donation
    for number, (donation, status) in enumerate(
        ((parked.donation, Payment.Status.PARKED), (refunded.donation, Payment.Status.PAID))
    ):
        Payment.objects.create(
            donation=donation,
            amount_pence=1500,
            status=status,
            request_body={"mode": "payment", "customer_email": "bo@example.org"},
            session_id=f"cs_test_{'a1b2c3d4' * 7}{number}",
            payment_intent_id=f"pi_{number}",
            session_expires_at=now,
            check_at=now,
            created_at=now,
            paid_at=now,
            problem="The session is over 1600p." if not number else "",
        )
    Donation.objects.filter(pk=refunded.donation.pk).update(status="received", received_at=now)
    Refund.objects.create(
        payment=Payment.objects.get(payment_intent_id="pi_1"),
        amount_pence=1500,
        reason=Refund.Reason.ASKED,
        status=Refund.Status.FAILED,
        created_at=now,
        check_at=now,
        problem="The card is closed.",
    )
    StripeEvent.objects.create(
        event_id="evt_1",
        type="charge.dispute.created",
        about_id="dp_1",
        payment_intent_id="pi_1",
        outcome=StripeEvent.Outcome.ATTENTION,
        received_at=now,
    )
    StripeEvent.objects.create(
        event_id="cs_1",
        type="checkout.session.completed",
        about_id="cs_1",
        outcome=StripeEvent.Outcome.ATTENTION,
        problem="Booking ABCD-EFGH, £15, paid, page opened on 12 November 2026, 10:05.",
        received_at=now,
    )
    Restore.objects.create(backup_at=now - timedelta(days=1), noticed_at=now)
    Heartbeat.objects.create(name=Trouble.LEAPT, seen_at=now)
    for number in range(2):
        Mail.objects.create(
            key=f"failed:{number}",
            about=parked.reference,
            to="bo@exmaple.org",
            sender="tickets@example.org",
            subject="Your tickets for Listening Together",
            text="…",
            status=Mail.Status.FAILED,
            attempts=13,
            next_try_at=now,
            created_at=now - timedelta(minutes=number),
            last_error="SMTPRecipientsRefused: {'bo@exmaple.org': (550, b'No such user')}",
        )


def _pages(order: Order) -> list[str]:
    one = f"/desk/orders/{order.reference}/"
    return [
        *(
            "/desk/",
            "/desk/orders/",
            "/desk/attendees/",
            "/desk/mails/",
            "/desk/mails/?status=sent",
        ),
        *("/desk/attention/", "/desk/audit/", "/desk/audit/?by=staff"),
        *(one, f"{one}cancel/", f"{one}1/name/", f"{one}2/cancel/", f"{one}2/replace/"),
    ]


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "desktop"])
def test_desk_pages_are_accessible_and_fit(
    desk: Page, order: Order, troubles: None, check_page: Check, size: dict[str, int]
) -> None:
    desk.set_viewport_size(size)
    for address in _pages(order):
        desk.goto(address)
        check_page(desk)


def test_desk_finds_corrects_and_sends_again(
    desk: Page, order: Order, work_through: Callable[[], int]
) -> None:
    desk.goto("/desk/")
    desk.get_by_role("link", name="Attendees", exact=True).click()
    desk.get_by_label("Name, e-mail or code").fill("محمد")
    with desk.expect_navigation():
        desk.get_by_role("button", name="Show").click()
    assert "محمد" not in desk.url
    desk.get_by_role("row").get_by_role("link").click()
    desk.get_by_role("link", name=re.compile("Correct the name.*محمد")).click()
    desk.get_by_label("Name on the ticket").fill("محمد علي")
    desk.get_by_role("button", name="Save the change").click()
    expect(desk.get_by_role("status")).to_have_text("That is changed. A printed ticket stays good.")
    desk.get_by_role("button", name="Send the tickets again").click()
    expect(desk.get_by_role("status")).to_have_text("The tickets are on their way again.")
    assert order.tickets.all()[1].attendee_name == "محمد علي"
    work_through()
    assert Mail.objects.filter(about=order.reference).latest("created_at").to == order.email


def test_desk_gives_the_list_as_a_file(desk: Page, order: Order) -> None:
    desk.goto("/desk/attendees/")
    with desk.expect_download() as download:
        desk.get_by_role("button", name="CSV").click()
    year = order.conference.slug
    assert download.value.suggested_filename == f"attendees-{year}.csv"
    assert "محمد" in download.value.path().read_text("utf-8-sig")


def test_desk_shows_an_order_that_was_erased(desk: Page, order: Order, check_page: Check) -> None:
    now = timezone.now()
    Conference.objects.update(starts_at=now - timedelta(days=1), ends_at=now)
    actions.erase_person(email=order.email, now=now)
    for size in (PHONE, WIDE):
        desk.set_viewport_size(size)
        desk.goto(f"/desk/orders/{order.reference}/")
        check_page(desk)
    expect(desk.get_by_text("The names and the address of this order were erased.")).to_be_visible()
    expect(desk.get_by_role("link", name="Correct the name")).to_have_count(0)


def test_desk_log_out(desk: Page) -> None:
    desk.goto("/desk/")
    with desk.expect_navigation():
        desk.get_by_role("button", name="Log out").click()
    desk.goto("/desk/")
    assert "/login/" in desk.url


@pytest.mark.parametrize("page_of", ["", "conference/conference/add/", "conference/user/add/"])
def test_settings_pages_keep_to_the_policy(desk: Page, page_of: str) -> None:
    said: list[str] = []
    desk.on("console", lambda line: said.append(line.text))
    desk.goto(f"/admin/{page_of}")
    expect(desk.locator("#site-name")).to_have_text("Settings")
    assert [line for line in said if "Content Security Policy" in line] == []
