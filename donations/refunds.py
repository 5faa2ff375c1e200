"""Refunds: created here, requested from Stripe by a worker, then booked."""

import logging
import uuid
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from conference.audit import record
from conference.models import User
from donations import stripe_api
from donations.models import ASK_AGAIN, ASK_THE_BANK_AGAIN, Donation, Payment, Refund

logger = logging.getLogger(__name__)


def begin(
    payment: Payment,
    *,
    reason: Refund.Reason,
    amount_pence: int | None = None,
    by: User | None = None,
    now: datetime,
) -> Refund:
    """Create a refund of `amount_pence`, or of the whole payment, and have a worker ask Stripe.

    Call it inside the transaction that decides on the refund.
    """
    # donations.tasks imports this module, directly and through the inbox and the settlement.
    from donations.tasks import send_refund  # noqa: PLC0415 (the circle described above)

    refund = Refund.objects.create(
        payment=payment,
        amount_pence=payment.amount_pence if amount_pence is None else amount_pence,
        reason=reason,
        by=by,
        created_at=now,
        check_at=now + ASK_AGAIN,
    )
    send_refund.enqueue(refund.pk)
    return refund


def send(*, refund: Refund, now: datetime) -> None:
    """Ask Stripe to make a refund, or for its state if it was requested before.

    Does nothing if another worker is asking. Raises stripe_api.Unavailable.
    """
    if refund.status not in (Refund.Status.BEGUN, Refund.Status.PENDING):
        return
    claimed = Refund.objects.filter(pk=refund.pk, check_at=refund.check_at).update(
        check_at=now + ASK_THE_BANK_AGAIN
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
    """Book the state of a refund at Stripe, also of one that was made in Stripe's dashboard.

    `refund` is our row for it, where the caller knows it. Returns None for a refund of a payment
    that is not ours.
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
        donation = Donation.objects.locked(payment.donation_id)
        known = Refund.objects.filter(refund_id=state.id).first() or refund
        if known is None and state.our_mark.isdecimal():
            # Made by our call, whose answer was lost on the way.
            known = payment.refunds.filter(pk=int(state.our_mark)).first()
        elif known is None:
            # Made in Stripe's dashboard, perhaps instead of one that we have yet to request.
            known = payment.refunds.filter(
                refund_id=None, status=Refund.Status.BEGUN, amount_pence=state.amount_pence
            ).first()
        if known is not None and known.is_by_hand:
            return known  # a member of staff has decided since, and what Stripe says is older
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
        known.check_at = now + ASK_THE_BANK_AGAIN
        known.save()
        mark_given_back(donation)
    return known


def mark_given_back(donation: Donation) -> None:
    """Set a donation to 'refunded' if its refunds cover all that was paid, else to 'received'.

    Refunds that failed do not count. The donation must be locked.
    """
    payments = donation.payments.filter(status=Payment.Status.PAID)
    paid = sum(payment.amount_pence for payment in payments)
    refunds = Refund.objects.not_failed().filter(payment__in=payments)
    back = sum(refund.amount_pence for refund in refunds)
    status = Donation.Status.REFUNDED if back >= paid else Donation.Status.RECEIVED
    if donation.status in (Donation.Status.RECEIVED, Donation.Status.REFUNDED):
        Donation.objects.filter(pk=donation.pk).update(status=status)


def _at_stripe(refund: Refund, now: datetime) -> stripe_api.RefundState:
    """The refund as Stripe has it; it is made there now unless it was made before."""
    if refund.refund_id:
        return stripe_api.retrieve_refund(refund.refund_id)
    intent_id = str(refund.payment.payment_intent_id)
    if refund.problem or now - refund.created_at >= stripe_api.KEY_KEPT_FOR:
        # Stripe repeats an old error for this key, or has forgotten it. So check whether the refund
        # was made, and if not, request it under a new key.
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
    """Record that Stripe refused a refund, unless it turns out to have been made there already."""
    with suppress(stripe_api.Refused):  # Stripe may not know the payment at all
        for state in stripe_api.refunds_of(str(refund.payment.payment_intent_id)):
            book(state, now=now)
    with transaction.atomic():
        donation = Donation.objects.locked(refund.payment.donation_id)
        failed = Refund.objects.filter(pk=refund.pk, refund_id__isnull=True).update(
            status=Refund.Status.FAILED, problem=problem
        )
        if failed:
            mark_given_back(donation)
            record("refund refused", f"payment:{refund.payment_id}", now=now, problem=problem)
            logger.error("Stripe refused a refund of payment %s", refund.payment_id)
