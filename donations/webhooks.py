"""The inbox for what Stripe tells us: write it down, say thank you, look at it afterwards."""

import logging
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from conference.limits import is_allowed
from conference.queue import withdraw
from donations import refunds, settlement, stripe_api
from donations.models import Payment, StripeEvent

logger = logging.getLogger(__name__)

# Bytes. Stripe's events are a few kilobytes; what was refused is found by asking Stripe.
LARGEST_EVENT = 256 * 1024

# How long and over how many events a worker stays with the inbox before it looks for other work.
INBOX_FOR = 1.0  # seconds
INBOX_EVENTS = 200

# How often Stripe is asked for events that did not reach us, and how far back: Stripe keeps them
# for thirty days.
FETCH_EVERY = timedelta(minutes=10)
FETCH_BACK = timedelta(days=30)
# Of our payments the sweep asks itself; what happens to them afterwards only events tell.
_OF_USE = (
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "radar.early_fraud_warning.created",
    "payout.failed",
)

# An outcome, and what is wrong.
Result = tuple[StripeEvent.Outcome, str]

# Events that nothing follows from by itself: somebody must read them.
_FOR_A_PERSON = ("charge.dispute.", "radar.early_fraud_warning.", "payout.failed")


@csrf_exempt  # signed by Stripe instead
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a signed event once and answer 200; anything unsigned is a 400, a giant a 413."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_EVENT:
        return HttpResponse("Too large", status=413, content_type="text/plain")
    try:
        event = stripe_api.read_event(request.body, request.headers.get("Stripe-Signature", ""))
    except stripe_api.BadEvent:
        return HttpResponse("Not signed", status=400, content_type="text/plain")
    _keep(event, now=timezone.now())
    return HttpResponse("Thank you", content_type="text/plain")


def _keep(event: stripe_api.Event, *, now: datetime) -> None:
    """Write an event down and have a worker look at it; one that is known changes nothing."""
    from donations.tasks import process_inbox as look

    right_mode = event.is_live == settings.STRIPE_LIVE
    try:
        with transaction.atomic():
            StripeEvent.objects.create(
                event_id=event.id,
                type=event.type,
                about_id=event.about_id,
                payment_intent_id=event.payment_intent_id,
                received_at=now,
                outcome=(
                    StripeEvent.Outcome.WAITING if right_mode else StripeEvent.Outcome.ATTENTION
                ),
                problem="" if right_mode else "It comes from Stripe's other mode.",
            )
            if right_mode:
                look.enqueue()
    except IntegrityError:
        pass  # delivered again; the first one is kept


def sweep(now: datetime) -> None:
    """Look again at events that wait or came too early, and fetch those that never reached us."""
    _take_up_early_ones()
    for step in (_look_again, _fetch_lost):
        try:
            step(now)
        except stripe_api.Unavailable as error:
            logger.warning("Stripe cannot be asked about its events: %s", error)


def _take_up_early_ones() -> None:
    """Of a refund we may hear before we know the payment by its intent, which is booked later."""
    ours = Payment.objects.exclude(payment_intent_id=None).values("payment_intent_id")
    StripeEvent.objects.filter(
        Q(type__startswith="refund.") | Q(type="charge.refunded"),
        outcome=StripeEvent.Outcome.NOT_OURS,
        payment_intent_id__in=ours,
    ).update(outcome=StripeEvent.Outcome.WAITING)


def _look_again(now: datetime) -> None:
    # Here, not in a worker: while Stripe is away that would only be kept from the mails.
    waiting = StripeEvent.objects.filter(outcome=StripeEvent.Outcome.WAITING)
    if waiting.filter(received_at__lt=now - timedelta(minutes=2)).exists():
        process_inbox(now=now)


def _fetch_lost(now: datetime) -> None:
    if not is_allowed("lost events", "sweep", times=1, within=FETCH_EVERY, now=now):
        return
    received = StripeEvent.objects.filter(received_at__gte=now - FETCH_BACK)
    known = set(received.values_list("event_id", flat=True))
    for event in stripe_api.undelivered_events(_OF_USE, since=now - FETCH_BACK):
        if event.id not in known:
            _keep(event, now=now)


def process_inbox(*, now: datetime) -> None:
    """Look at the events that wait, the oldest first, for INBOX_FOR; what is left comes next.

    Each event brought a task of its own. One that is done takes the work from those that wait; an
    event that is written down meanwhile has its task still to come. Raises
    stripe_api.Unavailable where Stripe cannot be asked: the rest waits for the sweep.
    """
    from donations.tasks import process_inbox as look

    began = monotonic()
    # First, and only then the events: whoever's task is seen here, their event is seen below.
    withdraw(look)
    waiting = StripeEvent.objects.filter(outcome=StripeEvent.Outcome.WAITING)
    events = list(waiting.order_by("received_at")[: INBOX_EVENTS + 1])
    looked_at: dict[Result, list[int]] = {}
    try:
        for number, event in enumerate(events):
            if number == INBOX_EVENTS or monotonic() - began > INBOX_FOR:
                look.enqueue()
                break
            looked_at.setdefault(_result(event, now), []).append(event.pk)
    finally:
        # Noted at the end: to look twice at an event, should we not come so far, is harmless.
        for (outcome, problem), pks in looked_at.items():
            StripeEvent.objects.filter(pk__in=pks).update(
                outcome=outcome, problem=problem, processed_at=now
            )


def _result(event: StripeEvent, now: datetime) -> Result:
    """Do what follows from one event; what has become of it.

    Raises stripe_api.Unavailable where Stripe cannot be asked, OperationalError or InterfaceError
    where the database cannot.
    """
    try:
        return _outcome(event, now), ""
    except (stripe_api.Unavailable, OperationalError, InterfaceError):
        raise
    except stripe_api.Refused as error:
        # Stripe does not know what it told us of.
        return StripeEvent.Outcome.ATTENTION, f"{type(error).__name__}: {error}"
    except Exception as error:
        # A mistake of ours about one event must not keep back the others.
        logger.exception("event %s cannot be processed", event.event_id)
        return StripeEvent.Outcome.ATTENTION, f"{type(error).__name__}: see the log"


def _outcome(event: StripeEvent, now: datetime) -> StripeEvent.Outcome:
    # An event says only what to ask about; what is so is read from Stripe.
    if event.type.startswith("checkout.session."):
        if not event.about_id:
            return StripeEvent.Outcome.ATTENTION  # told in a way that is new to us
        is_ours = settlement.settle(event.about_id, now=now) is not None
    elif event.type.startswith("refund.") or event.type == "charge.refunded":
        intent_id = event.payment_intent_id  # none where it was no payment of Checkout
        states = stripe_api.refunds_of(intent_id) if intent_id else []
        booked = [refunds.book(state, now=now) for state in states]
        is_ours = any(booked)
    elif event.type.startswith(_FOR_A_PERSON):
        logger.warning("Stripe tells of %s: see the desk", event.type)
        return StripeEvent.Outcome.ATTENTION
    else:
        is_ours = False
    return StripeEvent.Outcome.DONE if is_ours else StripeEvent.Outcome.NOT_OURS
