"""Finding by name the people whose code cannot be read: for organisers, a few at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from conference.limits import Limit, take
from conference.matching import has_all_words
from conference.models import User
from tickets.door.words import time_of
from tickets.models import Gate, Order, Ticket

MOST_ROWS = 20
MOST_SEARCHES = 60
WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Row:
    """One person found; `since` is the time of their entry, or empty."""

    ticket: Ticket
    since: str
    may_enter: bool


def may_search(by: User, now: datetime) -> bool:
    """Count one search by this person; False after MOST_SEARCHES within ten minutes."""
    return take(Limit("door-search", str(by.pk), MOST_SEARCHES, WITHIN), now=now)


def search(*, words: str, gate: Gate, now: datetime) -> list[Row]:
    """The first attendees of the gate's conference whose name, or whose order's, has all words."""
    named = has_all_words(words, "attendee_name", "order__name")
    found = (
        Ticket.objects.filter(named, ticket_type__conference=gate.conference)
        .exclude(status=Ticket.Status.RELEASED)
        .with_entry()
        .select_related("order", "ticket_type")
        .order_by("attendee_name", "pk")[:MOST_ROWS]
    )
    rows = []
    for ticket in found:
        entered_at: datetime | None = ticket.entered_at
        is_valid = ticket.status == Ticket.Status.VALID
        is_confirmed = ticket.order.status == Order.Status.CONFIRMED
        rows.append(
            Row(
                ticket,
                since=time_of(entered_at, gate.conference, now) if entered_at else "",
                may_enter=is_valid and is_confirmed and not entered_at,
            )
        )
    return rows
