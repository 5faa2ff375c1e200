"""An order's own page, opened by its secret link, and what its holder can do there."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from conference import mail
from conference.errors import TooOften
from conference.limits import LONGEST_WAIT, NOTICEABLE_WAIT, Limit, network_of, take, take_turn
from tickets import actions, calendar, documents
from tickets.availability import on_offer
from tickets.forms import EmailForm, NameForm
from tickets.models import MOST_PLACES, Document, Order, Ticket
from tickets.tasks import mail_links, make_document
from tickets.views.access import SeeOrder, order_action, order_by_secret, private
from tickets.views.paying import ask_stripe_about

# How often the tickets of one order may be mailed again in a day, and how often in an hour a name
# may be corrected and a new PDF be made: each one is work for the worker.
RESENDS_A_DAY = 5
CHANGES_AN_HOUR = 30
PDFS_AN_HOUR = 40
# PDFs kept for one order: one of all tickets, and one of each.
MOST_DOCUMENTS = MOST_PLACES + 1
# The pace of lost links of one network in an hour; on the day that is the whole venue. What exceeds
# it waits in line.
LINKS_OF_A_NETWORK = 200
LINKS_TO_AN_ADDRESS = 3  # in an hour
HOUR = timedelta(hours=1)


@private
@require_safe
def order_page(request: HttpRequest, secret: str) -> HttpResponse:
    """State, tickets, and everything that can be done with them."""
    order = order_by_secret(secret)
    now = timezone.now()
    ask_stripe_about(order, now=now)
    return _page(request, order, now)


@private
@require_safe
def order_pdf(request: HttpRequest, secret: str) -> HttpResponse:
    """All tickets of an order as one PDF."""
    order = _confirmed(secret)
    return _pdf(request, order, list(order.tickets.to_print()), f"tickets-{order.reference}.pdf")


@private
@require_safe
def ticket_pdf(request: HttpRequest, secret: str, reference: str) -> HttpResponse:
    """One ticket as PDF."""
    order = _confirmed(secret)
    tickets = [ticket for ticket in list(order.tickets.to_print()) if ticket.reference == reference]
    return _pdf(request, order, tickets, f"ticket-{reference}.pdf")


@private
@require_safe
def order_calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """The conference as an entry for a calendar."""
    order = _confirmed(secret)
    response = HttpResponse(calendar.ics(order), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="conference.ics"'
    return response


@order_action
def resend(request: HttpRequest, secret: str) -> HttpResponse:
    """Mail the tickets once more."""
    order = _confirmed(secret)
    now = timezone.now()
    often = Limit("resend", order.reference, RESENDS_A_DAY, timedelta(days=1))
    # Not whether the address has room: that would tell how often others have us write there.
    if mail.may_be_written_about(order.reference, now=now) and take(often, now=now):
        try:
            actions.resend(order=order, now=now)
        except actions.TooLate:
            raise SeeOrder(order) from None
        messages.success(request, _("We are sending the tickets again."))
    else:
        messages.warning(
            request,
            _(
                "The tickets were sent several times today. Look in the spam folder, or "
                "download them here."
            ),
        )
    return redirect(order)


@order_action
def correct_name(request: HttpRequest, secret: str, reference: str) -> HttpResponse:
    """Correct an attendee's name and address."""
    order, ticket = _ticket(secret, reference)
    form = NameForm(request.POST)
    if not form.is_valid():
        return render(request, "tickets/correct_name.html", {"order": order, "form": form})
    now = timezone.now()
    if not take(Limit("change", order.reference, CHANGES_AN_HOUR, HOUR), now=now):
        raise TooOften
    try:
        actions.correct_name(ticket=ticket, **form.cleaned_data, now=now)
    except actions.TooLate:
        messages.warning(request, _("This ticket cannot be changed any more. Ask us at the desk."))
    else:
        messages.success(
            request,
            _(
                "That is changed. Tickets you have printed stay valid. To mail the tickets with "
                "the change, press 'Send the e-mail again'."
            ),
        )
    return redirect(order)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_ticket(request: HttpRequest, secret: str, reference: str) -> HttpResponse:
    """Cancel one ticket, after a page that asks for confirmation."""
    order, ticket = _ticket(secret, reference)
    now = timezone.now()
    if request.method != "POST":
        if ticket.entered_at or order.conference.has_begun(now):
            return _too_late_to_give_back(request, order)
        context = {"order": order, "ticket": ticket, "conference": order.conference}
        return render(request, "tickets/cancel_ticket.html", context)
    try:
        actions.cancel_ticket(ticket=ticket, now=now)
    except actions.TooLate:
        return _too_late_to_give_back(request, order)
    messages.success(request, _("The place is free for somebody else. Thank you."))
    return redirect(order)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lost_link(request: HttpRequest) -> HttpResponse:
    """Mail somebody the links to their orders. The response is the same for any address."""
    form = EmailForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "tickets/lost_link.html", {"form": form})
    now = timezone.now()
    wait = take_turn(Limit("links", network_of(request), LINKS_OF_A_NETWORK, HOUR), now=now)
    if wait > LONGEST_WAIT:
        raise TooOften
    email = form.cleaned_data["email"]
    if take(Limit("links", email, LINKS_TO_AN_ADDRESS, HOUR), now=now):
        # Looked up by a worker, so that the response takes the same time for any address.
        mail_links.using(run_after=now + wait if wait else None).enqueue(email)
    context = {"form": form, "sent": True, "is_late": wait > NOTICEABLE_WAIT}
    return render(request, "tickets/lost_link.html", context)


