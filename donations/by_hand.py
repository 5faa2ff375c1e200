"""What an organiser decides about money, where Stripe's record and ours differ."""

from datetime import datetime

from django.db import transaction

from conference.audit import record
from conference.models import User
from donations import refunds
from donations.models import Donation, Payment, Refund, StripeEvent


class AlreadyDealtWith(Exception):
    """Somebody else has decided meanwhile, or there is nothing to decide."""


def close_parked(*, payment: Payment, by: User, now: datetime) -> None:
    """Close a parked payment that has been dealt with at Stripe and counts as no donation here.

    After that its donation can be paid by another payment, or its places be released. Raises
    AlreadyDealtWith.
    """
    with transaction.atomic():
        changed = Payment.objects.filter(pk=payment.pk, status=Payment.Status.PARKED).update(
            status=Payment.Status.CLOSED
        )
        if not changed:
            raise AlreadyDealtWith
        record("payment closed by hand", f"payment:{payment.pk}", by=by, now=now)


def close_event(*, event: StripeEvent, by: User, now: datetime) -> None:
    """Record that somebody has dealt with an event of Stripe's. Raises AlreadyDealtWith."""
    with transaction.atomic():
        changed = StripeEvent.objects.filter(
            pk=event.pk, outcome=StripeEvent.Outcome.ATTENTION
        ).update(outcome=StripeEvent.Outcome.DONE, processed_at=now)
        if not changed:
            raise AlreadyDealtWith
        record("event dealt with", event.event_id, by=by, now=now, type=event.type)


def refund_again(*, refund: Refund, by: User, now: datetime) -> Refund:
    """Ask Stripe once more for a refund that failed. Raises AlreadyDealtWith."""
    with transaction.atomic():
        refund = _locked_if_failed(refund)
        again = refunds.begin(
            refund.payment,
            amount_pence=refund.amount_pence,
            reason=Refund.Reason(refund.reason),
            by=by,
            now=now,
        )
        record("refund tried again", f"refund:{refund.pk}", by=by, now=now)
    return again


def paid_back_otherwise(*, refund: Refund, by: User, now: datetime) -> None:
    """Record that a refund which failed at Stripe was paid back by other means.

    Raises AlreadyDealtWith.
    """
    with transaction.atomic():
        refund = _locked_if_failed(refund)
        refund.status = Refund.Status.SUCCEEDED
        refund.by = by
        refund.is_by_hand = True
        refund.save(update_fields=["status", "by", "is_by_hand"])
        refunds.mark_given_back(refund.payment.donation)
        record("refund paid back otherwise", f"refund:{refund.pk}", by=by, now=now)


def bank_took_it_back(*, event: StripeEvent, by: User, now: datetime) -> None:
    """Record that the giver's bank took a donation back after the dispute in this event.

    Stripe makes no refund then, so one is created here for the part that was not refunded before.
    Raises AlreadyDealtWith.
    """
    with transaction.atomic():
        close_event(event=event, by=by, now=now)
        payment = (
            Payment.objects.filter(payment_intent_id=event.payment_intent_id)
            .exclude(payment_intent_id="")
            .first()
        )
        if payment is None:
            raise AlreadyDealtWith
        donation = Donation.objects.locked(payment.donation_id)
        back = payment.refunds.not_failed()
        left_pence = payment.amount_pence - sum(refund.amount_pence for refund in back)
        if left_pence <= 0:
            raise AlreadyDealtWith
        Refund.objects.create(
            payment=payment,
            amount_pence=left_pence,
            reason=Refund.Reason.DISPUTED,
            status=Refund.Status.SUCCEEDED,
            by=by,
            is_by_hand=True,
            created_at=now,
            check_at=now,
        )
        refunds.mark_given_back(donation)
        record(
            "bank took it back", f"payment:{payment.pk}", by=by, now=now, amount_pence=left_pence
        )


def _locked_if_failed(refund: Refund) -> Refund:
    """The refund as it is now, its donation locked.

    Raises AlreadyDealtWith unless it failed and was not tried again since.
    """
    Donation.objects.locked(refund.payment.donation_id)
    locked = Refund.objects.failed_for_good().filter(pk=refund.pk).first()
    if locked is None:
        raise AlreadyDealtWith
    return locked
