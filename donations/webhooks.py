"""Stripe's events: stored as they arrive at the webhook, or fetched if they never arrived.

Nothing else happens while Stripe waits for our response. A worker processes the events
(`donations/inbox.py`).
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from conference.limits import Limit, take
from donations import inbox, stripe_api
from donations.models import StripeEvent
from donations.tasks import process_inbox

logger = logging.getLogger(__name__)

# Bytes. Stripe's events are a few kilobytes; the sweep fetches one that is refused.
LARGEST_EVENT = 256 * 1024

# How often Stripe is asked for events that did not reach us, and how far back: Stripe keeps them
# for thirty days.
FETCH_EVERY = timedelta(minutes=10)
FETCH_BACK = timedelta(days=30)
# Only these are fetched. Our open payments are asked about by the sweep (`donations.actions`);
# what happens to a payment afterwards is only known from events.
_FETCHED = (
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


@csrf_exempt  # signed by Stripe instead
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a signed event once and answer 200; 400 for an unsigned one, 413 for a huge one."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_EVENT:
        return HttpResponse("Too large", status=413, content_type="text/plain")
    try:
        event = stripe_api.read_event(request.body, request.headers.get("Stripe-Signature", ""))
    except (stripe_api.BadEvent, RawPostDataException):  # the latter: sent as a multipart form
        return HttpResponse("Not signed", status=400, content_type="text/plain")
    _store(event, now=timezone.now())
    return HttpResponse("Thank you", content_type="text/plain")


def sweep(now: datetime) -> None:
    """Process events that wait for too long or came too early, and fetch those that we missed."""
    inbox.take_up_early_events()
    for step in (_process_late_events, _fetch_missed_events):
        try:
            step(now)
        except stripe_api.Unavailable as error:
            logger.warning("Stripe cannot be asked about its events: %s", error)


def _process_late_events(now: datetime) -> None:
    # Not in a worker: while Stripe cannot be reached, a worker that waits for it would send no
    # mail.
    if inbox.has_late_events(now) and inbox.process(now=now):
        process_inbox.enqueue()


def _fetch_missed_events(now: datetime) -> None:
    if not take(Limit("lost events", "sweep", 1, FETCH_EVERY), now=now):
        return
    received = StripeEvent.objects.filter(received_at__gte=now - FETCH_BACK)
    known = set(received.values_list("event_id", flat=True))
    for event in stripe_api.undelivered_events(_FETCHED, since=now - FETCH_BACK):
        if event.id not in known:
            _store(event, now=now)


def _store(event: stripe_api.Event, *, now: datetime) -> None:
    """Store an event and have a worker process it. Idempotent."""
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
                process_inbox.enqueue()
    except IntegrityError:
        pass  # Stripe delivers an event more than once; the first one is kept
