"""From an order to Stripe's page and back, and what people can do who have not paid."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import donations.actions
from conference.limits import Limit, network_of, take
from donations import stripe_api
from donations.models import Payment
from tickets import actions
from tickets.forms import GiftForm
from tickets.models import Order
from tickets.views.access import order_action, order_by_secret, private

# Payments in an hour. People who test stolen cards make many, so each order and each network has a
# limit. An address has none: anybody could use it up for its owner.
PAYMENTS_OF_AN_ORDER = 12
PAYMENTS_OF_A_NETWORK = 60
# How often one order's page may ask Stripe in ten minutes.
QUESTIONS = 60

# Why a pledged donation cannot be paid, changed or dropped; `_not_now` shows the reason.
_NOT_NOW = (
    actions.AlreadyConfirmed,
    actions.NotReserved,
    donations.actions.AlreadyReceived,
    donations.actions.WithTheBank,
    donations.actions.CannotPayNow,
)


def onward(request: HttpRequest, order: Order, *, now: datetime) -> HttpResponse:
    """Redirect to Stripe's page, or to the order's own if it cannot be paid (now)."""
    if order.status != Order.Status.RESERVED:
        return redirect(order)
    hour = timedelta(hours=1)
    its_own = Limit("pay", order.reference, PAYMENTS_OF_AN_ORDER, hour)
    network = Limit("pay", network_of(request), PAYMENTS_OF_A_NETWORK, hour)
    # One after the other: what its own limit refuses does not count for the whole network.
    if not (take(its_own, now=now) and take(network, now=now)):
        messages.warning(
            request,
            _(
                "There were many tries to pay from here. Your places are kept. Try again later, "
                "or take the tickets without a donation."
            ),
        )
        return redirect(order)
    try:
        payment = actions.start_payment(order=order, now=now)
    except donations.actions.CannotPayNow:
        messages.warning(
            request,
            _(
                "The payment page cannot be reached right now. Your places are kept and nothing "
                "was charged. Try again in a few minutes."
            ),
        )
        return redirect(order)
    except _NOT_NOW as error:
        return _not_now(request, order, error)
    return redirect(payment.session_url)


@private
@require_safe
def returned(request: HttpRequest, secret: str) -> HttpResponse:
    """Where Stripe sends people who have paid: ask Stripe, then show the order as it is."""
    order = order_by_secret(secret)
    now = timezone.now()
    if order.donation is not None:
        donations.actions.note_return(donation=order.donation, now=now)
    ask_stripe_about(order, now=now)
    return redirect(order)


def ask_stripe_about(order: Order, *, now: datetime) -> None:
    """Ask Stripe about a reserved order's live payment and book the answer, if there is one."""
    if order.status != Order.Status.RESERVED or order.donation is None:
        return
    payment = order.donation.payments.live().exclude(status=Payment.Status.BEGUN).first()
    often = Limit("ask", order.reference, QUESTIONS, timedelta(minutes=10))
    if payment is None or not take(often, now=now):
        return
    try:
        donations.actions.ask_stripe(payment=payment, now=now)
    except stripe_api.Unavailable:
        return
    order.refresh_from_db()


@order_action
def pay(request: HttpRequest, secret: str) -> HttpResponse:
    """Go to Stripe's page again, unless the donation has been paid in another tab meanwhile."""
    order = order_by_secret(secret)
    now = timezone.now()
    ask_stripe_about(order, now=now)
    return onward(request, order, now=now)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def change_amount(request: HttpRequest, secret: str) -> HttpResponse:
    """Choose another amount and pay it; or choose no donation, and get the tickets."""
    order = order_by_secret(secret)
    if order.status != Order.Status.RESERVED:
        return redirect(order)
    form = GiftForm(request.POST if request.method == "POST" else None, conference=order.conference)
    if not form.is_valid():
        context = {
            "order": order,
            "conference": order.conference,
            "form": form,
            "is_kept": timezone.now() < order.expires_at,
        }
        return render(request, "tickets/change_amount.html", context)
    if not form.gift_pence:
        return _take_without_gift(request, order)
    now = timezone.now()
    try:
        actions.set_gift(order=order, gift_pence=form.gift_pence, now=now)
    except _NOT_NOW as error:
        return _not_now(request, order, error)
    return onward(request, order_by_secret(secret), now=now)


@order_action
def without_donation(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the tickets without a donation."""
    return _take_without_gift(request, order_by_secret(secret))


@order_action
def retake(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the places of an expired order again."""
    order = order_by_secret(secret)
    try:
        actions.retake(order=order, now=timezone.now())
    except actions.AlreadyConfirmed:
        pass
    except actions.SoldOut:
        messages.warning(request, _("There are not enough places left for this order any more."))
    except actions.Closed:
        messages.warning(request, _("Reservations are closed."))
    return redirect(order)


def _take_without_gift(request: HttpRequest, order: Order) -> HttpResponse:
    try:
        actions.take_without_gift(order=order, now=timezone.now())
    except _NOT_NOW as error:
        return _not_now(request, order, error)
    return redirect(order)


def _not_now(request: HttpRequest, order: Order, error: Exception) -> HttpResponse:
    if isinstance(error, donations.actions.AlreadyReceived):
        messages.info(request, _("Your donation has arrived after all. Thank you."))
    elif isinstance(error, donations.actions.WithTheBank):
        messages.info(
            request, _("Your bank is still at work on the payment. We wait for its answer.")
        )
    elif isinstance(error, donations.actions.CannotPayNow):
        messages.warning(
            request,
            _(
                "The payment page cannot be reached, so we cannot close it yet. Your places are "
                "kept. Try again in a few minutes."
            ),
        )
    return redirect(order)
