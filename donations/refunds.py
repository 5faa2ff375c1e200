"""Giving money back: asking Stripe for what was written down, and booking what it says."""

import logging
import uuid
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from conference.audit import record
from donations import settlement, stripe_api
from donations.models import Donation, Payment, Refund

logger = logging.getLogger(__name__)


def send(*, refund: Refund, now: datetime) -> None:
    """Ask Stripe for a refund that was written down, or how it is getting on.

    Does nothing where another worker is at it.
    """
    if refund.status not in (Refund.Status.BEGUN, Refund.Status.PENDING):
        return
    claimed = Refund.objects.filter(pk=refund.pk, check_at=refund.check_at).update(
        check_at=now + settlement.ASK_THE_BANK_AGAIN
    )
    if not claimed:
        return
    try:
        book(_at_stripe(refund, now), now=now, refund=refund)
    except stripe_api.Broken as error:
        Refund.objects.filter(pk=refund.pk).update(problem=str(error))
        raise
    except stripe_api.Refused as error:
        _refused(refund, str(error), now)


def book(
    state: stripe_api.RefundState, *, now: datetime, refund: Refund | None = None
) -> Refund | None:
    """Write what Stripe says of a refund; one made on Stripe's own pages is written down as such.

    None where it refunds nothing of ours.
    """
    status = {
        "succeeded": Refund.Status.SUCCEEDED,
        "failed": Refund.Status.FAILED,
        "canceled": Refund.Status.FAILED,
    }.get(state.status, Refund.Status.PENDING)
    with transaction.atomic():
        payment = Payment.objects.filter(payment_intent_id=state.payment_intent_id).first()
        if payment is None:
            return None
        donation = Donation.objects.select_for_update(no_key=True).get(pk=payment.donation_id)
        known = Refund.objects.filter(refund_id=state.id).first() or refund
        if known is None and state.our_mark.isdecimal():
            # Ours, with Stripe's answer lost on the way.
            known = payment.refunds.filter(pk=int(state.our_mark)).first()
        elif known is None:
            # Made by hand at Stripe, perhaps in the place of one of ours that is not there yet.
            known = payment.refunds.filter(
                refund_id=None, status=Refund.Status.BEGUN, amount_pence=state.amount_pence
            ).first()
        if known is not None and known.is_by_hand:
            return known  # Stripe tells late of what somebody has put right meanwhile
        if status == Refund.Status.FAILED and (known is None or known.status != status):
            record(
                "refund failed", f"payment:{payment.pk}", now=now, amount_pence=state.amount_pence
            )
            logger.error("a refund of payment %s failed: see the desk", payment.pk)
        if known is None:
            known = Refund(
                payment=payment,
                amount_pence=state.amount_pence,
                reason=Refund.Reason.AT_STRIPE,
                created_at=now,
            )
        known.refund_id = state.id
        known.status = status
        known.problem = ""
        known.check_at = now + settlement.ASK_THE_BANK_AGAIN
        known.save()
        mark_given_back(donation)
    return known


def mark_given_back(donation: Donation) -> None:
    """Call a gift 'refunded' while all its money is going back; a failed refund undoes that."""
    payments = donation.payments.filter(status=Payment.Status.PAID)
    paid = sum(payment.amount_pence for payment in payments)
    refunds = Refund.objects.filter(payment__in=payments).exclude(status=Refund.Status.FAILED)
    back = sum(refund.amount_pence for refund in refunds)
    status = Donation.Status.REFUNDED if back >= paid else Donation.Status.RECEIVED
    if donation.status in (Donation.Status.RECEIVED, Donation.Status.REFUNDED):
        Donation.objects.filter(pk=donation.pk).update(status=status)


def _at_stripe(refund: Refund, now: datetime) -> stripe_api.RefundState:
    """The refund as Stripe has it, made there unless it was made before."""
    if refund.refund_id:
        return stripe_api.retrieve_refund(refund.refund_id)
    intent_id = str(refund.payment.payment_intent_id)
    if refund.problem or now - refund.created_at >= stripe_api.KEY_KEPT_FOR:
        # Its key brings nothing new any more: look whether the money went, else take a new one.
        for state in stripe_api.refunds_of(intent_id):
            if state.our_mark == str(refund.pk):
                return state
        refund.idempotency_key = uuid.uuid4()
        refund.save(update_fields=["idempotency_key"])
    return stripe_api.create_refund(
        payment_intent_id=intent_id,
        amount_pence=refund.amount_pence,
        key=str(refund.idempotency_key),
        our_mark=str(refund.pk),
        reason=refund.reason,
    )


def _refused(refund: Refund, problem: str, now: datetime) -> None:
    """Stripe will not make a refund: perhaps it was made by hand there, else a person must look."""
    with suppress(stripe_api.Refused):  # Stripe may not even know the payment
        for state in stripe_api.refunds_of(str(refund.payment.payment_intent_id)):
            book(state, now=now)
    with transaction.atomic():
        donation = Donation.objects.select_for_update(no_key=True).get(
            pk=refund.payment.donation_id
        )
        failed = Refund.objects.filter(pk=refund.pk, refund_id__isnull=True).update(
            status=Refund.Status.FAILED, problem=problem
        )
        if failed:
            mark_given_back(donation)
            record("refund refused", f"payment:{refund.payment_id}", now=now, problem=problem)
            logger.error("Stripe refused a refund of payment %s", refund.payment_id)
