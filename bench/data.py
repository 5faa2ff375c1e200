"""Rows in bulk, written in a site's settings by `python -m bench.within`.

A bench needs more rows than the form could make in an hour, so these are written without the
actions. Nothing but the benchmarks may do that.
"""

import uuid
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from conference.models import Conference
from tickets import actions
from tickets.models import Order, Ticket, TicketType
from tickets.tasks import mail_links

AN_ORDER = 2  # tickets
BATCH = 2_000  # rows in one statement


def fill(*, places: int, taken: int) -> dict[str, Any]:
    """Give the sample conference so many places, and take some of those that are not online.

    Returns its slug, the keys of its ticket types, and the signed codes of the new tickets.
    """
    conference = Conference.objects.get()
    conference.capacity = places
    conference.save()
    conference.ticket_types.update(capacity=places)
    tickets = _take(conference, list(conference.ticket_types.filter(is_online=False)), taken)
    if connection.vendor == "postgresql":
        # The server would do so by itself within a minute.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return {
        "slug": conference.slug,
        "types": list(conference.ticket_types.values_list("pk", flat=True)),
        "codes": [ticket.code for ticket in tickets],
    }


def book(*, count: int) -> None:
    """Reserve so many places by the action itself, one a booking, whose tickets are to be drawn."""
    conference = Conference.objects.get()
    kind = conference.ticket_types.all()[0]
    for number in range(count):
        actions.reserve(
            conference=conference,
            name=f"Booker {number}",
            email=f"booker{number}@example.org",
            places=[actions.Place(kind.pk, f"Booker {number}")],
            gift_pence=0,
            submission=uuid.uuid4(),
            now=timezone.now(),
        )


def ask_for_link(*, email: str) -> None:
    """Have the links to their orders mailed to somebody."""
    mail_links.enqueue(email)


@transaction.atomic
def _take(conference: Conference, kinds: list[TicketType], count: int) -> list[Ticket]:
    """Confirmed orders with so many valid tickets, of these types in turn."""
    now = timezone.now()
    orders = Order.objects.bulk_create(
        (
            Order(
                conference=conference,
                name=f"Visitor {number}",
                email=f"visitor{number}@example.org",
                status=Order.Status.CONFIRMED,
                created_at=now,
                expires_at=now,
                confirmed_at=now,
                mailed_at=now,
            )
            for number in range(-(-count // AN_ORDER))
        ),
        batch_size=BATCH,
    )
    return Ticket.objects.bulk_create(
        (
            Ticket(
                order=orders[number // AN_ORDER],
                ticket_type=kinds[number % len(kinds)],
                serial=number // len(kinds) + 1,
                attendee_name=f"Visitor {number}",
                attendee_email=f"visitor{number}@example.org" if number % 2 else "",
                status=Ticket.Status.VALID,
            )
            for number in range(count)
        ),
        batch_size=BATCH,
    )
