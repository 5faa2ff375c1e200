"""The numbers of a conference: places, gifts, who is in, who wants the Bulletin."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from conference.models import Conference
from donations.models import Donation, Payment, Refund
from signup.models import Subscriber
from tickets.actions import places_left
from tickets.models import Order, Ticket

# The width of a bar in its own units, whole numbers in every language.
BAR = 1000


@dataclass(frozen=True)
class Places:
    """The places of one ticket type, or of all: how many there are, taken, kept and left.

    `left` is what could still be reserved, None where nothing bounds it.
    """

    name: str
    capacity: int | None
    taken: int
    kept: int
    left: int | None

    @property
    def bar(self) -> tuple[int, int]:
        """The widths of 'taken' and 'kept' in a bar of BAR, which is all places."""
        whole = max(self.capacity or 0, self.taken + self.kept, 1)
        return BAR * self.taken // whole, BAR * self.kept // whole

    @property
    def kept_from(self) -> int:
        return self.bar[0]


@dataclass(frozen=True)
class Gifts:
    """What was given, in pence: what stays with us, what is promised, what went back."""

    received: int
    received_pence: int
    promised: int
    promised_pence: int
    given_back: int
    given_back_pence: int

    @property
    def average_pence(self) -> int | None:
        """The average gift that stays with us, to the nearest penny; None without any."""
        if not self.received:
            return None
        return (self.received_pence + self.received // 2) // self.received


def places(conference: Conference) -> list[Places]:
    """The places of each ticket type, and last those of the whole conference."""
    types = list(conference.ticket_types.counting_places())
    left = places_left(conference.capacity, types)
    held = Ticket.objects.filter(ticket_type__in=types, status=Ticket.Status.HELD)
    kept = held.count_by_type()
    rows = [
        Places(
            kind.name,
            kind.capacity,
            taken=kind.taken - kept.get(kind.pk, 0),
            kept=kept.get(kind.pk, 0),
            left=left.by_type[kind.pk],
        )
        for kind in types
    ]
    capacity = sum(kind.capacity for kind in types)
    if conference.capacity is not None:
        capacity = min(capacity, conference.capacity)
    taken, all_kept = sum(row.taken for row in rows), sum(row.kept for row in rows)
    return [*rows, Places(_("All together"), capacity, taken, all_kept, left.together)]


def gifts(conference: Conference) -> Gifts:
    """The gifts for a conference. What was given back is no longer counted as received."""
    counted = Donation.objects.filter(conference=conference).aggregate(
        received=Count("pk", filter=Q(status=Donation.Status.RECEIVED)),
        promised=Count("pk", filter=Q(status=Donation.Status.PLEDGED)),
        promised_pence=Sum("amount_pence", filter=Q(status=Donation.Status.PLEDGED), default=0),
    )
    paid = Payment.objects.filter(
        donation__conference=conference, status=Payment.Status.PAID
    ).aggregate(pence=Sum("amount_pence", default=0))
    back = (
        Refund.objects.not_failed()
        .filter(payment__donation__conference=conference)
        .aggregate(given_back=Count("pk"), given_back_pence=Sum("amount_pence", default=0))
    )
    return Gifts(received_pence=paid["pence"] - back["given_back_pence"], **counted, **back)


def bulletin(conference: Conference) -> dict[str, int]:
    """Opt-ins: `asked` with a ticket of this conference; `pending` and `confirmed` of all."""
    subscribers: dict[str, Any] = Subscriber.objects.aggregate(
        pending=Count("pk", filter=Q(status=Subscriber.Status.PENDING)),
        confirmed=Count("pk", filter=Q(status=Subscriber.Status.CONFIRMED)),
    )
    asked = Order.objects.filter(conference=conference, wants_bulletin=True).count()
    return {"asked": asked, **subscribers}
