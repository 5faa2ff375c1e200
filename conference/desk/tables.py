"""What is in the exported files. Rows are read from the database while a file is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Q, Value, When
from django.utils.translation import gettext as _

from conference.desk import search
from conference.desk.words import STATES
from conference.models import Conference
from donations.models import Donation
from tickets.models import Order, Ticket

Cell = str | int | Decimal | datetime | None
# How many rows are in memory at a time.
CHUNK = 1000


@dataclass(frozen=True)
class Table:
    """Headings, and as many rows as there are; times are in the conference's zone."""

    headings: list[str]
    rows: Iterator[list[Cell]]


def attendees(
    conference: Conference, wanted: dict[str, Any], *, with_private: bool = False
) -> Table:
    """One row for each ticket, those that the list of attendees would show.

    The names of private kinds are left out, unless `with_private`.
    """
    name = F("ticket_type__name")
    public = Case(When(ticket_type__is_private=False, then=name), default=Value(""))
    found = search.attendees(conference, wanted)
    rows = found.annotate(kind=name if with_private else public).values_list(
        "attendee_name",
        "attendee_email",
        "kind",
        "status",
        "entered_at",
        "entered_by_gate",
        "reference",
        "order__reference",
        "order__name",
        "order__email",
        "order__confirmed_at",
    )
    headings = [
        _("Attendee"),
        _("Attendee's e-mail"),
        _("Kind of ticket"),
        _("State"),
        _("Checked in"),
        _("Gate"),
        _("Ticket"),
        _("Order"),
        _("Ordered by"),
        _("E-mail"),
        _("Confirmed"),
    ]
    return Table(headings, _shaped(rows, conference, words={3: _labels(Ticket.Status)}))


def orders(conference: Conference, wanted: dict[str, Any]) -> Table:
    """One row for each order, those that the list of orders would show."""
    rows = (
        search.orders(conference, wanted)
        .annotate(places=Count("tickets", filter=Q(tickets__status__in=Ticket.HOLDING)))
        .values_list(
            "reference",
            "status",
            "name",
            "email",
            "places",
            "donation__amount_pence",
            "donation__status",
            "wants_bulletin",
            "created_at",
            "confirmed_at",
            "ended_at",
        )
    )
    headings = [
        _("Order"),
        _("State"),
        _("Name"),
        _("E-mail"),
        _("Places"),
        _("Donation in pounds"),
        _("State of the donation"),
        _("Asked for the Bulletin"),
        _("Reserved"),
        _("Confirmed"),
        _("Ended"),
    ]
    words: dict[int, dict[Any, str]] = {
        1: _labels(Order.Status),
        6: _labels(Donation.Status),
        7: {True: _("yes"), False: _("no")},
    }
    return Table(headings, _shaped(rows, conference, words=words, pence=5))


def _labels(choices: Any) -> dict[Any, str]:
    return {value: str(STATES.get(value, label)) for value, label in choices.choices}


def _shaped(
    rows: Any, conference: Conference, *, words: dict[int, dict[Any, str]], pence: int | None = None
) -> Iterator[list[Cell]]:
    """The rows with words, pounds and local times in place of the stored values."""
    zone = conference.zone
    for stored in rows.iterator(chunk_size=CHUNK):
        row: list[Any] = [
            value.astimezone(zone).replace(tzinfo=None) if isinstance(value, datetime) else value
            for value in stored
        ]
        for column, labels in words.items():
            row[column] = labels.get(row[column], "")
        if pence is not None and row[pence] is not None:
            row[pence] = Decimal(row[pence]).scaleb(-2)
        yield row
