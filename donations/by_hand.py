"""What an organiser decides about money where Stripe's word and ours differ."""

from datetime import datetime

from django.db import transaction

from conference.audit import record
from conference.models import User
from donations import settlement
from donations.models import Donation, Payment, Refund, StripeEvent
from donations.refunds import mark_given_back


class AlreadyDealtWith(Exception):
    """Somebody else was faster, or there was nothing to decide."""


def close_parked(*, payment: Payment, by: User, now: datetime) -> None:
    """Note that a parked payment has been dealt with at Stripe and brings this site no gift.

    Its donation may then be paid anew, or its places be let go. Raises AlreadyDealtWith.
    """
    with transaction.atomic():
        changed = Payment.objects.filter(pk=payment.pk, status=Payment.Status.PARKED).update(
            status=Payment.Status.CLOSED
        )
        if not changed:
            raise AlreadyDealtWith
        record("payment closed by hand", f"payment:{payment.pk}", by=by, now=now)


def close_event(*, event: StripeEvent, by: User, now: datetime) -> None:
    """Note that somebody has dealt with what Stripe told. Raises AlreadyDealtWith."""
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
        again = settlement.begin_refund(
            refund.payment,
            amount_pence=refund.amount_pence,
            reason=Refund.Reason(refund.reason),
            by=by,
            now=now,
        )
        record("refund tried again", f"refund:{refund.pk}", by=by, now=now)
    return again


def paid_back_otherwise(*, refund: Refund, by: User, now: datetime) -> None:
    """Note that a refund which failed at Stripe was paid back by other means.

    Raises AlreadyDealtWith.
    """
    with transaction.atomic():
        refund = _locked_if_failed(refund)
        refund.status = Refund.Status.SUCCEEDED
        refund.by = by
        refund.is_by_hand = True
        refund.save(update_fields=["status", "by", "is_by_hand"])
        mark_given_back(refund.payment.donation)
        record("refund paid back otherwise", f"refund:{refund.pk}", by=by, now=now)


def bank_took_it_back(*, event: StripeEvent, by: User, now: datetime) -> None:
    """Note that the giver's bank took a gift back, as Stripe told in this event of a dispute.

    What is left of the gift counts as given back: for a dispute Stripe makes no refund. Raises
    AlreadyDealtWith.
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
        # Always the donation before its payments: one order of locks.
        donation = Donation.objects.select_for_update(no_key=True).get(pk=payment.donation_id)
        back = payment.refunds.exclude(status=Refund.Status.FAILED)
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
        mark_given_back(donation)
        record(
            "bank took it back", f"payment:{payment.pk}", by=by, now=now, amount_pence=left_pence
        )


def _locked_if_failed(refund: Refund) -> Refund:
    """The refund under its donation's lock; AlreadyDealtWith unless it failed and still counts."""
    # Always the donation before its payments: one order of locks.
    Donation.objects.select_for_update(of=("self",), no_key=True).get(payments__refunds=refund)
    locked = Refund.objects.failed_for_good().filter(pk=refund.pk).first()
    if locked is None:
        raise AlreadyDealtWith
    return locked
