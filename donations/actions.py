"""Promising a donation, and paying it on Stripe's page."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from email_validator import EmailNotValidError, validate_email

from conference.models import Conference
from conference.queue import enqueue_once
from donations import settlement, stripe_api, unknown
from donations.models import ASK_AGAIN, Donation, Payment, Refund
from donations.tasks import send_refund

# How long Stripe's page stays open. Stripe allows 30 minutes to 24 hours; the extra minute allows
# for clocks that differ and slow calls.
SESSION_FOR = timedelta(minutes=31)
# A page that stays open for less than this is not offered again.
ENOUGH_TIME = timedelta(minutes=3)


class AlreadyReceived(Exception):
    """The donation has arrived: there is nothing to pay."""


class WithTheBank(Exception):
    """The payer has finished but the bank has not decided, or a parked payment waits for staff.

    Nothing may be changed until then.
    """


class CannotPayNow(Exception):
    """Stripe cannot be reached or will not open a session. Nothing is lost; try again later."""


@dataclass(frozen=True)
class Checkout:
    """What Stripe's page needs besides the donation itself."""

    reference: str
    description: str
    success_url: str
    cancel_url: str


def pledge(
    *, conference: Conference, name: str, email: str, amount_pence: int, now: datetime
) -> Donation:
    """Record the pledge of a donation of `amount_pence`, at least a pound."""
    return Donation.objects.create(
        conference=conference, name=name, email=email, amount_pence=amount_pence, created_at=now
    )


def start_checkout(*, donation: Donation, checkout: Checkout, now: datetime) -> Payment:
    """An open payment for the donation, with Stripe's page at its `session_url`.

    A page that is open already is returned again if its amount is right and it stays open for
    ENOUGH_TIME; otherwise it is closed first, so that there is never more than one. Raises
    AlreadyReceived, WithTheBank, or CannotPayNow.
    """
    undecided = list(donation.payments.filter(status__in=[*Payment.LIVE, Payment.Status.PARKED]))
    if any(payment.status == Payment.Status.PARKED for payment in undecided):
        raise WithTheBank
    if undecided:
        (live,) = undecided  # a constraint ensures that there is only one
        is_fresh = live.session_expires_at - now > ENOUGH_TIME
        if live.amount_pence == donation.amount_pence and is_fresh:
            if live.status == Payment.Status.OPEN:
                return live
        else:
            end_live_payment(donation=donation, now=now)
    payment = _begin(donation, checkout, now)
    try:
        payment = _call_stripe(payment, now)
    except stripe_api.Unavailable as error:
        raise CannotPayNow from error
    if payment.status == Payment.Status.OPEN:
        return payment
    if payment.status == Payment.Status.CLOSED and payment.created_at < now:
        # An earlier call that never reached Stripe, and by now Stripe refuses its `expires_at`.
        return start_checkout(donation=donation, checkout=checkout, now=now)
    raise CannotPayNow


def end_live_payment(*, donation: Donation, now: datetime) -> None:
    """Close Stripe's page for the donation, if one is open, so that nobody can pay it any more.

    Raises AlreadyReceived if the donation turns out to be paid (and has been booked), WithTheBank
    if that is not decided yet, CannotPayNow if Stripe cannot be asked.
    """
    payment = donation.payments.live().first()
    try:
        if payment is not None and payment.session_id is None:
            payment = _learn_outcome(payment, now)
        if payment is not None and payment.is_live and payment.session_id:
            payment = _end_session(payment, payment.session_id, now)
    except stripe_api.Unavailable as error:
        raise CannotPayNow from error
    donation.refresh_from_db()
    if donation.status in (Donation.Status.RECEIVED, Donation.Status.REFUNDED):
        raise AlreadyReceived
    if donation.payments.filter(status__in=Payment.UNDECIDED).exists():
        raise WithTheBank
    if payment is not None and payment.is_live:
        raise CannotPayNow


def correct_email(*, donation_pk: int, email: str) -> None:
    """Change a giver's address; a page that is open at Stripe keeps the old one."""
    Donation.objects.filter(pk=donation_pk).update(email=email)


def withdraw(*, donation: Donation) -> None:
    """Record that a pledged donation will not be given. End its live payment first."""
    Donation.objects.filter(pk=donation.pk, status=Donation.Status.PLEDGED).update(
        status=Donation.Status.WITHDRAWN
    )


def pledge_again(*, donation: Donation) -> None:
    """Pledge a refunded donation again; its payment and refund stay on record."""
    Donation.objects.filter(pk=donation.pk, status=Donation.Status.REFUNDED).update(
        status=Donation.Status.PLEDGED, received_at=None
    )


def set_amount(*, donation: Donation, amount_pence: int) -> None:
    """Change the pledged amount; this also pledges a withdrawn donation again.

    End its live payment first. A donation that has arrived stays as it is.
    """
    Donation.objects.filter(pk=donation.pk).exclude(
        status__in=[Donation.Status.RECEIVED, Donation.Status.REFUNDED]
    ).update(status=Donation.Status.PLEDGED, amount_pence=amount_pence)
    donation.refresh_from_db()


def ask_stripe(*, payment: Payment, now: datetime) -> Payment:
    """Ask Stripe about a live payment now and book the answer. Raises stripe_api.Unavailable."""
    if payment.session_id is None:
        return _learn_outcome(payment, now)
    return settlement.settle(payment.session_id, now=now) or payment


