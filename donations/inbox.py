"""Processes the inbox of Stripe's events.

An event says only what to ask Stripe about; the current state is always read from Stripe. So
processing events twice, or in another order, has the same result.
"""

import logging
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Q

from conference.database import AWAY
from donations import refunds, settlement, stripe_api, unknown
from donations.models import Payment, StripeEvent

logger = logging.getLogger(__name__)

# The most time and events of one run: a worker has other tasks too.
LONGEST = 1.0  # seconds
MOST_EVENTS = 200
# An event that waits for longer has lost its task, or Stripe could not be asked.
LATE_AFTER = timedelta(minutes=2)

# Events that a person must read, because no action of ours follows from them.
_FOR_A_PERSON = ("charge.dispute.", "radar.early_fraud_warning.", "payout.failed")

# Events after which a session's money is here or on its way.
_COMPLETED = ("checkout.session.completed", "checkout.session.async_payment_succeeded")

# The outcome of an event, and its problem ('' for none).
Result = tuple[StripeEvent.Outcome, str]


def process(*, now: datetime) -> bool:
    """Process waiting events, oldest first, for LONGEST at most; return whether more are left.

    Raises stripe_api.Unavailable if Stripe cannot be asked. The remaining events then wait for
    the sweep.
    """
    began = monotonic()
    waiting = StripeEvent.objects.filter(outcome=StripeEvent.Outcome.WAITING)
    events = list(waiting.order_by("received_at")[: MOST_EVENTS + 1])
    looked_at: dict[Result, list[int]] = {}
    try:
        for number, event in enumerate(events):
            if number == MOST_EVENTS or monotonic() - began > LONGEST:
                return True
            looked_at.setdefault(_result(event, now), []).append(event.pk)
    finally:
        # One UPDATE for all events with the same result. If it is never reached, the events are
        # processed once more, which does no harm.
        for (outcome, problem), pks in looked_at.items():
            StripeEvent.objects.filter(pk__in=pks).update(
                outcome=outcome, problem=problem, processed_at=now
            )
    return False


def has_late_events(now: datetime) -> bool:
    """Whether an event has been waiting for longer than LATE_AFTER."""
    return StripeEvent.objects.filter(
        outcome=StripeEvent.Outcome.WAITING, received_at__lt=now - LATE_AFTER
    ).exists()


def take_up_early_events() -> None:
    """Have events about refunds processed again if their payment has become known since.

    Stripe may report a refund before the payment, and until then the payment intent in the event
    is unknown here.
    """
    ours = Payment.objects.exclude(payment_intent_id=None).values("payment_intent_id")
    StripeEvent.objects.filter(
        Q(type__startswith="refund.") | Q(type="charge.refunded"),
        outcome=StripeEvent.Outcome.NOT_OURS,
        payment_intent_id__in=ours,
    ).update(outcome=StripeEvent.Outcome.WAITING)


def _result(event: StripeEvent, now: datetime) -> Result:
    """Process one event and return the result.

    Raises stripe_api.Unavailable if Stripe cannot be asked, one of AWAY if the database cannot.
    """
    try:
        return _outcome(event, now), ""
    except (stripe_api.Unavailable, *AWAY):
        raise
    except stripe_api.Refused as error:
        # Stripe does not know what its own event is about.
        return StripeEvent.Outcome.ATTENTION, f"{type(error).__name__}: {error}"
    except Exception as error:
        # An error with one event must not hold up the others.
        logger.exception("event %s cannot be processed", event.event_id)
        return StripeEvent.Outcome.ATTENTION, f"{type(error).__name__}: see the log"


def _outcome(event: StripeEvent, now: datetime) -> StripeEvent.Outcome:
    if event.type.startswith("checkout.session."):
        if not event.about_id:
            return StripeEvent.Outcome.ATTENTION  # the event has a shape that is new to us
        is_ours = settlement.settle(event.about_id, now=now) is not None
        if not is_ours and event.type in _COMPLETED:
            is_ours = unknown.report_one(event.about_id, now=now)
    elif event.type.startswith("refund.") or event.type == "charge.refunded":
        intent_id = event.payment_intent_id  # empty where the payment did not come from Checkout
        states = stripe_api.refunds_of(intent_id) if intent_id else []
        booked = [refunds.book(state, now=now) for state in states]
        is_ours = any(booked)
    elif event.type.startswith(_FOR_A_PERSON):
        logger.warning("Stripe tells of %s: see the desk", event.type)
        return StripeEvent.Outcome.ATTENTION
    else:
        is_ours = False
    return StripeEvent.Outcome.DONE if is_ours else StripeEvent.Outcome.NOT_OURS
