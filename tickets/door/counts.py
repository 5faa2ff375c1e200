"""How many are in, and how many are expected."""

from typing import Any

from django.utils.translation import gettext as _

from conference.models import Conference
from tickets.models import Scan, Ticket, TicketType


def counts(conference: Conference) -> dict[str, Any]:
    """`in` and `expected` of the whole conference and of each ticket type, in three statements.

    Holders of online tickets are not expected; one who comes counts as in and as expected. Private
    types are one row together; a single one has none, as that row would name it.
    """
    types = TicketType.objects.filter(conference=conference)
    valid = Ticket.objects.valid().filter(ticket_type__conference=conference).count_by_type()
    entries = Scan.objects.entries_by_type(conference)
    by_type, private = [], []
    for kind in types:
        inside = entries.get(kind.pk, 0) if kind.came is None else kind.came
        expected = inside if kind.is_online else valid.get(kind.pk, 0)
        if expected or not kind.is_online:
            row = {"name": kind.name, "in": inside, "expected": expected}
            (private if kind.is_private else by_type).append(row)
    together = {
        "in": sum(row["in"] for row in by_type + private),
        "expected": sum(row["expected"] for row in by_type + private),
    }
    if len(private) > 1:
        by_type.append(
            {
                "name": _("Other kinds"),
                "in": sum(row["in"] for row in private),
                "expected": sum(row["expected"] for row in private),
            }
        )
    return {**together, "by_type": by_type}
