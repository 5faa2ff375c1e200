"""The mails about orders and tickets, one function a mail."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings

from conference import mail
from conference.models import Restore
from signup import links
from signup.models import Subscriber
from tickets import calendar, documents
from tickets.models import Order, Ticket


def tickets_to_holder(*, order: Order, tickets: list[Ticket], now: datetime) -> None:
    """Send the order's holder all its tickets, as PDF, and the link to the order's page.

    Includes the link to confirm the Bulletin if the holder ticked its box and has not confirmed.
    Makes the PDF, so call it outside of any transaction.
    """
    confirm_url = ""
    if order.wants_bulletin:
        subscriber = Subscriber.objects.filter(
            email=order.email, status=Subscriber.Status.PENDING
        ).first()
        confirm_url = links.confirm_url(subscriber) if subscriber else ""
    _write_tickets(
        order,
        tickets,
        key=f"tickets:{order.pk}:{order.mailings}",
        to=order.email,
        template="tickets/emails/tickets",
        more={"order_url": _order_url(order), "confirm_url": confirm_url},
        pdf=documents.tickets_pdf(tickets),
        now=now,
    )


def tickets_to_attendee(*, order: Order, tickets: list[Ticket], to: str, now: datetime) -> None:
    """Send an attendee with an address of their own these tickets, without the order's link.

    Anybody can give anybody's address. So the mail says who gave it, and neither it nor the PDF
    holds a text that this person typed, not even a name. Makes the PDF, so call it outside of any
    transaction.
    """
    # The key holds the address, not its place in a list: if tickets are cancelled meanwhile, each
    # address still gets one mail of each mailing.
    digest = sha256(to.encode()).hexdigest()[:16]
    _write_tickets(
        order,
        tickets,
        key=f"tickets:{order.pk}:{order.mailings}:{digest}",
        to=to,
        template="tickets/emails/for_attendee",
        pdf=documents.tickets_pdf(tickets, is_named=False),
        now=now,
    )


def lost_link(*, to: str, orders: list[Order], now: datetime) -> None:
    """Send somebody the links to their orders, of which there is at least one."""
    mail.write(
        key=f"links:{orders[0].pk}:{int(now.timestamp()) // 60}",
        about=orders[0].reference,
        to=to,
        template="tickets/emails/lost_link",
        context={"organisation": orders[0].conference.organisation, "orders": orders},
        now=now,
    )


def released(*, order: Order, now: datetime) -> None:
    """Mail the holder that nothing was paid in time and the places were released."""
    mail.write(
        key=f"released:{order.pk}:{int(now.timestamp())}",
        about=order.reference,
        to=order.email,
        template="tickets/emails/released",
        context=_context(order) | {"order_url": _order_url(order)},
        # After a backup was restored, its old bookings run out all at once: some were paid since.
        is_withheld=Restore.objects.unanswered().filter(noticed_at__gte=order.created_at).exists(),
        now=now,
    )


def refunded(*, order: Order, donation_pk: int, amount_pence: int, now: datetime) -> None:
    """Mail the holder that they paid after the places were gone and will be refunded."""
    mail.write(
        key=f"refunded:{order.pk}:{donation_pk}",
        about=order.reference,
        to=order.email,
        template="tickets/emails/refunded",
        context=_context(order) | {"amount_pence": amount_pence},
        now=now,
    )


def cancelled(*, order: Order, tickets: list[Ticket], now: datetime) -> None:
    """Mail the holder that staff have cancelled these tickets of the order."""
    mail.write(
        key=f"cancelled:{order.pk}:{tickets[0].pk}",
        about=order.reference,
        to=order.email,
        template="tickets/emails/cancelled",
        context=_context(order) | {"tickets": tickets},
        now=now,
    )


def _write_tickets(
    order: Order,
    tickets: list[Ticket],
    *,
    key: str,
    to: str,
    template: str,
    more: dict[str, str] | None = None,
    pdf: bytes,
    now: datetime,
) -> None:
    mail.write(
        key=key,
        about=order.reference,
        to=to,
        template=template,
        context=_context(order) | {"tickets": tickets} | (more or {}),
        attachments=[
            mail.Attachment(f"tickets-{order.reference}.pdf", "application/pdf", pdf),
            mail.Attachment("conference.ics", "text/calendar", calendar.ics(order)),
        ],
        now=now,
    )


def _context(order: Order) -> dict[str, Any]:
    return {
        "order": order,
        "conference": order.conference,
        "organisation": order.conference.organisation,
    }


def _order_url(order: Order) -> str:
    return settings.BASE_URL + order.get_absolute_url()
