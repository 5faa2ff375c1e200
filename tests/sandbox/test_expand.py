"""Ids are ids unless expanded."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.server import Sandbox

Refused = Callable[..., tuple[Any, ...]]


def test_links_are_ids_unless_expanded(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    intent = client.v1.payment_intents.retrieve(paid())
    charge = client.v1.charges.retrieve(intent.latest_charge)
    refund = client.v1.refunds.create({"charge": charge.id})
    booked = client.v1.balance_transactions.retrieve(refund.balance_transaction)
    assert (charge.payment_intent, refund.payment_intent) == (intent.id, intent.id)
    assert (refund.charge, booked.source) == (charge.id, refund.id)


def test_expand_reaches_through_lists_and_several_levels(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    refund = sandbox.refund(paid(), 100)
    given = {"type": "refund", "expand": ["data.source.charge.payment_intent"]}
    (booked,) = client.v1.balance_transactions.list(given).data
    assert booked.source.id == refund["id"]
    assert booked.source.charge.payment_intent.status == "succeeded"


def test_expand_of_nothing_stays_null(
    client: stripe.StripeClient, checkout: Callable[..., Any]
) -> None:
    session = client.v1.checkout.sessions.retrieve(checkout().id, {"expand": ["payment_intent"]})
    assert session.payment_intent is None


@pytest.mark.parametrize("path", ["colour", "metadata", "a.b.c.d.e", "payment_intent.customer"])
def test_expand_refuses_what_cannot_be(
    client: stripe.StripeClient,
    sandbox: Sandbox,
    checkout: Callable[..., Any],
    refused: Refused,
    path: str,
) -> None:
    session_id = checkout().id
    sandbox.pay(session_id)
    answer = refused(client.v1.checkout.sessions.retrieve, session_id, {"expand": [path]})
    assert answer[:4] == (400, "invalid_request_error", None, "expand")
