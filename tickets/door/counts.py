"""How many are in, and how many are expected."""

from typing import Any

from django.db.models import Count

from conference.models import Conference
from tickets.models import Scan, Ticket, TicketType


def counts(conference: Conference) -> dict[str, Any]:
    """`in` and `expected` of the whole conference and of each ticket type, in three statements.

    Holders of online tickets are not expected; one who comes counts as in and as expected.
    """
    types = TicketType.objects.filter(conference=conference)
    valid = Ticket.objects.valid().filter(ticket_type__conference=conference).count_by_type()
    entries = (
        Scan.objects.standing_entries()
        .filter(conference=conference)
        .order_by()
        .values_list("ticket__ticket_type_id")
        .annotate(n=Count("pk"))
    )
    came = dict(entries)
    by_type = []
    for kind in types:
        inside = came.get(kind.pk, 0)
        expected = inside if kind.is_online else valid.get(kind.pk, 0)
        if expected or not kind.is_online:
            by_type.append({"name": kind.name, "in": inside, "expected": expected})
    return {
        "in": sum(row["in"] for row in by_type),
        "expected": sum(row["expected"] for row in by_type),
        "by_type": by_type,
    }