def _page(request: HttpRequest, order: Order, now: datetime) -> HttpResponse:
    tickets = list(order.tickets.with_entry().select_related("ticket_type"))
    state = state_of(order)
    gift = order.donation
    counts = gift is not None and gift.status in (gift.Status.PLEDGED, gift.Status.RECEIVED)
    context: dict[str, Any] = {
        "order": order,
        "conference": order.conference,
        "organisation": order.conference.organisation,
        "tickets": tickets,
        "state": state,
        "gift_pence": gift.amount_pence if gift is not None and counts else None,
        "may_change": not order.conference.has_begun(now),
        "is_kept": now < order.expires_at,
    }
    if state == Order.Status.CONFIRMED:
        context["changes"] = [(ticket, _name_form(ticket)) for ticket in tickets]
    if state == Order.Status.EXPIRED:
        context["is_open"] = order.conference.is_open(now)
        context["may_retake"] = context["is_open"] and _are_there_places(order, tickets)
    return render(request, "tickets/order.html", context)


def _name_form(ticket: Ticket) -> NameForm:
    """The form that corrects this ticket's name; one page may hold several."""
    names = {"attendee_name": ticket.attendee_name, "attendee_email": ticket.attendee_email}
    return NameForm(initial=names, auto_id=f"%s-{ticket.reference}")


def _too_late_to_give_back(request: HttpRequest, order: Order) -> HttpResponse:
    messages.warning(request, _("This place cannot be given back any more. Write to us."))
    return redirect(order)


def _are_there_places(order: Order, tickets: list[Ticket]) -> bool:
    """Whether the places of an expired order could be taken again at this moment."""
    wanted = Counter(ticket.ticket_type_id for ticket in tickets)
    return on_offer(order.conference).left.are_enough_for(wanted)


def state_of(order: Order) -> str:
    """The order's state as its holder sees it: its status, or 'waiting' for the bank."""
    if order.status == Order.Status.RESERVED and order.donation is not None:
        payments = order.donation.payments.all()
        if any(
            payment.status in payment.UNDECIDED or (payment.is_live and payment.returned_at)
            for payment in payments
        ):
            return "waiting"
    return str(order.status)


def _confirmed(secret: str) -> Order:
    order = order_by_secret(secret)
    if order.status != Order.Status.CONFIRMED:
        raise SeeOrder(order)
    return order


def _ticket(secret: str, reference: str) -> tuple[Order, Any]:
    """The order and its valid ticket, with its entry. Raises SeeOrder once it is cancelled."""
    order = _confirmed(secret)
    tickets = order.tickets.valid().with_entry().select_related("ticket_type")
    ticket = tickets.filter(reference=reference).first()
    if ticket is None:
        raise SeeOrder(order)
    return order, ticket


def _pdf(request: HttpRequest, order: Order, tickets: list[Ticket], filename: str) -> HttpResponse:
    """The PDF if a worker has made it, else a page that waits for it."""
    if not tickets:
        raise SeeOrder(order)
    now = timezone.now()
    fingerprint = documents.fingerprint(tickets)
    document = Document.objects.filter(fingerprint=fingerprint).first()
    is_new = document is None
    if document is None:
        if not take(Limit("pdf", order.reference, PDFS_AN_HOUR, HOUR), now=now):
            raise TooOften
        # Two requests may get here at once.
        document, _made = Document.objects.get_or_create(
            fingerprint=fingerprint, defaults={"order": order, "asked_at": now}
        )
        newest = order.documents.order_by("-asked_at").values("pk")[:MOST_DOCUMENTS]
        order.documents.exclude(pk__in=list(newest.values_list("pk", flat=True))).delete()
    if is_new or (document.content is None and now - document.asked_at > timedelta(minutes=1)):
        Document.objects.filter(pk=document.pk).update(asked_at=now)
        make_document.enqueue(document.pk)
    if document.content is None:
        return render(request, "tickets/preparing.html", {"order": order}, status=202)
    response = HttpResponse(bytes(document.content), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    return response
