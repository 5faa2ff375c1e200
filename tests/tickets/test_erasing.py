"""A person who asks to be forgotten."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.utils import timezone

import signup.actions
from donations.models import Donation
from donations.settlement import settle
from sandbox.server import Sandbox
from signup.models import Consent
from tests.factories import make_conference, make_order
from tickets import actions
from tickets.models import Ticket
from tickets.tasks import mail_links

pytestmark = pytest.mark.django_db


def test_erased_person_is_nowhere_in_the_database(
    stripe: Sandbox, work: Callable[[], int], client: Client
) -> None:
    now = timezone.now()
    conference = make_conference()
    order = make_order(
        conference,
        names=("Zebedee Quill", "Quilla Zeb"),
        email="zebedee@example.org",
        gift_pence=1500,
        bulletin_wording="Yes",
    )
    payment = actions.start_payment(order=order, now=now)
    stripe.pay(str(payment.session_id))
    for event in stripe.events:
        body, signature = stripe.signed(event["id"])
        client.post(
            "/stripe/webhook/",
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
    settle(str(payment.session_id), now=now)
    work()
    client.get(f"{order.get_absolute_url()}tickets.pdf")
    work()
    places = _places_of("zebedee", "quill")
    assert {"tickets_order.email", "donations_donation.email", "conference_mail.to"} < set(places)
    # What Stripe tells of people is not written down in the first place.
    assert not [place for place in places if place.startswith("donations_stripeevent.")]
    with pytest.raises(CommandError):
        call_command("erase", "zebedee@example.org")
    conference.ends_at = now
    conference.starts_at = now - timedelta(hours=7)
    conference.save()
    call_command("erase", "Zebedee@Example.org")
    assert _places_of("zebedee", "quill") == []
    assert Donation.objects.get().amount_pence == 1500
    assert Ticket.objects.count() == 2


def test_somebody_booked_by_another_is_nowhere_either(work: Callable[[], int]) -> None:
    now = timezone.now()
    conference = make_conference()
    places = [
        actions.Place(conference.ticket_types.all()[0].pk, "Al Ibi"),
        actions.Place(conference.ticket_types.all()[0].pk, "Zebedee Quill", "zebedee@example.org"),
    ]
    order = actions.reserve(
        conference=conference,
        name="Al Ibi",
        email="al@example.org",
        places=places,
        gift_pence=0,
        submission=uuid.uuid4(),
        now=now,
    )
    mail_links.enqueue("zebedee@example.org")
    work()
    conference.ends_at = now
    conference.starts_at = now - timedelta(hours=7)
    conference.save()
    assert len(_places_of("zebedee")) > 3
    call_command("erase", "zebedee@example.org")
    assert _places_of("zebedee", "quill") == []
    order.refresh_from_db()
    assert (order.name, order.email) == ("Al Ibi", "al@example.org")


def test_erased_address_is_never_signed_up_again() -> None:
    now = timezone.now()
    actions.erase_person(email="zebedee@example.org", now=now)
    subscriber = signup.actions.request(
        email="Zebedee@example.org",
        source=Consent.Source.HOME_PAGE,
        agreed_to="Yes",
        now=now,
    )
    assert subscriber is None


def _places_of(*words: str) -> list[str]:
    """Tables and columns in which any of the words still stands."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            columns = connection.introspection.get_table_description(cursor, table)
            for column in columns:
                cursor.execute(f'SELECT "{column.name}" FROM "{table}"')
                values = " ".join(str(row[0]).lower() for row in cursor.fetchall())
                if any(word in values for word in words):
                    found.append(f"{table}.{column.name}")
    return found
