"""Webhooks as they arrive at an endpoint, verified by the SDK."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.server import Sandbox, start
from tests.sandbox.shop import SECRET, Endpoint, params

COMPLETED = "checkout.session.completed"


@pytest.fixture
def pay(sending: Sandbox, client_of: Callable[..., stripe.StripeClient]) -> Callable[[], str]:
    """Create and pay a session of the sandbox that sends; its id."""
    sessions = client_of(sending).v1.checkout.sessions

    def call() -> str:
        session_id = sessions.create(params()).id
        sending.pay(session_id)
        return session_id

    return call


def test_webhook_is_signed_and_shaped_as_stripes(
    sending: Sandbox, endpoint: Endpoint, pay: Callable[[], str]
) -> None:
    session_id = pay()
    assert sending.wait_for_webhooks()
    (event,) = endpoint.events
    assert event.type == COMPLETED
    assert event.data.object.id == session_id
    assert event.data.object.payment_status == "paid"
    assert (event.api_version, event.livemode) == ("2026-10-28.endive", False)
    assert event.pending_webhooks == 1
    assert event.request.to_dict() == {"id": None, "idempotency_key": None}
    assert endpoint.bodies[0].startswith(b'{\n  "id": "evt_')
    listed = sending.events[-1]
    assert (listed["id"], listed["pending_webhooks"]) == (event.id, 0)


def test_webhook_of_a_call_names_the_call(
    sending: Sandbox, endpoint: Endpoint, client_of: Callable[..., stripe.StripeClient]
) -> None:
    sessions = client_of(sending).v1.checkout.sessions
    session = sessions.expire(sessions.create(params()).id, {}, {"idempotency_key": "k"})
    assert sending.wait_for_webhooks()
    (event,) = endpoint.events
    assert event.request.to_dict() == {
        "id": session.last_response.request_id,
        "idempotency_key": "k",
    }


def test_signature_breaks_with_another_secret_or_body(
    sending: Sandbox, endpoint: Endpoint, pay: Callable[[], str]
) -> None:
    pay()
    assert sending.wait_for_webhooks()
    (body,), (signature,) = endpoint.bodies, endpoint.signatures
    for wrong in ((body, "whsec_other"), (body.replace(b"1500", b"1501"), SECRET)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(wrong[0], signature, wrong[1])


def test_signature_uses_real_time_whatever_the_clock_says(
    sending: Sandbox, endpoint: Endpoint, pay: Callable[[], str]
) -> None:
    sending.advance(-24 * 60 * 60)
    pay()
    assert sending.wait_for_webhooks()
    assert endpoint.types == [COMPLETED]


def test_failed_delivery_is_retried(
    sending: Sandbox, endpoint: Endpoint, pay: Callable[[], str]
) -> None:
    endpoint.answers = [500, 302]
    pay()
    assert sending.wait_for_webhooks()
    assert endpoint.types == [COMPLETED] * 3
    assert len({event.id for event in endpoint.events}) == 1
    delivery = sending.delivery(endpoint.events[0].id)
    outcomes = [attempt["outcome"] for attempt in delivery["attempts"]]
    assert (delivery["status"], outcomes) == ("delivered", ["500", "302", "200"])


def test_delivery_that_never_succeeds_is_listed(
    sending: Sandbox,
    endpoint: Endpoint,
    pay: Callable[[], str],
    client_of: Callable[..., stripe.StripeClient],
) -> None:
    events = client_of(sending).v1.events
    endpoint.answers = [500] * 3
    pay()
    assert sending.wait_for_webhooks()
    (lost,) = events.list({"delivery_success": False}).data
    assert (lost.type, lost.pending_webhooks) == (COMPLETED, 1)
    sending.resend(lost.id)
    assert sending.wait_for_webhooks()
    assert events.list({"delivery_success": False}).data == []
    assert [event.id for event in endpoint.events] == [lost.id] * 4


def test_switched_off_webhooks_are_lost_until_resent(
    sending: Sandbox,
    endpoint: Endpoint,
    pay: Callable[[], str],
    client_of: Callable[..., stripe.StripeClient],
) -> None:
    sending.deliver_webhooks(False)
    pay()
    sending.deliver_webhooks(True)
    assert sending.wait_for_webhooks()
    assert endpoint.types == []
    (lost,) = client_of(sending).v1.events.list({"delivery_success": False}).data
    sending.resend(lost.id)
    assert sending.wait_for_webhooks()
    assert endpoint.types == [COMPLETED]


def test_duplicate_arrives_twice(
    sending: Sandbox, endpoint: Endpoint, pay: Callable[[], str]
) -> None:
    sending.faults.add_delivery("duplicate", types=COMPLETED)
    pay()
    pay()
    assert sending.wait_for_webhooks()
    first, again, second = endpoint.events
    assert (first.id == again.id, first.id == second.id) == (True, False)


def test_delay_lets_later_events_pass(
    sending: Sandbox, endpoint: Endpoint, pay: Callable[[], str]
) -> None:
    sending.faults.add_delivery("delay", types=COMPLETED, seconds=3)
    sending.refund(pay())
    assert sending.wait_for_webhooks()
    assert endpoint.types == ["charge.refunded", "refund.created", COMPLETED]


def test_drop_never_arrives(sending: Sandbox, endpoint: Endpoint, pay: Callable[[], str]) -> None:
    sending.faults.add_delivery("drop", types="checkout.*", times=None)
    sending.refund(pay())
    assert sending.wait_for_webhooks()
    assert endpoint.types == ["charge.refunded", "refund.created"]
    dropped = next(event for event in sending.events if event["type"] == COMPLETED)
    assert sending.delivery(dropped["id"]) == {
        "id": dropped["id"],
        "status": "dropped",
        "attempts": [],
    }


def test_endpoint_that_is_down_is_no_trouble(
    client_of: Callable[..., stripe.StripeClient],
) -> None:
    nowhere = "http://127.0.0.1:9/stripe/webhook/"
    with start(webhook_url=nowhere, webhook_secret=SECRET, retry_seconds=()) as sandbox:
        sandbox.pay(client_of(sandbox).v1.checkout.sessions.create(params()).id)
        assert sandbox.wait_for_webhooks()
        delivery = sandbox.delivery(sandbox.events[-1]["id"])
        assert delivery["status"] == "failed"
        assert [attempt["outcome"] for attempt in delivery["attempts"]] == [
            "ConnectionRefusedError"
        ]


def test_without_endpoint_nothing_is_undelivered(
    client: stripe.StripeClient, sandbox: Sandbox, checkout: Callable[..., Any]
) -> None:
    sandbox.pay(checkout().id)
    assert client.v1.events.list({"delivery_success": False}).data == []
    body, signature = sandbox.signed(sandbox.events[-1]["id"])
    event = stripe.Webhook.construct_event(body, signature, SECRET)
    assert event.id == json.loads(body)["id"] == sandbox.events[-1]["id"]


def test_address_of_endpoint_must_be_http() -> None:
    with pytest.raises(ValueError, match="not an http or https address"):
        start(webhook_url="site.test/webhook", webhook_secret=SECRET)
