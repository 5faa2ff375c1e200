"""One order with its whole history, and what an organiser may change about it."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import show
from conference.desk.history import history
from conference.desk.search import with_entry
from tickets import actions
from tickets.forms import EmailForm, NameForm
from tickets.models import Order, Ticket


@desk_page
@require_safe
def order_page(request: DeskRequest, reference: str) -> HttpResponse:
    """The order, its tickets, its payments, its mails, and all that happened."""
    order = _order(reference)
    story = history(order)
    asked = [(one, json.dumps(one.body, indent=2, ensure_ascii=False)) for one in story.payments]
    return show(
        request,
        "order",
        {
            "order": order,
            "conference": order.conference,
            "tickets": _tickets(order),
            "happenings": story.happenings,
            "payments": asked,
            "mails": story.mails,
        },
    )


@desk_page
@require_POST
def resend(request: DeskRequest, reference: str) -> HttpResponse:
    """Mail the order's tickets once more."""
    order = _order(reference)
    try:
        actions.resend(order=order, by=request.user, now=timezone.now())
    except actions.TooLate:
        messages.warning(request, _("Only a confirmed order has tickets to send."))
    else:
        messages.success(request, _("The tickets are on their way again."))
    return redirect("desk:order", reference)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: DeskRequest, reference: str) -> HttpResponse:
    """Ask once more, then give all places of the order back."""
    order = _order(reference)
    if request.method != "POST":
        context = {"order": order, "conference": order.conference, "tickets": _valid(order)}
        return show(request, "cancel_order", context)
    try:
        actions.cancel_order(order=order, by=request.user, now=timezone.now())
    except actions.TooLate:
        messages.warning(
            request,
            _("Only a confirmed order of which nobody has come in can be cancelled as a whole."),
        )
    else:
        messages.success(request, _("The order is cancelled and its places are free."))
    return redirect("desk:order", reference)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def correct_email(request: DeskRequest, reference: str) -> HttpResponse:
    """Write the order's address anew and mail the tickets there."""
    order = _order(reference)
    form = EmailForm(request.POST or None, initial={"email": order.email})
    if not form.is_valid():
        context = {"order": order, "conference": order.conference, "form": form}
        return show(request, "correct_email", context)
    email = form.cleaned_data["email"]
    try:
        actions.correct_email(order=order, email=email, by=request.user, now=timezone.now())
    except actions.TooLate:
        messages.warning(request, _("This order has ended, so its address stays."))
    else:
        messages.success(request, _("The address is changed, and a mail is on its way there."))
    return redirect("desk:order", reference)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def correct_name(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """Write one attendee's name anew."""
    order = _order(reference)
    ticket = _ticket(order, number)
    initial = {"attendee_name": ticket.attendee_name, "attendee_email": ticket.attendee_email}
    form = NameForm(request.POST or None, initial=initial)
    if not form.is_valid():
        context = {"order": order, "conference": order.conference, "ticket": ticket, "form": form}
        return show(request, "correct_name", context)
    try:
        actions.correct_name(
            ticket=ticket, **form.cleaned_data, by=request.user, now=timezone.now()
        )
    except actions.TooLate:
        messages.warning(request, _("This ticket is not valid any more, so its name stays."))
    else:
        messages.success(request, _("That is changed. A printed ticket stays good."))
    return redirect("desk:order", reference)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_ticket(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """Ask once more, then give one place back."""
    order = _order(reference)
    ticket = _ticket(order, number)
    if request.method != "POST":
        context = {"order": order, "conference": order.conference, "ticket": ticket}
        return show(request, "cancel_ticket", context)
    try:
        actions.cancel_ticket(ticket=ticket, by=request.user, now=timezone.now())
    except actions.TooLate:
        messages.warning(request, _("Only a valid ticket that has not come in can be cancelled."))
    else:
        messages.success(request, _("The place is cancelled and free for somebody else."))
    return redirect("desk:order", reference)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def reissue(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """Ask once more, then give the ticket a new code and mail it."""
    order = _order(reference)
    ticket = _ticket(order, number)
    if request.method != "POST":
        context = {"order": order, "conference": order.conference, "ticket": ticket}
        return show(request, "reissue", context)
    try:
        actions.reissue(ticket=ticket, by=request.user, now=timezone.now())
    except actions.TooLate:
        messages.warning(request, _("Only a valid ticket can get a new code."))
    else:
        messages.success(request, _("The ticket has a new code, which is on its way by e-mail."))
    return redirect("desk:order", reference)


def _order(reference: str) -> Order:
    orders = Order.objects.select_related("conference__organisation", "donation")
    return get_object_or_404(orders, reference=reference)


def _tickets(order: Order) -> list[Ticket]:
    """All tickets the order ever had, each with its entry."""
    tickets = order.tickets.select_related("ticket_type").order_by("pk")
    return list(with_entry(tickets))


def _ticket(order: Order, number: int) -> Ticket:
    """The order's ticket with this number, counted from 1. Its code has no place in an address."""
    tickets = _tickets(order)
    if not 1 <= number <= len(tickets):
        raise Http404
    return tickets[number - 1]


def _valid(order: Order) -> list[Ticket]:
    return [ticket for ticket in _tickets(order) if ticket.status == Ticket.Status.VALID]
