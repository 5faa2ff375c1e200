"""Reserving, confirming and expiring orders, and taking expired ones again.

All bookings of a conference need the lock of its row, so it is taken last: a new order is written
before, and rolled back if too few places are left; only its tickets are written under the lock.
The order of locks is described at `donations.models.DonationQuerySet.locked`.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

import donations.actions
import signup.actions
from conference import mail
from conference.audit import record
from conference.models import Conference, Restore
from donations.models import Donation, Payment
from signup.models import Consent
from tickets import mails
from tickets.actions.places import SoldOut, check_places
from tickets.models import MOST_PLACES, Order, Ticket
from tickets.tasks import mail_tickets

# How long places are held for somebody who is paying. Longer than Stripe's page stays open.
HOLD = donations.actions.SESSION_FOR + timedelta(minutes=9)


class Closed(Exception):
    """Reservations are not open: not yet, not any more, or not published."""


class AlreadyConfirmed(Exception):
    """The order has its tickets; there is nothing more to do."""


class NotReserved(Exception):
    """The order is not (or no longer) reserved."""


@dataclass(frozen=True)
class Place:
    """One place to be reserved."""

    ticket_type_pk: int
    attendee_name: str
    attendee_email: str = ""


def reserve(
    *,
    conference: Conference,
    name: str,
    email: str,
    places: Sequence[Place],
    gift_pence: int,
    bulletin_wording: str = "",
    submission: uuid.UUID,
    now: datetime,
) -> Order:
    """Reserve one to ten places: confirmed at once without a gift, else held for HOLD.

    Idempotent: the same `submission` returns the order that it made. `bulletin_wording` is the text
    beside the Bulletin's box if it was ticked. Raises Closed, or SoldOut with the places left.
    """
    if not 1 <= len(places) <= MOST_PLACES:
        raise ValueError("An order has one to ten places.")
    if not conference.is_open(now):
        if made_before := conference.orders.filter(submission=submission).first():
            return made_before
        raise Closed
    order = Order(
        conference=conference,
        submission=submission,
        name=name,
        email=email,
        wants_bulletin=bool(bulletin_wording),
        created_at=now,
        expires_at=now + HOLD,
        status=Order.Status.RESERVED if gift_pence else Order.Status.CONFIRMED,
        confirmed_at=None if gift_pence else now,
    )
    try:
        _write(order, places, gift_pence, bulletin_wording)
    except IntegrityError:
        if made_before := conference.orders.filter(submission=submission).first():
            return made_before
        # The id belongs to an order of another conference.
        order.submission = uuid.uuid4()
        _write(order, places, gift_pence, bulletin_wording)
    return order


def _write(
    order: Order,
    places: Sequence[Place],
    gift_pence: int,
    bulletin_wording: str,
) -> None:
    """Write a new order with all that belongs to it. Raises SoldOut."""
    now = order.created_at
    with transaction.atomic():
        if gift_pence:
            order.donation = donations.actions.pledge(
                conference=order.conference,
                name=order.name,
                email=order.email,
                amount_pence=gift_pence,
                now=now,
            )
        order.pk = None
        order.save(force_insert=True)
        record("reserved", order.reference, now=now, places=len(places), gift_pence=gift_pence)
        if bulletin_wording:
            signup.actions.request(
                email=order.email,
                source=Consent.Source.TICKET_FORM,
                agreed_to=bulletin_wording,
                now=now,
            )
        if not gift_pence:
            _mail_tickets(order)
        tickets = [
            Ticket(
                order=order,
                ticket_type_id=place.ticket_type_pk,
                attendee_name=place.attendee_name,
                attendee_email=place.attendee_email,
                status=Ticket.Status.HELD if gift_pence else Ticket.Status.VALID,
            )
            for place in places
        ]
        # From here on all other bookings of the conference wait.
        wanted = Counter(place.ticket_type_pk for place in places)
        serials = check_places(order.conference_id, wanted)
        for ticket in tickets:
            serials[ticket.ticket_type_id] += 1
            ticket.serial = serials[ticket.ticket_type_id]
        Ticket.objects.bulk_create(tickets)


def start_payment(*, order: Order, now: datetime) -> Payment:
    """Open Stripe's page for the order's donation, at the payment's `session_url`.

    The places are held for longer than that page stays open. Raises AlreadyConfirmed,
    NotReserved, and what donations.actions.start_checkout raises.
    """
    with transaction.atomic():
        order = Order.objects.locked_with_donation(order)
        _must_be_reserved(order)
        order.expires_at = now + HOLD
        order.save(update_fields=["expires_at"])
    if order.donation is None:
        raise NotReserved
    page = settings.BASE_URL + order.get_absolute_url()
    checkout = donations.actions.Checkout(
        reference=order.reference,
        description=_("Donation to %(organisation)s")
        % {"organisation": order.conference.organisation.name},
        success_url=settings.BASE_URL + reverse("tickets:returned", args=[order.secret]),
        cancel_url=page,
    )
    return donations.actions.start_checkout(donation=order.donation, checkout=checkout, now=now)


def set_gift(*, order: Order, gift_pence: int, now: datetime) -> None:
    """Change the pledged donation of a reserved order to another amount of a pound or more.

    Stripe's page for it is closed first. Raises AlreadyConfirmed, NotReserved, and what
    donations.actions.end_live_payment raises.
    """
    _must_be_reserved(order)
    if order.donation is None:
        raise NotReserved
    donations.actions.end_live_payment(donation=order.donation, now=now)
    with transaction.atomic():
        order = Order.objects.locked_with_donation(order)
        _must_be_reserved(order)
        assert order.donation is not None
        donations.actions.set_amount(donation=order.donation, amount_pence=gift_pence)
        record("gift changed", order.reference, now=now, gift_pence=gift_pence)


def take_without_gift(*, order: Order, now: datetime) -> None:
    """Confirm a reserved order without its donation; Stripe's page for it is closed first.

    Raises AlreadyConfirmed if the donation has just arrived, NotReserved if the places were
    released, and what donations.actions.end_live_payment raises.
    """
    _must_be_reserved(order)
    if order.donation is not None:
        donations.actions.end_live_payment(donation=order.donation, now=now)
    with transaction.atomic():
        order = Order.objects.locked_with_donation(order)
        _must_be_reserved(order)
        if order.donation is not None:
            donations.actions.withdraw(donation=order.donation)
        _confirm(order, now)
        record("taken without a gift", order.reference, now=now)


def on_gift_received(donation: Donation, now: datetime) -> bool:
    """Confirm the order whose donation has arrived; return False if its places are gone.

    Called by the settlement inside its transaction. If the places were released before the payment
    arrived, they are taken again if they are still free, whether or not reservations are open.
    Otherwise the giver is mailed that the money goes back, and the settlement refunds it.
    """
    order = Order.objects.select_for_update(no_key=True).filter(donation=donation).first()
    if order is None:
        return True  # a donation without an order
    if order.status == Order.Status.RESERVED:
        _confirm(order, now)
        record("confirmed", order.reference, now=now, gift_pence=donation.amount_pence)
        return True
    if order.status == Order.Status.CONFIRMED:
        return True
    if order.status == Order.Status.EXPIRED:
        try:
            _take_places_again(order)
        except SoldOut:
            pass
        else:
            _confirm(order, now)
            record("confirmed late", order.reference, now=now, gift_pence=donation.amount_pence)
            return True
    mails.refunded(
        order=order, donation_pk=donation.pk, amount_pence=donation.amount_pence, now=now
    )
    record("gift goes back", order.reference, now=now, gift_pence=donation.amount_pence)
    return False


def expire(*, order: Order, now: datetime) -> None:
    """Release the places of a reserved order past its time, after asking Stripe.

    Changes nothing if the donation has arrived or is with the bank. The holder is mailed a link
    to take the places again. Raises donations.actions.CannotPayNow if Stripe cannot be asked.
    """
    order.refresh_from_db(fields=["status", "expires_at"])
    if order.status != Order.Status.RESERVED or order.expires_at > now:
        return  # its holder has just gone on to pay, or has taken the tickets
    if order.donation is not None:
        try:
            donations.actions.end_live_payment(donation=order.donation, now=now)
        except (donations.actions.AlreadyReceived, donations.actions.WithTheBank):
            return
    with transaction.atomic():
        order = Order.objects.locked_with_donation(order)
        if order.status != Order.Status.RESERVED or order.expires_at > now:
            return
        if order.donation is not None and order.donation.payments.live().exists():
            return  # another of Stripe's pages was opened meanwhile
        order.status = Order.Status.EXPIRED
        order.ended_at = now
        order.save(update_fields=["status", "ended_at"])
        order.tickets.filter(status=Ticket.Status.HELD).update(status=Ticket.Status.RELEASED)
        record("places let go", order.reference, now=now)
        if mail.has_room(order.email, now=now):
            mails.released(order=order, now=now)


def retake(*, order: Order, now: datetime) -> None:
    """Take the places of an expired order again. Raises Closed, SoldOut or AlreadyConfirmed.

    A refunded donation is pledged again. If the refund failed, we still have the donation, so the
    order is confirmed.
    """
    with transaction.atomic():
        order = Order.objects.locked_with_donation(order)
        if order.status == Order.Status.CONFIRMED:
            raise AlreadyConfirmed
        if order.status == Order.Status.RESERVED:
            return
        may_return = order.status == Order.Status.EXPIRED and not order.is_erased
        if not may_return or not order.conference.is_open(now):
            raise Closed
        _take_places_again(order)
        if order.donation is not None and order.donation.status == Donation.Status.RECEIVED:
            _confirm(order, now)
            record("confirmed late", order.reference, now=now)
            return
        if order.donation is not None:
            donations.actions.pledge_again(donation=order.donation)
        order.status = Order.Status.RESERVED
        order.expires_at = now + HOLD
        order.ended_at = None
        order.save(update_fields=["status", "expires_at", "ended_at"])
        record("reserved again", order.reference, now=now)


def _must_be_reserved(order: Order) -> None:
    if order.status == Order.Status.CONFIRMED:
        raise AlreadyConfirmed
    if order.status != Order.Status.RESERVED:
        raise NotReserved


def _take_places_again(order: Order) -> None:
    """Take the released places of an order again, or raise SoldOut."""
    released = order.tickets.filter(status=Ticket.Status.RELEASED)
    check_places(order.conference_id, released.count_by_type())
    released.update(status=Ticket.Status.HELD)


def _confirm(order: Order, now: datetime) -> None:
    order.status = Order.Status.CONFIRMED
    order.confirmed_at = now
    order.ended_at = None
    if restore := _restored_since(order, now):
        # Paid before a backup was restored that does not know of it, so the tickets may have been
        # mailed: an organiser decides (tickets/actions/restoring.py).
        order.mailed_at = restore.noticed_at
    order.save(update_fields=["status", "confirmed_at", "ended_at", "mailed_at"])
    order.tickets.filter(status=Ticket.Status.HELD).update(status=Ticket.Status.VALID)
    if restore is None:
        _mail_tickets(order)


def _restored_since(order: Order, now: datetime) -> Restore | None:
    """The restored backup, still unanswered, that the order's time for payment ended before."""
    if order.expires_at > now:
        return None  # as nearly always: without a statement
    return Restore.objects.unanswered().filter(noticed_at__gte=order.expires_at).first()


def _mail_tickets(order: Order) -> None:
    # The queue is in the same database, so the task exists exactly if the change is committed.
    mail_tickets.enqueue(order.pk)
