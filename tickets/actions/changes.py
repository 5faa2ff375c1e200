"""Changes to an order after it was made, by its holder or by staff (`by`)."""

from datetime import datetime

from django.db import transaction

import donations.actions
import signup.actions
from conference import codes, mail
from conference.audit import record
from conference.models import User
from signup import wording
from signup.models import Consent
from tickets import mails
from tickets.models import Order, ReplacedCode, Scan, Ticket, new_number, new_secret
from tickets.tasks import mail_links, mail_tickets


class TooLate(Exception):
    """Nothing can be changed any more.

    The conference has begun, the ticket is used or not valid, or its people were erased.
    """


def correct_name(
    *,
    ticket: Ticket,
    attendee_name: str,
    attendee_email: str | None = None,
    by: User | None = None,
    now: datetime,
) -> None:
    """Correct an attendee's name; the ticket's code stays, so a printed ticket stays valid.

    `attendee_email` is their new address, '' for none, or None to leave it as it is. Mails to the
    old address that have not been sent are withdrawn. Raises TooLate for a ticket that is not
    valid, and for the holder once the conference has begun.
    """
    with transaction.atomic():
        ticket = _locked_ticket(ticket)
        _check_may_change(ticket, by, now)
        if attendee_email is not None and attendee_email != ticket.attendee_email:
            mail.withdraw(about=ticket.order.reference, to=ticket.attendee_email)
            ticket.attendee_email = attendee_email
        ticket.attendee_name = attendee_name
        ticket.save(update_fields=["attendee_name", "attendee_email"])
        _record("name corrected", ticket, by, now)


def cancel_ticket(*, ticket: Ticket, by: User | None = None, now: datetime) -> None:
    """Cancel one ticket; an order without any valid ticket left is cancelled.

    The holder gets a mail if staff did it. Raises TooLate for a ticket that is used or not valid,
    and for the holder once the conference has begun.
    """
    with transaction.atomic():
        order = Order.objects.locked(ticket.order_id)
        ticket = _locked_ticket(ticket)
        _check_may_change(ticket, by, now)
        if ticket.scans.standing_entries().exists():
            raise TooLate
        ticket.status = Ticket.Status.CANCELLED
        ticket.save(update_fields=["status"])
        _record("place cancelled", ticket, by, now)
        if by is not None:
            mails.cancelled(order=order, tickets=[ticket], now=now)
        if not order.tickets.valid().exists():
            _end(order, now)


def cancel_order(*, order: Order, by: User | None = None, now: datetime) -> None:
    """Cancel all tickets of a confirmed order. Its donation stays as it is.

    The holder gets a mail if staff did it. Raises TooLate for an order that is not confirmed or of
    which a ticket is used, and for the holder once the conference has begun.
    """
    with transaction.atomic():
        order = Order.objects.locked(order.pk)
        if order.status != Order.Status.CONFIRMED or order.is_erased:
            raise TooLate
        if by is None and order.conference.has_begun(now):
            raise TooLate
        # Locked, so that no door admits one of them between this check and the change.
        tickets = list(order.tickets.valid().select_for_update(no_key=True))
        if Scan.objects.standing_entries().filter(ticket__in=tickets).exists():
            raise TooLate
        order.tickets.valid().update(status=Ticket.Status.CANCELLED)
        _end(order, now)
        if by is not None:
            mails.cancelled(order=order, tickets=tickets, now=now)
        record("order cancelled", order.reference, by=by, now=now)


def correct_email(*, order: Order, email: str, by: User, now: datetime) -> None:
    """Correct an order's address, and mail the tickets or the order's link there.

    Mails to the old address that have not been sent are withdrawn. A confirmed order gets a new
    link, because the old one may have been mailed to a stranger. A reserved order keeps its link:
    it has not been mailed, and Stripe's page leads back to it. Raises TooLate for an order that is
    neither reserved nor confirmed.
    """
    with transaction.atomic():
        order = Order.objects.locked_with_donation(order)
        if order.status not in Order.HOLDING or order.is_erased:
            raise TooLate
        if order.donation_id is not None:
            donations.actions.correct_email(donation_pk=order.donation_id, email=email)
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
            _mail_again(order, by)
        else:
            mail_links.enqueue(order.email)


def reissue(*, ticket: Ticket, by: User | None, now: datetime) -> None:
    """Give a ticket a new code and mail it; at the door the old code shows as replaced.

    Raises TooLate for a ticket that is not valid, and for the holder once the conference has
    begun.
    """
    with transaction.atomic():
        order = Order.objects.locked(ticket.order_id)
        ticket = _locked_ticket(ticket)
        _check_may_change(ticket, by, now)
        ReplacedCode.objects.create(
            ticket=ticket, number=ticket.number, reference=ticket.reference, replaced_at=now
        )
        ticket.number = new_number()
        ticket.reference = codes.short_code()
        ticket.save(update_fields=["number", "reference"])
        _record("code replaced", ticket, by, now)
        _mail_again(order, by)


def resend(*, order: Order, by: User | None = None, now: datetime) -> None:
    """Mail the tickets of a confirmed order once more. Raises TooLate for any other order."""
    with transaction.atomic():
        order = Order.objects.locked(order.pk)
        if order.status != Order.Status.CONFIRMED or order.is_erased:
            raise TooLate
        record("tickets sent again", order.reference, by=by, now=now)
        _mail_again(order, by)


def _locked_ticket(ticket: Ticket) -> Ticket:
    return (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("order__conference")
        .get(pk=ticket.pk)
    )


def _check_may_change(ticket: Ticket, by: User | None, now: datetime) -> None:
    if ticket.status != Ticket.Status.VALID or ticket.order.is_erased:
        raise TooLate
    if by is None and ticket.order.conference.has_begun(now):
        raise TooLate


def _end(order: Order, now: datetime) -> None:
    order.status = Order.Status.CANCELLED
    order.ended_at = now
    order.save(update_fields=["status", "ended_at"])


def _mail_again(order: Order, by: User | None) -> None:
    """Begin another mailing of the order's tickets; what staff ask for goes out in any case."""
    order.mailings += 1
    order.mailed_at = None
    order.save(update_fields=["mailings", "mailed_at"])
    mail_tickets.enqueue(order.pk, is_by_staff=by is not None)


def _record(verb: str, ticket: Ticket, by: User | None, now: datetime) -> None:
    record(verb, ticket.order.reference, by=by, now=now, ticket=ticket.reference)
