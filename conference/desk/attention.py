"""What a person must look at: each matter with what to do, and a button for when it is done."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conference import clocks
from conference.desk.access import DeskRequest, desk_page
from conference.desk.frame import show
from conference.desk.open_matters import (
    events,
    failed_refunds,
    open_matters,
    parked_payments,
    with_their_payments,
)
from donations import by_hand
from donations.models import Payment, Refund, StripeEvent
from tickets.actions import restoring

# At most so many of each kind on the page; the others follow once these are dealt with.
_SHOWN = 100


@desk_page
@require_safe
def attention(request: DeskRequest) -> HttpResponse:
    """All open matters, of all conferences."""
    now = timezone.now()
    context = {
        "now": now,
        "matters": open_matters(now),
        "parked": parked_payments()[:_SHOWN],
        "refunds": failed_refunds()[:_SHOWN],
        "events": with_their_payments(list(events()[:_SHOWN])),
    }
    return show(request, "attention", context)


@desk_page
@require_POST
def send_withheld(request: DeskRequest) -> HttpResponse:
    """What was waiting in a restored backup is to be sent."""
    return _decide(request, restoring.send_withheld)


@desk_page
@require_POST
def drop_withheld(request: DeskRequest) -> HttpResponse:
    """What was waiting in a restored backup is not to be sent."""
    return _decide(request, restoring.drop_withheld)


@desk_page
@require_POST
def clock_is_right(request: DeskRequest) -> HttpResponse:
    """The clock that has leapt is right now."""
    return _decide(request, clocks.call_clock_right)


@desk_page
@require_POST
def close_payment(request: DeskRequest, key: uuid.UUID) -> HttpResponse:
    """A parked payment has been dealt with at Stripe."""
    payment = get_object_or_404(Payment, idempotency_key=key)
    return _decide(request, by_hand.close_parked, payment=payment)


@desk_page
@require_POST
def close_event(request: DeskRequest, event_id: str) -> HttpResponse:
    """An event of Stripe's has been dealt with."""
    event = get_object_or_404(StripeEvent, event_id=event_id)
    return _decide(request, by_hand.close_event, event=event)


@desk_page
@require_POST
def took_back(request: DeskRequest, event_id: str) -> HttpResponse:
    """The giver's bank has taken the money back."""
    event = get_object_or_404(StripeEvent, event_id=event_id)
    return _decide(request, by_hand.bank_took_it_back, event=event)


@desk_page
@require_POST
def refund_again(request: DeskRequest, key: uuid.UUID) -> HttpResponse:
    """A refund that failed is asked for once more."""
    refund = get_object_or_404(Refund, idempotency_key=key)
    return _decide(request, by_hand.refund_again, refund=refund)


@desk_page
@require_POST
def paid_back(request: DeskRequest, key: uuid.UUID) -> HttpResponse:
    """A refund that failed has been paid back by other means."""
    refund = get_object_or_404(Refund, idempotency_key=key)
    return _decide(request, by_hand.paid_back_otherwise, refund=refund)


def _decide(request: DeskRequest, action: Callable[..., object], **about: Any) -> HttpResponse:
    try:
        action(by=request.user, now=timezone.now(), **about)
    except (by_hand.AlreadyDealtWith, clocks.KeepsTime, restoring.NothingToAnswer):
        messages.warning(request, _("Somebody has dealt with this already."))
    else:
        messages.success(request, _("Noted."))
    return redirect("desk:attention")