def note_return(*, donation: Donation, now: datetime) -> None:
    """Record that the payer returned from Stripe's page by its success URL."""
    donation.payments.live().filter(returned_at__isnull=True).update(returned_at=now)


def sweep(now: datetime) -> None:
    """Ask Stripe about open payments, and have workers ask about unfinished refunds."""
    for payment in Payment.objects.to_ask_about(now).order_by("check_at")[:50]:
        Payment.objects.filter(pk=payment.pk).update(check_at=now + ASK_AGAIN)
        try:
            ask_stripe(payment=payment, now=now)
        except stripe_api.Unavailable:
            return  # Stripe cannot be asked about the others either; the next sweep does
    unfinished = Refund.objects.filter(
        status__in=[Refund.Status.BEGUN, Refund.Status.PENDING], check_at__lte=now
    )
    enqueue_once(send_refund, unfinished.values_list("pk", flat=True)[:50])


def _begin(donation: Donation, checkout: Checkout, now: datetime) -> Payment:
    """The live payment whose session is to be opened at Stripe, created if there is none.

    Raises AlreadyReceived or WithTheBank.
    """
    with transaction.atomic():
        donation = Donation.objects.locked(donation.pk)
        if donation.status != Donation.Status.PLEDGED:
            raise AlreadyReceived
        live = donation.payments.live().first()
        if live is not None:
            if live.status == Payment.Status.PROCESSING:
                raise WithTheBank
            return live
        key = uuid.uuid4()
        expires_at = (now + SESSION_FOR).replace(microsecond=0)
        return Payment.objects.create(
            donation=donation,
            amount_pence=donation.amount_pence,
            idempotency_key=key,
            request_body=_session_body(donation, checkout, key, expires_at),
            session_expires_at=expires_at,
            check_at=now + ASK_AGAIN,
            created_at=now,
        )


def _session_body(
    donation: Donation, checkout: Checkout, key: uuid.UUID, expires_at: datetime
) -> dict[str, Any]:
    """The Checkout Session's parameters (docs.stripe.com/api/checkout/sessions/create)."""
    # By these a restored backup finds what it has forgotten (`donations.unknown`).
    metadata = {"reference": checkout.reference, "payment": key.hex, "site": unknown.site()}
    return {
        "mode": "payment",
        "submit_type": "donate",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": settlement.CURRENCY,
                    "unit_amount": donation.amount_pence,
                    "product_data": {"name": checkout.description},
                },
            }
        ],
        "client_reference_id": f"{checkout.reference}-{key.hex}",
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "customer_email": for_stripe(donation.email),
        "expires_at": int(expires_at.timestamp()),
        "locale": "en-GB",
        "adaptive_pricing": {"enabled": False},
        "success_url": checkout.success_url,
        "cancel_url": checkout.cancel_url,
    }


def for_stripe(email: str) -> str:
    """The address with its domain in ASCII (punycode), the only form that Stripe accepts.

    An invalid address is returned unchanged, for Stripe to refuse.
    """
    try:
        return validate_email(email, check_deliverability=False).ascii_email or email
    except EmailNotValidError:
        return email


def _learn_outcome(payment: Payment, now: datetime) -> Payment:
    """Find out the result of a call whose answer never reached us."""
    payment = _call_stripe(payment, now)
    if not payment.is_live or payment.session_id is None:
        return payment
    # To a repeated call Stripe repeats its first answer: ask for the session as it is now.
    return settlement.settle(payment.session_id, now=now) or payment


def _call_stripe(payment: Payment, now: datetime) -> Payment:
    """Open the session that the payment describes. Idempotent.

    A repeated call has the same idempotency key, so Stripe returns the session that it made then,
    or refuses to make one because `expires_at` has come too near. Two cases need a search among
    Stripe's sessions instead: after a day Stripe has forgotten the key, and after an error on
    Stripe's side it repeats only that error. A session that is not found was never shown to
    anybody, so the payment can be closed. Raises stripe_api.Unavailable.
    """
    session = None
    problem = "Stripe knows of no such session."
    try:
        if now - payment.created_at < stripe_api.KEY_KEPT_FOR:
            session = stripe_api.create_session(
                payment.request_body, key=str(payment.idempotency_key)
            )
    except stripe_api.Refused as error:
        return _never_opened(payment, str(error))
    except stripe_api.Broken as error:
        problem = str(error)
    session = session or stripe_api.find_session(
        payment.request_body["client_reference_id"],
        since=payment.created_at - timedelta(minutes=5),
    )
    if session is None:
        return _never_opened(payment, problem)
    return settlement.book(payment, session, now=now)


def _never_opened(payment: Payment, problem: str) -> Payment:
    Payment.objects.filter(pk=payment.pk, status=Payment.Status.BEGUN).update(
        status=Payment.Status.CLOSED, problem=problem
    )
    payment.refresh_from_db()
    return payment


def _end_session(payment: Payment, session_id: str, now: datetime) -> Payment:
    try:
        session = stripe_api.expire_session(session_id)
    except stripe_api.Refused:
        # It is not open any more: its time has run out, or somebody has just paid.
        return settlement.settle(session_id, now=now) or payment
    return settlement.book(payment, session, now=now)
