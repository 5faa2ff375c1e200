"""What a worker does about tickets: PDFs, which cost time, and the mails that carry them."""

from collections import defaultdict
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from conference import mail
from signup import links
from signup.models import Subscriber
from tickets import calendar, documents
from tickets.models import Document, Order, Ticket

# How long a PDF made for the order's page is kept.
DOCUMENT_KEPT_FOR = timedelta(days=1)


@task(priority=10)
def mail_tickets(order_pk: int) -> None:
    """Write the mails with an order's tickets, unless that is done."""
    order = (
        Order.objects.select_related("conference__organisation", "donation")
        .filter(pk=order_pk, status=Order.Status.CONFIRMED, mailed_at__isnull=True)
        .first()
    )
    if order is None:
        return
    now = timezone.now()
    tickets = list(order.tickets.valid().select_related("ticket_type", "order__conference"))
    if tickets:
        _write_to_holder(order, tickets, now)
        _write_to_attendees(order, tickets, now)
    # Only for the mailing that was written: somebody may have asked for another one meanwhile.
    Order.objects.filter(pk=order.pk, mailings=order.mailings).update(mailed_at=now)


@task(priority=30)
def make_document(document_pk: int) -> None:
    """Make one PDF that somebody waits for on the order's page, unless it is there."""
    document = Document.objects.select_related("order").filter(pk=document_pk).first()
    if document is None or document.content is not None:
        return
    for tickets in printable(document.order):
        if documents.fingerprint(tickets) == document.fingerprint:
            document.content = documents.tickets_pdf(tickets)
            document.made_at = timezone.now()
            document.save(update_fields=["content", "made_at"])
            return


@task(priority=0)
def mail_links(email: str) -> None:
    """Write to somebody who lost the link of their orders; nobody is written to who has none."""
    now = timezone.now()
    orders = list(
        Order.objects.filter(
            email=email,
            status__in=[Order.Status.RESERVED, Order.Status.CONFIRMED],
            conference__ends_at__gte=now,
        ).select_related("conference__organisation")
    )
    if not orders:
        return
    mail.write(
        key=f"links:{orders[0].pk}:{int(now.timestamp()) // 60}",
        about=orders[0].reference,
        to=email,
        template="tickets/emails/lost_link",
        context={
            "organisation": orders[0].conference.organisation,
            "orders": orders,
        },
        now=now,
    )


def printable(order: Order) -> list[list[Ticket]]:
    """What can be printed of an order: all its valid tickets, and each of them alone."""
    everything = list(
        order.tickets.valid().select_related("ticket_type", "order__conference__organisation")
    )
    return [everything, *([ticket] for ticket in everything)]


def _write_to_holder(order: Order, tickets: list[Ticket], now: datetime) -> None:
    confirm_url = ""
    if order.wants_bulletin:
        subscriber = Subscriber.objects.filter(
            email=order.email, status=Subscriber.Status.PENDING
        ).first()
        confirm_url = links.confirm_url(subscriber) if subscriber else ""
    order_url = settings.BASE_URL + order.get_absolute_url()
    _write(
        order,
        tickets,
        key=f"tickets:{order.pk}:{order.mailings}",
        to=order.email,
        context={"order_url": order_url, "confirm_url": confirm_url},
        now=now,
    )


def _write_to_attendees(order: Order, tickets: list[Ticket], now: datetime) -> None:
    """Give each attendee with an own address their own tickets, without the order's link."""
    theirs = defaultdict(list)
    for ticket in tickets:
        if ticket.attendee_email and ticket.attendee_email != order.email:
            theirs[ticket.attendee_email].append(ticket)
    for email, own in theirs.items():
        _write(
            order,
            own,
            # By the address: whoever else comes or goes, each has one mail of each mailing.
            key=f"tickets:{order.pk}:{order.mailings}:{sha256(email.encode()).hexdigest()[:16]}",
            to=email,
            context={"order_url": "", "confirm_url": ""},
            now=now,
        )


def _write(
    order: Order,
    tickets: list[Ticket],
    *,
    key: str,
    to: str,
    context: dict[str, str],
    now: datetime,
) -> None:
    mail.write(
        key=key,
        about=order.reference,
        to=to,
        template="tickets/emails/tickets",
        context={
            "order": order,
            "tickets": tickets,
            "conference": order.conference,
            "organisation": order.conference.organisation,
        }
        | context,
        attachments=[
            mail.Attachment(
                f"tickets-{order.reference}.pdf",
                "application/pdf",
                documents.tickets_pdf(tickets),
            ),
            mail.Attachment("conference.ics", "text/calendar", calendar.ics(order)),
        ],
        now=now,
    )
