"""Erasing people: at their request, and once a conference is long over."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

import signup.actions
from conference import searches
from conference.audit import record
from conference.fields import normal_address
from conference.models import Conference, Mail
from conference.queue import forget
from donations.erasing import erase_address_at_payments, erase_givers
from donations.models import Donation
from tickets.models import (
    ERASED_EMAIL,
    ERASED_NAME,
    Document,
    Order,
    ReplacedCode,
    Scan,
    Ticket,
    TicketQuerySet,
    TicketType,
)

# What an erased ticket says of its attendee.
_NOBODY = {"attendee_name": ERASED_NAME, "attendee_email": ""}


class StillToCome(Exception):
    """The person has a ticket for a conference that is not over. Cancel it first."""


class NotSettled(Exception):
    """A payment or refund of this person is not settled. Wait for it, or see the desk."""


class Nobody(Exception):
    """Nothing is kept under this address or code."""


@dataclass(frozen=True)
class Erased:
    """What was found under an address: how many of each."""

    orders: int
    tickets: int
    donations: int
    mails: int


def erase_person(*, email: str, now: datetime) -> Erased:
    """Remove names and addresses from everything that is kept about an e-mail address.

    What remains are tickets, amounts and times without a name, and a keyed hash so that the
    Bulletin never goes there again. Raises Nobody, StillToCome or NotSettled; nothing is changed
    then.
    """
    email = normal_address(email)
    if email == ERASED_EMAIL:
        raise Nobody
    with transaction.atomic():
        orders = list(Order.objects.filter(email=email))
        tickets = Ticket.objects.filter(Q(order__in=orders) | Q(attendee_email=email))
        _check_is_over(tickets, now)
        givers = list(
            Donation.objects.filter(Q(email=email) | Q(order__in=orders)).values_list(
                "pk", flat=True
            )
        )
        if Donation.objects.unsettled().filter(pk__in=givers).exists():
            raise NotSettled
        # Somebody else's order may name this person as well.
        named_in = {order.pk for order in orders} | set(tickets.values_list("order", flat=True))
        _erase_orders([order.pk for order in orders], givers, now)
        theirs = tickets.update(**_NOBODY)
        for order in orders:
            record("person erased", order.reference, now=now)
        found = Erased(
            orders=len(orders),
            tickets=theirs,
            donations=len(givers),
            mails=_forget_papers(named_in) + _delete_mails(Q(to=email)),
        )
        searches.forget_all()
        elsewhere = [
            forget(email),
            erase_address_at_payments(email=email, instead=ERASED_EMAIL),
            signup.actions.erase(email=email, now=now),
        ]
        if found == Erased(0, 0, 0, 0) and not any(elsewhere):
            raise Nobody  # and nothing is written, not even that this address was asked for
    return found


def erase_attendee(*, code: str, now: datetime) -> Ticket:
    """Remove the name on one ticket, which somebody else may have booked; `code` is its short code.

    The booking and its other tickets stay as they are. Its PDFs and the copies of its mails go, as
    they hold the name. Raises Nobody or StillToCome.
    """
    with transaction.atomic():
        replaced = ReplacedCode.objects.filter(reference=code).values("ticket")
        tickets = Ticket.objects.filter(Q(reference=code) | Q(pk__in=replaced))
        ticket = tickets.select_related("order").first()
        if ticket is None:
            raise Nobody
        _check_is_over(tickets, now)
        if ticket.attendee_email:
            forget(ticket.attendee_email)
        for field, nothing in _NOBODY.items():
            setattr(ticket, field, nothing)
        ticket.save(update_fields=list(_NOBODY))
        _forget_papers([ticket.order_id])
        searches.forget_all()
        record("attendee erased", ticket.order.reference, now=now, ticket=ticket.reference)
    return ticket


def erase_past_attendees(*, ended_before: datetime, most: int, now: datetime) -> None:
    """Erase the people of conferences that ended before this, `most` orders at a time."""
    with transaction.atomic():
        past = Order.objects.to_erase(ended_before, now=now).order_by("pk")
        orders = list(past.values_list("pk", "donation")[:most])
        if not orders:
            return
        pks = [pk for pk, _donation in orders]
        _erase_orders(pks, [donation for _pk, donation in orders if donation is not None], now)
        Ticket.objects.filter(order__in=pks).update(**_NOBODY)
        _forget_papers(pks)
        searches.forget_all()
        record("names erased", "orders", now=now, orders=len(pks))


def delete_past_scans(*, ended_before: datetime, now: datetime) -> None:
    """Delete all scans of one conference that ended before this; how many came is kept."""
    past = Conference.objects.ended(ended_before, now=now)
    with transaction.atomic():
        scan = Scan.objects.filter(conference__in=past).select_related("conference").first()
        if scan is None:
            return
        conference = scan.conference
        came = Scan.objects.entries_by_type(conference)
        # What is scanned after that is a trial of somebody's scanner, and not counted.
        for kind in TicketType.objects.filter(conference=conference, came=None):
            kind.came = came.get(kind.pk, 0)
            kind.save(update_fields=["came"])
        Scan.objects.filter(conference=conference).delete()
        record("scans deleted", conference.slug, now=now)


def _check_is_over(tickets: TicketQuerySet, now: datetime) -> None:
    if tickets.holding_places().filter(order__conference__ends_at__gt=now).exists():
        raise StillToCome


def _erase_orders(orders: Collection[int], donations: Collection[int], now: datetime) -> None:
    # In the order in which locks are taken everywhere: DonationQuerySet.locked.
    erase_givers(donations=donations, name=ERASED_NAME, email=ERASED_EMAIL)
    rows = Order.objects.filter(pk__in=orders)
    rows.update(name=ERASED_NAME, email=ERASED_EMAIL)
    # There is nobody any more to whom a mailing that waits could go.
    rows.filter(status=Order.Status.CONFIRMED, mailed_at=None).update(mailed_at=now)


def _forget_papers(orders: Collection[int]) -> int:
    """Delete the PDFs of these orders and the mails about them; return how many mails."""
    Document.objects.filter(order__in=orders).delete()
    references = Order.objects.filter(pk__in=orders).values_list("reference", flat=True)
    return _delete_mails(Q(about__in=list(references)))


def _delete_mails(which: Q) -> int:
    return Mail.objects.filter(which).delete()[1].get("conference.Mail", 0)
