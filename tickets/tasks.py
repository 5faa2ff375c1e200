"""Background tasks: making PDFs, and writing the mails with tickets."""

from collections import defaultdict
from datetime import timedelta

from django.utils import timezone
from django_tasks import task

from conference import mail
from conference.queue import PERSON_WAITS, SMALL_MAIL, TICKETS
from tickets import documents, mails
from tickets.models import Document, Order, Ticket

# When it is tried again to mail tickets to an address that has had many mails today.
AGAIN_AFTER = timedelta(hours=1)
# How long a PDF made for the order's page is kept.
DOCUMENT_KEPT_FOR = timedelta(days=1)


@task(priority=TICKETS)
def mail_tickets(order_pk: int, is_by_staff: bool = False) -> None:
    """Write the mails with an order's tickets, unless that is done.

    Where the holder's address has had many mails today, this is put off; where an attendee's has,
    that one is left out, because the holder has all tickets. Not if a member of staff asked.
    """
    order = (
        Order.objects.select_related("conference__organisation", "donation")
        .filter(pk=order_pk, status=Order.Status.CONFIRMED, mailed_at__isnull=True)
        .first()
    )
    if order is None:
        return
    now = timezone.now()
    if not (is_by_staff or mail.has_room(order.email, now=now)):
        mail_tickets.using(run_after=now + AGAIN_AFTER).enqueue(order.pk)
        return
    tickets = list(order.tickets.to_print())
    if tickets:
        mails.tickets_to_holder(order=order, tickets=tickets, now=now)
    for email, theirs in _by_attendee(order, tickets).items():
        has_room = mail.has_room(email, now=now, most=mail.MOST_TO_ANOTHER)
        if is_by_staff or (has_room and mail.may_be_written_about(order.reference, now=now)):
            mails.tickets_to_attendee(order=order, tickets=theirs, to=email, now=now)
    # Not if another mailing was requested meanwhile: it has yet to be written.
    Order.objects.filter(pk=order.pk, mailings=order.mailings).update(mailed_at=now)


@task(priority=PERSON_WAITS)
def make_document(document_pk: int) -> None:
    """Make the PDF that somebody waits for on the order's page, unless it has been made."""
    document = Document.objects.select_related("order").filter(pk=document_pk).first()
    if document is None or document.content is not None:
        return
    for tickets in printable(document.order):
        if documents.fingerprint(tickets) == document.fingerprint:
            document.content = documents.tickets_pdf(tickets)
            document.made_at = timezone.now()
            document.save(update_fields=["content", "made_at"])
            return


@task(priority=SMALL_MAIL)
def mail_links(email: str) -> None:
    """Mail somebody the links to their orders; no mail if there are none."""
    now = timezone.now()
    orders = list(
        Order.objects.filter(
            email=email,
            status__in=Order.HOLDING,
            conference__ends_at__gte=now,
        ).select_related("conference__organisation")
    )
    if orders and mail.has_room(email, now=now):
        mails.lost_link(to=email, orders=orders, now=now)


def printable(order: Order) -> list[list[Ticket]]:
    """What can be printed of an order: all its valid tickets, and each of them alone."""
    everything = list(order.tickets.to_print())
    return [everything, *([ticket] for ticket in everything)]


def _by_attendee(order: Order, tickets: list[Ticket]) -> dict[str, list[Ticket]]:
    """The tickets of attendees who have another address than the order's holder, by address."""
    theirs = defaultdict(list)
    for ticket in tickets:
        if ticket.attendee_email and ticket.attendee_email != order.email:
            theirs[ticket.attendee_email].append(ticket)
    return theirs
