"""Two years in fast motion: somebody books, gives and comes, and in the end nothing names them."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

import signup.actions
from conference.desk import figures
from conference.management.commands.sweep import sweep
from conference.models import AuditEntry, Conference, User
from donations.models import Payment
from donations.settlement import settle
from sandbox.server import Sandbox
from signup.models import Consent, Subscriber
from tests.clock import Clock
from tests.factories import make_conference, make_gate, make_user
from tests.remains import places_of
from tickets import actions
from tickets.door.counts import counts
from tickets.models import Order, Scan, Ticket

pytestmark = pytest.mark.django_db

# Of everybody in the year below.
NAMES = ("zebedee", "quill")
STAFF = ("vera", "vesper")


def test_two_years_in_fast_motion(stripe: Sandbox, clock: Clock, work: Callable[[], int]) -> None:
    conference = make_conference(types={"Professional": 50, "Service user or carer": 50})
    vera = make_user("volunteer", email="vera@example.org", first_name="Vera", last_name="Vesper")
    order = book(conference, stripe, clock)
    work()
    Client().get(f"{order.get_absolute_url()}tickets.pdf")
    work()
    reader = Subscriber.objects.get(email="zebedee@example.org")
    signup.actions.confirm(subscriber=reader, now=clock.now())
    come(order, by=vera, now=clock.advance(days=60))
    search(Client(), clock)
    actions.resend(order=order, by=vera, now=clock.now())
    work()
    unsubscribe(reader, clock)
    left = {"conference_mail.to", "tickets_ticket.attendee_name", "django_session, unpacked"}
    assert left <= set(places_of(*NAMES))
    figures_then = figures_of(conference)
    assert (figures_then["in"], figures_then["received_pence"]) == (2, 1500)

    run(clock, days=60)  # mails, PDFs and searches are gone, the scans are not
    assert {place.split(".")[0] for place in places_of(*NAMES)} == {
        *("tickets_order", "tickets_ticket", "donations_donation", "donations_payment"),
        "signup_subscriber",
    }
    assert Scan.objects.count() == 2
    run(clock, days=32)
    assert (Scan.objects.count(), figures_of(conference)) == (0, figures_then)

    run(clock, days=240)  # eleven months
    assert "tickets_order.name" in places_of(*NAMES)
    User.objects.filter(pk=vera.pk).update(is_active=False)
    run(clock, days=35)
    assert {place.split(".")[0] for place in places_of(*NAMES)} == {"signup_subscriber"}
    assert figures_of(conference) == figures_then
    order.refresh_from_db()
    assert (order.status, order.donation.amount_pence) == ("confirmed", 1500)  # type: ignore[union-attr]
    assert Payment.objects.get().payment_intent_id

    run(clock, days=70)  # a year after the day on which Vera last did something
    assert places_of(*STAFF) == []
    run(clock, days=300)
    assert places_of(*NAMES) == []
    assert Consent.objects.count() == 0
    assert figures_of(conference) == figures_then
    before = AuditEntry.objects.count()
    run(clock, days=1)
    assert AuditEntry.objects.count() == before, "done once"


def book(conference: Conference, stripe: Sandbox, clock: Clock) -> Order:
    """Zebedee books for two and gives £15."""
    first, second = conference.ticket_types.all()
    order = actions.reserve(
        conference=conference,
        name="Zebedee Quill",
        email="zebedee@example.org",
        places=[
            actions.Place(first.pk, "Zebedee Quill"),
            actions.Place(second.pk, "Quilla Zebedee", "quilla@example.org"),
        ],
        gift_pence=1500,
        bulletin_wording="Yes",
        submission=uuid.uuid4(),
        now=clock.now(),
    )
    payment = actions.start_payment(order=order, now=clock.now())
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=clock.now())
    order.refresh_from_db()
    return order


def come(order: Order, *, by: User, now: Any) -> None:
    gate = make_gate(order.conference)
    for ticket in order.tickets.all():
        actions.scan(scan_id=uuid.uuid4(), text=ticket.code, gate=gate, by=by, now=now)


def search(client: Client, clock: Clock) -> None:
    client.force_login(make_user("organiser", email="olive@example.org"))
    client.post("/desk/attendees/", {"words": "zebedee"})


def unsubscribe(reader: Subscriber, clock: Clock) -> None:
    source = Consent.Source.ONE_CLICK
    signup.actions.unsubscribe(subscriber=reader, source=source, now=clock.now())


def run(clock: Clock, days: int) -> None:
    """So many days go by, with a sweep at the end of each ten."""
    for _ in range(0, days, 10):
        sweep(clock.advance(days=min(10, days)))


def figures_of(conference: Conference) -> dict[str, Any]:
    """All that the desk tells of a conference."""
    return {
        "places": figures.places(conference),
        **vars(figures.gifts(conference)),
        **counts(conference),
        "tickets": Ticket.objects.count(),
    }
