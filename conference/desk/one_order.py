"""One order with its whole history, and what an organiser may change about it."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import show
from conference.desk.history import history
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
    tickets = _tickets(order)
    return _show(
        request,
        "order",
        order,
        tickets=tickets,
        may_cancel=_may_cancel(order, tickets),
        happenings=story.happenings,
        payments=asked,
        mails=story.mails,
    )


@desk_page
@require_POST
def resend(request: DeskRequest, reference: str) -> HttpResponse:
    """Mail the order's tickets once more."""
    order = _order(reference)
    done = _("The tickets are on their way again.")
    refused = _("Only a confirmed order has tickets to send.")
    return _do(request, order, partial(actions.resend, order=order), done, refused)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: DeskRequest, reference: str) -> HttpResponse:
    """Ask once more, then cancel the order with all its places."""
    order = _order(reference)
    refused = _("Only a confirmed order of which nobody has come in can be cancelled as a whole.")
    if request.method != "POST":
        tickets = _tickets(order)
        if not _may_cancel(order, tickets):
            return _refuse(request, order, refused)
        valid = [ticket for ticket in tickets if ticket.status == Ticket.Status.VALID]
        return _show(request, "cancel_order", order, tickets=valid)
    done = _("The order is cancelled and its places are free.")
    return _do(request, order, partial(actions.cancel_order, order=order), done, refused)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def correct_email(request: DeskRequest, reference: str) -> HttpResponse:
    """Correct the order's e-mail address, and mail the tickets there."""
    order = _order(reference)
    refused = _("This order has ended, so its address stays.")
    if order.status not in Order.HOLDING:
        return _refuse(request, order, refused)
    form = EmailForm(request.POST or None, initial={"email": order.email})
    if not form.is_valid():
        return _show(request, "correct_email", order, form=form)
    done = _("The address is changed, and a mail is on its way there.")
    action = partial(actions.correct_email, order=order, email=form.cleaned_data["email"])
    return _do(request, order, action, done, refused)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def correct_name(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """Correct one attendee's name and e-mail address."""
    order, ticket = _order_and_ticket(reference, number)
    refused = _("This ticket is not valid any more, so its name stays.")
    if ticket.status != Ticket.Status.VALID:
        return _refuse(request, order, refused)
    initial = {"attendee_name": ticket.attendee_name, "attendee_email": ticket.attendee_email}
    form = NameForm(request.POST or None, initial=initial)
    if not form.is_valid():
        return _show(request, "correct_name", order, ticket=ticket, form=form)
    done = _("That is changed. A printed ticket stays good.")
    action = partial(actions.correct_name, ticket=ticket, **form.cleaned_data)
    return _do(request, order, action, done, refused)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_ticket(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """Ask once more, then cancel one place."""
    order, ticket = _order_and_ticket(reference, number)
    refused = _("Only a valid ticket that has not come in can be cancelled.")
    if request.method != "POST":
        if ticket.status != Ticket.Status.VALID or ticket.entered_at:
            return _refuse(request, order, refused)
        return _show(request, "cancel_ticket", order, ticket=ticket)
    done = _("The place is cancelled and free for somebody else.")
    return _do(request, order, partial(actions.cancel_ticket, ticket=ticket), done, refused)


@desk_page
@require_http_methods(["GET", "HEAD", "POST"])
def reissue(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """Ask once more, then give the ticket a new code and mail it."""
    order, ticket = _order_and_ticket(reference, number)
    refused = _("Only a valid ticket can get a new code.")
    if request.method != "POST":
        if ticket.status != Ticket.Status.VALID:
            return _refuse(request, order, refused)
        return _show(request, "reissue", order, ticket=ticket)
    done = _("The ticket has a new code, which is on its way by e-mail.")
    return _do(request, order, partial(actions.reissue, ticket=ticket), done, refused)


def _show(request: DeskRequest, page: str, order: Order, **more: Any) -> HttpResponse:
    return show(request, page, {"order": order, "conference": order.conference} | more)


def _do(
    request: DeskRequest, order: Order, action: Callable[..., object], done: str, refused: str
) -> HttpResponse:
    """Take the action, say what came of it (`done` or `refused`), and go back to the order."""
    try:
        action(by=request.user, now=timezone.now())
    except actions.TooLate:
        return _refuse(request, order, refused)
    messages.success(request, done)
    return redirect("desk:order", order.reference)


def _refuse(request: DeskRequest, order: Order, refused: str) -> HttpResponse:
    messages.warning(request, refused)
    return redirect("desk:order", order.reference)


def _may_cancel(order: Order, tickets: list[Any]) -> bool:
    """Whether `actions.cancel_order` takes it: confirmed, and nobody with a valid ticket is in."""
    is_somebody_in = any(t.entered_at and t.status == Ticket.Status.VALID for t in tickets)
    return order.status == Order.Status.CONFIRMED and not is_somebody_in


def _order(reference: str) -> Order:
    orders = Order.objects.select_related("conference__organisation", "donation")
    return get_object_or_404(orders, reference=reference)


def _tickets(order: Order) -> list[Any]:
    """All tickets the order ever had, each with its entry."""
    return list(order.tickets.with_entry().select_related("ticket_type").order_by("pk"))


def _order_and_ticket(reference: str, number: int) -> tuple[Order, Any]:
    """The order and its ticket of this number, counted from 1; a ticket's code is in no address."""
    order = _order(reference)
    tickets = _tickets(order)
    if not 1 <= number <= len(tickets):
        raise Http404
    return order, tickets[number - 1]
