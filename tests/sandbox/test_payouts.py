"""Payouts and what they are made of."""

from collections.abc import Callable

import pytest
import stripe

from sandbox.errors import Refusal
from sandbox.server import Sandbox


def test_transactions_of_a_payout_sum_to_it(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    first, second = paid(), paid()
    client.v1.refunds.create({"payment_intent": first, "amount": 500})
    refund = client.v1.refunds.create({"payment_intent": second, "amount": 100})
    sandbox.fail_refund(refund.id)
    payout = client.v1.payouts.retrieve(sandbox.payout()["id"])
    assert (payout.status, payout.reconciliation_status) == ("paid", "completed")
    booked = client.v1.balance_transactions.list({"payout": payout.id, "limit": 100}).data
    assert [each.type for each in booked] == [
        "payout",
        "refund_failure",
        "refund",
        "refund",
        "charge",
        "charge",
    ]
    assert booked[0].net == -payout.amount
    assert sum(each.net for each in booked[1:]) == payout.amount == 2 * 1457 - 500
    assert [event["type"] for event in sandbox.events][-3:] == [
        "payout.created",
        "payout.paid",
        "payout.reconciliation_completed",
    ]


def test_payout_takes_only_what_waits(sandbox: Sandbox, paid: Callable[..., str]) -> None:
    paid()
    assert sandbox.payout()["amount"] == 1457
    with pytest.raises(Refusal, match="nothing to pay out"):
        sandbox.payout()


def test_payout_that_comes_back_is_paid_out_again(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    paid()
    first = sandbox.payout()["id"]
    sandbox.fail_payout(first)
    payout = client.v1.payouts.retrieve(first)
    assert (payout.status, payout.failure_code) == ("failed", "account_closed")
    assert sandbox.events[-1]["type"] == "payout.failed"
    second = sandbox.payout()
    assert second["amount"] == 1457
    booked = client.v1.balance_transactions.list({"payout": second["id"]}).data
    assert [(each.type, each.net) for each in booked] == [
        ("payout", -1457),
        ("payout_failure", 1457),
    ]
    assert [each.id for each in client.v1.payouts.list({"status": "failed"}).data] == [first]


def test_transaction_becomes_available_after_three_days(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    paid()
    (booked,) = client.v1.balance_transactions.list().data
    assert booked.status == "pending"
    sandbox.advance(3 * 24 * 60 * 60)
    assert client.v1.balance_transactions.retrieve(booked.id).status == "available"
