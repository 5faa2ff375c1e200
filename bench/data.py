"""Rows in bulk, written in the site's own settings by `python -m bench.inside`.

Load wants more rows than people would make in an hour by the form, so these are written past the
actions. Nothing but the benchmarks may do that.
"""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from conference.models import Conference
from tickets.models import Order, Ticket, TicketType

# More places than a benchmark can take.
PLENTY = 10_000_000
PLACES_AN_ORDER = 2
GOES = 20


def roomy(places: int = PLENTY) -> dict[str, Any]:
    """Give the sample conference so many places; returns its slug and its ticket types' keys."""
    conference = Conference.objects.order_by("pk")[0]
    conference.capacity = places
    conference.save()
    conference.ticket_types.update(capacity=places)
    return _about(conference)


def crowd(taken: int) -> dict[str, Any]:
    """Add a conference like the sample's, with plenty of places and so many of them taken."""
    roomy()
    conference = Conference.objects.order_by("pk")[0]
    types = list(conference.ticket_types.all())
    conference.pk = None
    conference.slug = f"taken-{taken}"
    conference.save()
    for kind in types:
        kind.pk = None
        kind.conference = conference
        kind.save()
    _fill(conference, types, taken)
    return _about(conference)


def tickets(count: int) -> list[str]:
    """Fill the sample conference with so many valid tickets; returns their signed codes."""
    roomy()
    conference = Conference.objects.order_by("pk")[0]
    kinds = list(conference.ticket_types.filter(is_online=False))
    return [ticket.code for ticket in _fill(conference, kinds, count)]


def _about(conference: Conference) -> dict[str, Any]:
    kinds = conference.ticket_types.values_list("pk", flat=True)
    return {"slug": conference.slug, "types": list(kinds)}


def _fill(conference: Conference, kinds: list[TicketType], count: int) -> list[Ticket]:
    """Confirmed orders of two tickets each, of all types in turn; their tickets.

    Written in several goes, as such a table grows over weeks: PostgreSQL tidies up in between, and
    fills with the next rows what is left of each page.
    """
    made: list[Ticket] = []
    step = -(-count // GOES)
    for first in range(0, count, step):
        made += _write(conference, kinds, range(first, min(first + step, count)))
        if connection.vendor == "postgresql":
            # The server would do it by itself within a minute.
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
    return made


def _name(number: int) -> str:
    """A name of 5 to 30 letters: rows of one length would leave the same gap on every page."""
    return f"{number} {'Ada Wilhelmina Lovelace-Byron'[: 3 + number * 7 % 22]}"


@transaction.atomic
def _write(conference: Conference, kinds: list[TicketType], numbers: range) -> list[Ticket]:
    now = timezone.now()
    orders = Order.objects.bulk_create(
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
        for number in numbers[::PLACES_AN_ORDER]
    )
    return Ticket.objects.bulk_create(
        Ticket(
            order=orders[index // PLACES_AN_ORDER],
            ticket_type=kinds[number % len(kinds)],
            serial=number // len(kinds) + 1,
            attendee_name=_name(number),
            attendee_email=f"attendee{number}@example.org" if number % 2 else "",
            status=Ticket.Status.VALID,
        )
        for index, number in enumerate(numbers)
    )
