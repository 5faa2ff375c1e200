"""What an organiser decides about money where Stripe's word and ours differ."""

from datetime import datetime

from django.db import transaction

from conference.audit import record
from conference.models import User
from donations import settlement
from donations.actions import mark_given_back
from donations.models import Donation, Payment, Refund, StripeEvent


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
            refund.payment, reason=Refund.Reason(refund.reason), now=now
        )
        Refund.objects.filter(pk=again.pk).update(by=by, amount_pence=refund.amount_pence)
        again.refresh_from_db()
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
        refund.save(update_fields=["status", "by"])
        mark_given_back(refund.payment.donation)
        record("refund paid back otherwise", f"refund:{refund.pk}", by=by, now=now)


def _locked_if_failed(refund: Refund) -> Refund:
    """The refund under its donation's lock; AlreadyDealtWith unless it failed and still counts."""
    # Always the donation before its payments: one order of locks.
    Donation.objects.select_for_update().get(payments__refunds=refund)
    locked = Refund.objects.failed_for_good().filter(pk=refund.pk).first()
    if locked is None:
        raise AlreadyDealtWith
    return locked
