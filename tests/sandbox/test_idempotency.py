"""Idempotency keys, as Stripe documents them."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from sandbox.server import Sandbox

Refused = Callable[..., tuple[Any, ...]]
Params = Callable[..., dict[str, Any]]


def headers(response: Any) -> dict[str, str]:
    """The idempotency headers of an SDK object's response."""
    names = ("idempotency-key", "idempotent-replayed", "original-request")
    found = response.last_response.headers
    return {name: found[name] for name in names if name in found}


def test_same_key_and_body_replays_the_first_answer(
    client: stripe.StripeClient, session_params: Params
) -> None:
    create = client.v1.checkout.sessions.create
    first = create(session_params(), {"idempotency_key": "order-1"})
    again = create(session_params(), {"idempotency_key": "order-1"})
    assert again.id == first.id
    assert headers(first) == {"idempotency-key": "order-1"}
    assert headers(again) == {
        "idempotency-key": "order-1",
        "idempotent-replayed": "true",
        "original-request": first.last_response.request_id,
    }
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_replay_is_what_was_answered_then(
    client: stripe.StripeClient, sandbox: Sandbox, session_params: Params
) -> None:
    create = client.v1.checkout.sessions.create
    soon = sandbox.clock.now() + 31 * 60
    first = create(session_params(expires_at=soon), {"idempotency_key": "k"})
    sandbox.pay(first.id)
    sandbox.advance(20 * 60)  # by now expires_at would be refused
    again = create(session_params(expires_at=soon), {"idempotency_key": "k"})
    assert (again.id, again.status) == (first.id, "open")


def test_same_key_with_another_body_or_address_is_refused(
    client: stripe.StripeClient, session_params: Params, refused: Refused
) -> None:
    create = client.v1.checkout.sessions.create
    session = create(session_params(), {"idempotency_key": "k"})
    answer = refused(create, session_params(cancel_url=None), {"idempotency_key": "k"})
    assert answer[:2] == (400, "idempotency_error")
    expire = client.v1.checkout.sessions.expire
    answer = refused(expire, session.id, {}, {"idempotency_key": "k"})
    assert answer[:2] == (400, "idempotency_error")


def test_refused_parameters_are_not_kept(
    client: stripe.StripeClient, session_params: Params, refused: Refused
) -> None:
    create = client.v1.checkout.sessions.create
    answer = refused(create, session_params(locale="xx"), {"idempotency_key": "k"})
    assert answer[0] == 400
    assert create(session_params(), {"idempotency_key": "k"}).status == "open"


def test_what_failed_under_way_is_kept(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str], refused: Refused
) -> None:
    intent = paid()
    refund = sandbox.refund(intent, 1000)
    create = client.v1.refunds.create
    given = {"payment_intent": intent, "amount": 900}
    first = refused(create, given, {"idempotency_key": "k"})
    sandbox.fail_refund(refund["id"])  # now there would be enough
    assert refused(create, given, {"idempotency_key": "k"}) == first
    assert create(given, {"idempotency_key": "k2"}).amount == 900


def test_key_is_forgotten_after_a_day(
    client: stripe.StripeClient, sandbox: Sandbox, session_params: Params
) -> None:
    create = client.v1.checkout.sessions.create
    first = create(session_params(), {"idempotency_key": "k"})
    sandbox.advance(24 * 60 * 60)
    assert create(session_params(), {"idempotency_key": "k"}).id != first.id


def test_same_key_at_the_same_time_is_a_conflict(
    sandbox: Sandbox, http: Callable[..., requests.Response]
) -> None:
    sandbox.faults.add_call("hang", path="/v1/refunds", seconds=600)
    given = {"Authorization": "Bearer sk_test_local", "Idempotency-Key": "k"}
    hanging = threading.Thread(
        target=lambda: requests.post(f"{sandbox.base_url}/v1/refunds", headers=given)
    )
    hanging.start()
    while sandbox.faults.waiting():
        time.sleep(0.005)
    answer = http("POST", "/v1/refunds", headers=given)
    sandbox.faults.clear()
    hanging.join()
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "idempotency_key_in_use"


@pytest.mark.parametrize("length", [255, 256])
def test_key_may_have_255_characters(http: Callable[..., requests.Response], length: int) -> None:
    given = {"Authorization": "Bearer sk_test_local", "Idempotency-Key": "k" * length}
    message = http("POST", "/v1/refunds", headers=given).json()["error"]["message"]
    assert ("up to 255" in message) == (length > 255)


def test_key_of_a_get_means_nothing(
    client: stripe.StripeClient, checkout: Callable[..., Any]
) -> None:
    sessions = client.v1.checkout.sessions
    checkout()
    assert len(sessions.list({}, {"idempotency_key": "k"}).data) == 1
    checkout()
    assert len(sessions.list({}, {"idempotency_key": "k"}).data) == 2


def test_one_key_from_many_threads_makes_one_session(
    client_of: Callable[..., stripe.StripeClient], sandbox: Sandbox, session_params: Params
) -> None:
    client = client_of(sandbox)
    made: list[str] = []

    def create() -> None:
        try:
            session = client.v1.checkout.sessions.create(session_params(), {"idempotency_key": "k"})
            made.append(session.id)
        except stripe.APIError as error:
            made.append(str(error.http_status))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (only,) = client.v1.checkout.sessions.list().data
    assert len(made) == 8
    assert set(made) <= {only.id, "409"}
