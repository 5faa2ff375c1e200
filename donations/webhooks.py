"""The inbox for what Stripe tells us: write it down, say thank you, look at it afterwards."""

import json
import logging
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from donations import actions, settlement, stripe_api
from donations.models import StripeEvent

logger = logging.getLogger(__name__)

# Bytes. Stripe's events are a few kilobytes; what was refused is found by asking Stripe.
LARGEST_EVENT = 256 * 1024

# Events that nothing follows from by itself: somebody must read them.
_FOR_A_PERSON = ("charge.dispute.", "radar.early_fraud_warning.", "payout.failed")


@csrf_exempt  # signed by Stripe instead
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a signed event once and answer 200; anything unsigned is a 400, a giant a 413."""
    from donations.tasks import process_event

    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_EVENT:
        return HttpResponse("Too large", status=413, content_type="text/plain")
    payload = request.body
    try:
        event = stripe_api.read_event(payload, request.headers.get("Stripe-Signature", ""))
    except stripe_api.BadEvent:
        return HttpResponse("Not signed", status=400, content_type="text/plain")
    right_mode = event.is_live == settings.STRIPE_LIVE
    try:
        with transaction.atomic():
            row = StripeEvent.objects.create(
                event_id=event.id,
                type=event.type,
                body=payload.decode(),
                received_at=timezone.now(),
                outcome=(
                    StripeEvent.Outcome.WAITING if right_mode else StripeEvent.Outcome.ATTENTION
                ),
                problem="" if right_mode else "It comes from Stripe's other mode.",
            )
            if right_mode:
                process_event.enqueue(row.pk)
    except IntegrityError:
        pass  # delivered again; the first one is kept
    return HttpResponse("Thank you", content_type="text/plain")


def process(event: StripeEvent, *, now: datetime) -> None:
    """Do what follows from one event, and note it. Looking twice at one event is harmless.

    Raises stripe_api.Unavailable where Stripe cannot be asked: the event goes on waiting.
    """
    if event.outcome != StripeEvent.Outcome.WAITING:
        return
    StripeEvent.objects.filter(pk=event.pk).update(attempts=event.attempts + 1)
    try:
        outcome, problem = _outcome(event, now), ""
    except stripe_api.Refused as error:
        outcome, problem = StripeEvent.Outcome.ATTENTION, str(error)
    StripeEvent.objects.filter(pk=event.pk).update(
        outcome=outcome, problem=problem, processed_at=now
    )


def _outcome(event: StripeEvent, now: datetime) -> StripeEvent.Outcome:
    # The body says only what to ask about; what is so is read from Stripe.
    about = json.loads(event.body)["data"]["object"]
    if event.type.startswith("checkout.session."):
        is_ours = settlement.settle(about["id"], now=now) is not None
    elif event.type.startswith("refund.") or event.type == "charge.refunded":
        refunds = [
            actions.book_refund(state, now=now)
            for state in stripe_api.refunds_of(about["payment_intent"])
        ]
        is_ours = any(refunds)
    elif event.type.startswith(_FOR_A_PERSON):
        logger.warning("Stripe tells of %s: see the desk", event.type)
        return StripeEvent.Outcome.ATTENTION
    else:
        is_ours = False
    return StripeEvent.Outcome.DONE if is_ours else StripeEvent.Outcome.NOT_OURS
