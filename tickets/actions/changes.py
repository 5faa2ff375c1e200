"""What can be changed about an order that is confirmed, by its holder or by staff."""

from datetime import datetime
from typing import Any

from django.db import transaction

import donations.actions
import signup.actions
from conference import codes, mail
from conference.audit import record
from conference.models import User
from donations.models import Donation
from signup import wording
from signup.models import Consent
from tickets.models import Order, ReplacedCode, Scan, Ticket, new_number, new_secret


class TooLate(Exception):
    """The day has begun, or the ticket has been used or is void: nothing can be changed."""


def correct_name(
    *,
    ticket: Ticket,
    attendee_name: str,
    attendee_email: str | None = None,
    by: User | None = None,
    now: datetime,
) -> None:
    """Write an attendee's name anew; the ticket's code stays, so a printed ticket stays good.

    Their address, too, where one is given ('' takes it away): mails that wait for the old one are
    withdrawn. Raises TooLate for a void ticket, and for its holder once the conference has begun.
    """
    with transaction.atomic():
        ticket = _locked(ticket)
        _check_may_change(ticket, by, now)
        if attendee_email is not None and attendee_email != ticket.attendee_email:
            mail.withdraw(about=ticket.order.reference, to=ticket.attendee_email)
            ticket.attendee_email = attendee_email
        ticket.attendee_name = attendee_name
        ticket.save(update_fields=["attendee_name", "attendee_email"])
        _record("name corrected", ticket, by, now)


def cancel_ticket(*, ticket: Ticket, by: User | None = None, now: datetime) -> None:
    """Give one place back; an order without any ticket left is cancelled.

    Raises TooLate for a void or used ticket, and for its holder once the conference has begun.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=ticket.order_id)
        ticket = _locked(ticket)
        _check_may_change(ticket, by, now)
        if ticket.scans.filter(outcome=Scan.Outcome.ADMITTED, undone_at__isnull=True).exists():
            raise TooLate
        ticket.status = Ticket.Status.CANCELLED
        ticket.save(update_fields=["status"])
        _record("place cancelled", ticket, by, now)
        if by is not None:
            _tell_of_cancelling(order, [ticket], now)
        if not order.tickets.valid().exists():
            _end(order, now)


def cancel_order(*, order: Order, by: User | None = None, now: datetime) -> None:
    """Give all places of a confirmed order back. Its gift stays as it is. Raises TooLate."""
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if order.status != Order.Status.CONFIRMED:
            raise TooLate
        if by is None and now >= order.conference.starts_at:
            raise TooLate
        # Locked, so that no door lets one of them in between this look and the change.
        tickets = list(order.tickets.valid().select_for_update(no_key=True))
        used = Scan.objects.filter(
            ticket__in=tickets, outcome=Scan.Outcome.ADMITTED, undone_at__isnull=True
        )
        if used.exists():
            raise TooLate
        order.tickets.valid().update(status=Ticket.Status.CANCELLED)
        _end(order, now)
        if by is not None:
            _tell_of_cancelling(order, tickets, now)
        record("order cancelled", order.reference, by=by, now=now)


def correct_email(*, order: Order, email: str, by: User, now: datetime) -> None:
    """Write an order's address anew, and mail the tickets or the order's link there.

    What waits for the old address is withdrawn. The link of a confirmed order is renewed: the old
    one may have gone to somebody else. That of a reserved one was not mailed yet, and Stripe's page
    leads back to it. Raises TooLate for an order that is neither reserved nor confirmed.
    """
    with transaction.atomic():
        if order.donation_id is not None:
            # Always the donation before its order: one order of locks.
            Donation.objects.select_for_update(no_key=True).get(pk=order.donation_id)
            donations.actions.correct_email(donation_pk=order.donation_id, email=email)
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if order.status not in (Order.Status.RESERVED, Order.Status.CONFIRMED):
            raise TooLate
        mail.withdraw(about=order.reference, to=order.email)
        order.email = email
        if order.status == Order.Status.CONFIRMED:
            order.secret = new_secret()
        order.save(update_fields=["email", "secret"])
        record("address corrected", order.reference, by=by, now=now)
        if order.wants_bulletin:
            signup.actions.request(
                email=email,
                source=Consent.Source.TICKET_FORM,
                agreed_to=wording.box_wording(),
                now=now,
            )
        if order.status == Order.Status.CONFIRMED:
            _mail_again(order)
        else:
            _mail_link(order)


def reissue(*, ticket: Ticket, by: User | None, now: datetime) -> None:
    """Give a valid ticket a new code and mail it; the old one answers 'replaced'.

    Raises TooLate for a void ticket.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=ticket.order_id)
        ticket = _locked(ticket)
        _check_may_change(ticket, by, now)
        ReplacedCode.objects.create(
            ticket=ticket, number=ticket.number, reference=ticket.reference, replaced_at=now
        )
        ticket.number = new_number()
        ticket.reference = codes.short_code()
        ticket.save(update_fields=["number", "reference"])
        _record("code replaced", ticket, by, now)
        _mail_again(order)


def resend(*, order: Order, by: User | None = None, now: datetime) -> None:
    """Mail the tickets of a confirmed order once more. Raises TooLate for any other order."""
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if order.status != Order.Status.CONFIRMED:
            raise TooLate
        record("tickets sent again", order.reference, by=by, now=now)
        _mail_again(order)


def _locked(ticket: Ticket) -> Ticket:
    return (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("order__conference")
        .get(pk=ticket.pk)
    )


def _check_may_change(ticket: Ticket, by: User | None, now: datetime) -> None:
    if ticket.status != Ticket.Status.VALID:
        raise TooLate
    if by is None and now >= ticket.order.conference.starts_at:
        raise TooLate


def _end(order: Order, now: datetime) -> None:
    order.status = Order.Status.CANCELLED
    order.ended_at = now
    order.save(update_fields=["status", "ended_at"])


def _tell_of_cancelling(order: Order, tickets: list[Ticket], now: datetime) -> None:
    """Write to the holder of an order that staff cancelled places of it."""
    mail.write(
        key=f"cancelled:{order.pk}:{tickets[0].pk}",
        about=order.reference,
        to=order.email,
        template="tickets/emails/cancelled",
        context={"order": order, "conference": order.conference, "tickets": tickets},
        now=now,
    )


def _mail_again(order: Order) -> None:
    from tickets.tasks import mail_tickets

    order.mailings += 1
    order.mailed_at = None
    order.save(update_fields=["mailings", "mailed_at"])
    mail_tickets.enqueue(order.pk)


def _mail_link(order: Order) -> None:
    from tickets.tasks import mail_links

    mail_links.enqueue(order.email)


def _record(verb: str, ticket: Ticket, by: User | None, now: datetime, **detail: Any) -> None:
    record(verb, ticket.order.reference, by=by, now=now, ticket=ticket.reference, **detail)
