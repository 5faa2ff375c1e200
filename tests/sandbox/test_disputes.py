"""Disputes and early fraud warnings."""

from collections.abc import Callable

import pytest
import stripe

from sandbox.errors import Refusal
from sandbox.server import Sandbox


def types(sandbox: Sandbox) -> list[str]:
    return [event["type"] for event in sandbox.events][3:]


@pytest.mark.parametrize("won", [True, False])
def test_dispute_takes_the_money_until_it_is_won(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str], won: bool
) -> None:
    intent = paid()
    dispute_id = sandbox.dispute(intent)["id"]
    dispute = client.v1.disputes.retrieve(dispute_id, {"expand": ["charge"]})
    assert (dispute.status, dispute.amount, dispute.payment_intent) == (
        "needs_response",
        1500,
        intent,
    )
    assert dispute.charge.disputed is True
    assert [booked.net for booked in dispute.balance_transactions] == [-3500]
    sandbox.answer_dispute(dispute_id)
    assert client.v1.disputes.retrieve(dispute_id).status == "under_review"
    sandbox.close_dispute(dispute_id, won=won)
    dispute = client.v1.disputes.retrieve(dispute_id)
    assert dispute.status == ("won" if won else "lost")
    nets = [booked.net for booked in dispute.balance_transactions]
    assert nets == ([-3500, 1500] if won else [-3500])
    assert types(sandbox) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        *(["charge.dispute.funds_reinstated"] if won else []),
        "charge.dispute.closed",
    ]
    with pytest.raises(Refusal, match="This dispute is"):
        sandbox.close_dispute(dispute_id)


def test_dispute_is_over_what_was_not_refunded(sandbox: Sandbox, paid: Callable[..., str]) -> None:
    intent = paid()
    sandbox.refund(intent, 500)
    assert sandbox.dispute(intent)["amount"] == 1000
    with pytest.raises(Refusal, match="can be disputed, once"):
        sandbox.dispute(intent)


def test_fraud_warning_moves_no_money(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    intent = paid()
    before = client.v1.balance_transactions.list().data
    warning = sandbox.warn_of_fraud(intent)
    (listed,) = client.v1.radar.early_fraud_warnings.list({"payment_intent": intent}).data
    assert (listed.id, listed.actionable) == (warning["id"], True)
    assert types(sandbox) == ["radar.early_fraud_warning.created"]
    assert [b.id for b in client.v1.balance_transactions.list().data] == [b.id for b in before]
