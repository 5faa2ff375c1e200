"""Refunds by the API and from the Dashboard, and those that fail later."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.server import Sandbox

Refused = Callable[..., tuple[Any, ...]]


def types(sandbox: Sandbox) -> list[str]:
    """The types of the events after a payment's own three."""
    return [event["type"] for event in sandbox.events][3:]


def test_refund_of_part_leaves_the_rest(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    intent = paid()
    refund = client.v1.refunds.create(
        {
            "payment_intent": intent,
            "amount": 500,
            "reason": "requested_by_customer",
            "metadata": {"refund": "R1"},
            "expand": ["charge", "balance_transaction"],
        }
    )
    assert (refund.status, refund.amount, refund.payment_intent) == ("succeeded", 500, intent)
    assert (refund.charge.amount_refunded, refund.charge.refunded) == (500, False)
    assert "refunds" not in refund.charge
    assert (refund.balance_transaction.net, refund.balance_transaction.type) == (-500, "refund")
    assert refund.metadata.to_dict() == {"refund": "R1"}
    assert types(sandbox) == ["charge.refunded", "refund.created"]
    assert sandbox.events[-2]["data"]["previous_attributes"] == {"amount_refunded": 0}


def test_refund_without_amount_gives_back_what_is_left(
    client: stripe.StripeClient, paid: Callable[..., str]
) -> None:
    intent = paid()
    client.v1.refunds.create({"payment_intent": intent, "amount": 500})
    refund = client.v1.refunds.create({"payment_intent": intent, "expand": ["charge"]})
    assert (refund.amount, refund.charge.refunded) == (1000, True)


def test_refund_refuses_more_than_is_left(
    client: stripe.StripeClient, paid: Callable[..., str], refused: Refused
) -> None:
    intent = paid()
    invalid = (400, "invalid_request_error")
    assert refused(client.v1.refunds.create, {"payment_intent": intent, "amount": 1501}) == (
        *invalid,
        None,
        "amount",
        "Refund amount (£15.01) is greater than charge amount (£15.00)",
    )
    client.v1.refunds.create({"payment_intent": intent, "amount": 500})
    assert refused(client.v1.refunds.create, {"payment_intent": intent, "amount": 1001}) == (
        *invalid,
        None,
        "amount",
        "Refund amount (£10.01) is greater than unrefunded amount on charge (£10.00)",
    )
    client.v1.refunds.create({"payment_intent": intent})
    answer = refused(client.v1.refunds.create, {"payment_intent": intent})
    assert answer[:3] == (*invalid, "charge_already_refunded")


@pytest.mark.parametrize(
    ("given", "status", "code", "param"),
    [
        ({}, 400, "parameter_missing", "payment_intent"),
        ({"payment_intent": "pi_no"}, 404, "resource_missing", "payment_intent"),
        ({"charge": "ch_no"}, 404, "resource_missing", "charge"),
        ({"charge": "ch_no", "payment_intent": "pi_no"}, 400, "parameters_exclusive", "charge"),
        ({"payment_intent": "pi_no", "amount": 0}, 400, "parameter_invalid_integer", "amount"),
        ({"payment_intent": "pi_no", "reason": "none"}, 400, None, "reason"),
        ({"payment_intent": "pi_no", "note": "x"}, 400, "parameter_unknown", "note"),
    ],
)
def test_refund_refuses(
    client: stripe.StripeClient,
    refused: Refused,
    given: dict[str, Any],
    status: int,
    code: str | None,
    param: str,
) -> None:
    answer = refused(client.v1.refunds.create, given)
    assert answer[:4] == (status, "invalid_request_error", code, param)


def test_refund_refuses_payment_that_has_not_succeeded(
    client: stripe.StripeClient, sandbox: Sandbox, checkout: Callable[..., Any], refused: Refused
) -> None:
    intent = sandbox.pay_later(checkout().id)["payment_intent"]
    answer = refused(client.v1.refunds.create, {"payment_intent": intent})
    assert answer[4] == (
        f"This PaymentIntent ({intent}) does not have a successful charge to refund."
    )


def test_refund_refuses_disputed_payment(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str], refused: Refused
) -> None:
    intent = paid()
    sandbox.dispute(intent)
    answer = refused(client.v1.refunds.create, {"payment_intent": intent})
    assert answer[:3] == (400, "invalid_request_error", "charge_disputed")


def test_refund_from_the_dashboard_has_no_request(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    intent = paid()
    refund = sandbox.refund(intent, 700)
    assert client.v1.refunds.retrieve(refund["id"]).amount == 700
    assert sandbox.events[-1]["request"] == {"id": None, "idempotency_key": None}


def test_refund_that_fails_later_makes_the_charge_whole_again(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    intent = paid()
    refund_id = client.v1.refunds.create({"payment_intent": intent}).id
    sandbox.fail_refund(refund_id)
    refund = client.v1.refunds.retrieve(
        refund_id, {"expand": ["charge", "failure_balance_transaction"]}
    )
    assert (refund.status, refund.failure_reason) == ("failed", "expired_or_canceled_card")
    assert (refund.charge.amount_refunded, refund.charge.refunded) == (0, False)
    assert refund.failure_balance_transaction.net == 1500
    assert types(sandbox)[2:] == ["refund.updated", "refund.failed"]
    assert client.v1.refunds.create({"payment_intent": intent}).status == "succeeded"


def test_refund_to_a_bank_account_is_pending_until_it_arrives(
    client: stripe.StripeClient, sandbox: Sandbox, checkout: Callable[..., Any]
) -> None:
    session = sandbox.pay_later(checkout().id)
    sandbox.settle_later(session["id"])
    refund = client.v1.refunds.create({"payment_intent": session["payment_intent"]})
    assert (refund.status, refund.id[:4]) == ("pending", "pyr_")
    sandbox.settle_refund(refund.id)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert sandbox.events[-1]["type"] == "refund.updated"
    assert sandbox.events[-1]["data"]["previous_attributes"] == {"status": "pending"}
