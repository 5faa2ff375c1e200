"""Money on its way, as Stripe and we know of it."""

from typing import Any

import requests
from django.utils import timezone

from donations import refunds
from donations.models import Payment, Refund
from donations.settlement import settle
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.factories import make_order
from tickets import actions


def at_stripe(stripe: Sandbox, what: str) -> list[dict[str, Any]]:
    """All sessions or refunds that Stripe knows, newest first."""
    return requests.get(
        f"{stripe.base_url}/v1/{what}",
        headers={"Authorization": "Bearer sk_test_local"},
        params={"limit": 100},
        timeout=10,
    ).json()["data"]


def open_payment(**fields: Any) -> Payment:
    """A payment of £15 whose page at Stripe is open; `fields` are those of its order."""
    return actions.start_payment(order=make_order(gift_pence=1500, **fields), now=timezone.now())


def paid(stripe: Sandbox, clock: Clock) -> Payment:
    """A payment of £15 that has arrived."""
    payment = actions.start_payment(order=make_order(gift_pence=1500), now=clock.now())
    stripe.pay(str(payment.session_id))
    payment = settle(str(payment.session_id), now=clock.now()) or payment
    assert payment.status == Payment.Status.PAID
    return payment


def begun_refund(payment: Payment, clock: Clock) -> Refund:
    """All of a payment on its way back; Stripe has not been asked yet."""
    return refunds.begin(payment, reason=Refund.Reason.ASKED, now=clock.now())
