"""Faults in calls, seen through the SDK."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.server import Sandbox

Refused = Callable[..., tuple[Any, ...]]
Params = Callable[..., dict[str, Any]]
KEY = {"idempotency_key": "k"}


def test_500_does_nothing_and_is_replayed(
    client: stripe.StripeClient, sandbox: Sandbox, session_params: Params, refused: Refused
) -> None:
    sandbox.faults.add_call("500", path="/v1/checkout/sessions", method="POST")
    create = client.v1.checkout.sessions.create
    assert refused(create, session_params(), KEY)[:2] == (500, "api_error")
    assert refused(create, session_params(), KEY)[:2] == (500, "api_error")
    assert client.v1.checkout.sessions.list().data == []
    assert create(session_params(), {"idempotency_key": "k2"}).status == "open"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("409", (409, "invalid_request_error", "lock_timeout")),
        ("429", (429, "invalid_request_error", "rate_limit")),
    ],
)
def test_409_and_429_are_not_kept(
    client: stripe.StripeClient,
    sandbox: Sandbox,
    session_params: Params,
    refused: Refused,
    kind: str,
    expected: tuple[Any, ...],
) -> None:
    sandbox.faults.add_call(kind, times=2)
    create = client.v1.checkout.sessions.create
    assert refused(create, session_params(), KEY)[:3] == expected
    assert refused(create, session_params(), KEY)[:3] == expected
    assert create(session_params(), KEY).status == "open"


def test_409_is_retried_by_the_sdk(
    client_of: Callable[..., stripe.StripeClient], sandbox: Sandbox, session_params: Params
) -> None:
    sandbox.faults.add_call("409")
    client = client_of(sandbox, retries=1)
    assert client.v1.checkout.sessions.create(session_params()).status == "open"
    assert [status for _, _, status in sandbox.calls] == [409, 200]


def test_hang_outlasts_the_callers_patience_and_still_commits(
    client_of: Callable[..., stripe.StripeClient], sandbox: Sandbox, session_params: Params
) -> None:
    sandbox.faults.add_call("hang", seconds=600)
    impatient = client_of(sandbox, timeout=0.1).v1.checkout.sessions
    with pytest.raises(stripe.APIConnectionError):
        impatient.create(session_params(), KEY)
    sandbox.faults.clear()
    # Tries again where the first call is still being answered when its session can be seen.
    patient = client_of(sandbox, retries=5).v1.checkout.sessions
    while not (found := patient.list().data):
        time.sleep(0.005)
    assert patient.create(session_params(), KEY).id == found[0].id


def test_commit_cut_commits_without_an_answer(
    client: stripe.StripeClient, sandbox: Sandbox, session_params: Params
) -> None:
    sandbox.faults.add_call("commit_cut")
    create = client.v1.checkout.sessions.create
    with pytest.raises(stripe.APIConnectionError):
        create(session_params(), KEY)
    (made,) = client.v1.checkout.sessions.list().data
    again = create(session_params(), KEY)
    assert (again.id, again.last_response.headers["idempotent-replayed"]) == (made.id, "true")
    assert sandbox.calls[0] == ("POST", "/v1/checkout/sessions", 0)


def test_commit_500_commits_and_replays_the_500(
    client: stripe.StripeClient, sandbox: Sandbox, session_params: Params, refused: Refused
) -> None:
    sandbox.faults.add_call("commit_500")
    create = client.v1.checkout.sessions.create
    assert refused(create, session_params(), KEY)[0] == 500
    assert refused(create, session_params(), KEY)[0] == 500
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_fault_strikes_only_what_it_names(
    client: stripe.StripeClient, sandbox: Sandbox, session_params: Params, refused: Refused
) -> None:
    sandbox.faults.add_call("429", path="/v1/refunds*", times=None)
    assert client.v1.checkout.sessions.create(session_params()).status == "open"
    for _ in range(3):
        assert refused(client.v1.refunds.list)[0] == 429
    sandbox.faults.clear()
    assert client.v1.refunds.list().data == []


def test_unknown_kind_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="none of 500, 409"):
        sandbox.faults.add_call("503")
    with pytest.raises(ValueError, match="none of duplicate, delay"):
        sandbox.faults.add_delivery("lose")
