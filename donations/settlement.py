"""The one place where money becomes 'paid'.

Whoever hears that a payment may be through (the webhook inbox, the return page, the sweep) calls
`settle` with the session's id. It asks Stripe, and books what Stripe says under a lock, so it may
be called twice, at once and in any order.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from conference import mail
from conference.audit import record
from conference.models import User
from donations import stripe_api
from donations.models import Donation, Payment, Refund
from donations.stripe_api import Session

logger = logging.getLogger(__name__)

CURRENCY = "gbp"
# Of a payment's fields those that come from each of Stripe's answers.
_TOLD = ("session_id", "session_url", "status")
# How soon an open payment is asked about again by the sweep.
ASK_AGAIN = timedelta(minutes=3)
# A bank may take days over a payment that the payer has finished.
ASK_THE_BANK_AGAIN = timedelta(minutes=30)

# Confirms what a gift was promised with, in the same transaction; False where it cannot be had
# any more and the money must go back.
OnReceived = Callable[[Donation, datetime], bool]
_on_received: OnReceived | None = None


def register(on_received: OnReceived) -> None:
    """Name the function of the floor above that is told of a gift that has arrived."""
    global _on_received  # noqa: PLW0603 (the one registration, made at start)
    _on_received = on_received


def settle(session_id: str, *, now: datetime) -> Payment | None:
    """Book what Stripe says of a session; None where the session is none of ours.

    Raises stripe_api.Unavailable where Stripe cannot be asked: nothing is changed then.
    """
    payment = Payment.objects.filter(session_id=session_id).first()
    if payment is None:
        return None
    if payment.status in (Payment.Status.PAID, Payment.Status.PARKED):
        return payment
    try:
        session = stripe_api.retrieve_session(session_id)
    except stripe_api.Refused as error:
        return _park_unknown(payment, str(error), now)
    return book(payment, session, now=now)


def book(payment: Payment, session: Session, *, now: datetime) -> Payment:
    """Write what Stripe says of a payment's session, and do what follows from it."""
    with transaction.atomic():
        # Always the donation before its payments: one order of locks.
        donation = Donation.objects.select_for_update(no_key=True).get(pk=payment.donation_id)
        payment = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
        if payment.status in (Payment.Status.PAID, Payment.Status.PARKED):
            return payment
        payment.session_id = session.id
        payment.session_url = session.url
        if payment.status == Payment.Status.CLOSED and not session.is_paid:
            # What Stripe said a moment ago may come late: an end is not taken back by it.
            payment.save(update_fields=["session_id", "session_url"])
            return payment
        problem = _mismatch(payment, session)
        if problem:
            _park(payment, problem, now)
        elif session.is_paid:
            payment.status = Payment.Status.PAID
            payment.paid_at = now
            payment.payment_intent_id = session.payment_intent_id
            payment.save(update_fields=[*_TOLD, "paid_at", "payment_intent_id"])
            _receive(donation, payment, now)
        elif session.has_failed or session.status == "expired":
            payment.status = Payment.Status.CLOSED
            payment.save(update_fields=_TOLD)
        elif session.status == "complete":
            payment.status = Payment.Status.PROCESSING
            payment.check_at = now + ASK_THE_BANK_AGAIN
            payment.save(update_fields=[*_TOLD, "check_at"])
        elif payment.status != Payment.Status.PROCESSING:
            payment.status = Payment.Status.OPEN
            payment.check_at = now + ASK_AGAIN
            payment.save(update_fields=[*_TOLD, "check_at"])
    return payment


def _park_unknown(payment: Payment, problem: str, now: datetime) -> Payment:
    """Park a payment whose session Stripe does not know: another account's key, most likely."""
    with transaction.atomic():
        Donation.objects.select_for_update(no_key=True).get(pk=payment.donation_id)
        payment = Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)
        if payment.is_live:
            _park(payment, problem, now)
    return payment


def _mismatch(payment: Payment, session: Session) -> str:
    """What is wrong with Stripe's words about this payment, or nothing."""
    if session.is_live != settings.STRIPE_LIVE:
        return "The session belongs to Stripe's other mode."
    if session.currency != CURRENCY:
        return f"The session is in {session.currency}."
    if session.amount_pence != payment.amount_pence:
        return f"The session is over {session.amount_pence}p."
    if session.is_paid and not session.payment_intent_id:
        return "The session is paid without a payment intent."
    return ""


def _park(payment: Payment, problem: str, now: datetime) -> None:
    payment.status = Payment.Status.PARKED
    payment.problem = problem
    payment.save(update_fields=[*_TOLD, "problem"])
    record("payment parked", f"payment:{payment.pk}", now=now, problem=problem)
    logger.error("payment %s parked: %s", payment.pk, problem)


def _receive(donation: Donation, payment: Payment, now: datetime) -> None:
    """Take a payment as the gift it was promised as; what cannot be honoured goes back."""
    if donation.status in (Donation.Status.RECEIVED, Donation.Status.REFUNDED):
        begin_refund(payment, reason=Refund.Reason.PAID_TWICE, now=now)
        mail.write(
            key=f"paid twice:{payment.pk}",
            about=payment.request_body["metadata"]["reference"],
            to=donation.email,
            template="donations/emails/paid_twice",
            context={
                "amount_pence": payment.amount_pence,
                "organisation": donation.conference.organisation,
            },
            now=now,
        )
        return
    donation.status = Donation.Status.RECEIVED
    donation.amount_pence = payment.amount_pence
    donation.received_at = now
    donation.save(update_fields=["status", "amount_pence", "received_at"])
    if _on_received is not None and not _on_received(donation, now):
        donation.status = Donation.Status.REFUNDED
        donation.save(update_fields=["status"])
        begin_refund(payment, reason=Refund.Reason.NO_PLACES, now=now)


def begin_refund(
    payment: Payment,
    *,
    reason: Refund.Reason,
    amount_pence: int | None = None,
    by: User | None = None,
    now: datetime,
) -> Refund:
    """Write down that a payment goes back, all of it or so much, and have a worker ask Stripe.

    Called inside the transaction that decides it.
    """
    from donations.tasks import send_refund

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
