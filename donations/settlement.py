"""The one place where a payment becomes 'paid'.

The inbox of Stripe's events, the page to which Stripe sends payers back, and the sweep all call
`settle` with the id of a Checkout Session. It asks Stripe, and books the answer under a lock.
Several calls for one session, in any order or at the same time, end as one call would.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import transaction

from conference.audit import record
from donations import mails, refunds, stripe_api
from donations.models import ASK_AGAIN, ASK_THE_BANK_AGAIN, Donation, Payment, Refund
from donations.stripe_api import Session

logger = logging.getLogger(__name__)

CURRENCY = "gbp"
# The fields of a payment that each of Stripe's answers sets.
_TOLD = ("session_id", "session_url", "status")

# Confirms the order that a donation was pledged with, in the same transaction. Returns False
# if its places are gone, so that the money must be refunded.
OnReceived = Callable[[Donation, datetime], bool]
_on_received: OnReceived | None = None


def register(on_received: OnReceived) -> None:
    """Set the function to be called when a donation has arrived; tickets/apps.py does so."""
    global _on_received  # noqa: PLW0603 (the one registration, made at start)
    _on_received = on_received


def settle(session_id: str, *, now: datetime) -> Payment | None:
    """Ask Stripe about a session and book the answer; None if the session is not ours.

    Raises stripe_api.Unavailable if Stripe cannot be asked; nothing is changed then.
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
    """Book the state of a payment's session at Stripe, and do what follows from it."""
    with transaction.atomic():
        donation, payment = _locked(payment)
        if payment.status in (Payment.Status.PAID, Payment.Status.PARKED):
            return payment
        payment.session_id = session.id
        payment.session_url = session.url
        if payment.status == Payment.Status.CLOSED and not session.is_paid:
            # This answer may be older than the one that closed the payment, which stays closed.
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
    """Park a payment whose session Stripe does not know.

    Most likely our key was replaced by that of another Stripe account.
    """
    with transaction.atomic():
        _donation, payment = _locked(payment)
        if payment.is_live:
            _park(payment, problem, now)
    return payment


def _locked(payment: Payment) -> tuple[Donation, Payment]:
    """The payment's donation and the payment, both locked and read again."""
    donation = Donation.objects.locked(payment.donation_id)
    return donation, Payment.objects.select_for_update(no_key=True).get(pk=payment.pk)


def _mismatch(payment: Payment, session: Session) -> str:
    """How Stripe's answer contradicts the payment as we know it; '' if it does not."""
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
    """Book a payment as its donation, or refund it: if it is a second one, or places are gone."""
    if donation.status in (Donation.Status.RECEIVED, Donation.Status.REFUNDED):
        refunds.begin(payment, reason=Refund.Reason.PAID_TWICE, now=now)
        mails.paid_twice(donation=donation, payment=payment, now=now)
        return
    donation.status = Donation.Status.RECEIVED
    donation.amount_pence = payment.amount_pence
    donation.received_at = now
    donation.save(update_fields=["status", "amount_pence", "received_at"])
    if _on_received is not None and not _on_received(donation, now):
        donation.status = Donation.Status.REFUNDED
        donation.save(update_fields=["status"])
        refunds.begin(payment, reason=Refund.Reason.NO_PLACES, now=now)
