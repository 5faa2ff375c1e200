"""HTTP: keys, versions, sizes, addresses, and how it ends."""

import socket
import time
from collections.abc import Callable

import pytest
import requests
import stripe

from sandbox.server import Sandbox, start

Http = Callable[..., requests.Response]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer sk_test_local", 200),
        ("Bearer rk_test_local", 200),
        ("", 401),
        ("Bearer", 401),
        ("Basic c2tfdGVzdF9sb2NhbDo=", 401),
        ("Bearer pk_test_local", 401),
        ("Bearer sk_live_local", 401),
        ("Bearer whatever", 401),
    ],
)
def test_key_must_be_a_secret_test_key(http: Http, authorization: str, status: int) -> None:
    answer = http("GET", "/v1/charges", headers={"Authorization": authorization})
    assert answer.status_code == status
    assert answer.headers["Request-Id"].startswith("req_")
    if status == 401:
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_wrong_key_is_an_authentication_error_to_the_sdk(
    client_of: Callable[..., stripe.StripeClient], sandbox: Sandbox
) -> None:
    client = client_of(sandbox, key="sk_live_secret1234")
    with pytest.raises(stripe.AuthenticationError, match=r"sk_live_\*+1234"):
        client.v1.charges.list()


@pytest.mark.parametrize("path", ["/v1", "/v1/customers", "/v1/charges/ch_1/capture"])
def test_unknown_call_is_not_found(http: Http, path: str) -> None:
    answer = http("GET", path)
    assert answer.status_code == 404
    message = answer.json()["error"]["message"]
    assert message == f"Unrecognized request URL (GET: {path})."


def test_other_version_is_refused(http: Http) -> None:
    given = {"Authorization": "Bearer sk_test_local", "Stripe-Version": "2024-06-20"}
    answer = http("GET", "/v1/charges", headers=given)
    assert answer.status_code == 400
    assert "Invalid Stripe API version: 2024-06-20" in answer.json()["error"]["message"]


def test_body_must_be_a_form_of_reasonable_size(http: Http) -> None:
    assert http("POST", "/v1/refunds", json={"amount": 1}).status_code == 400
    assert http("POST", "/v1/refunds", data={"a": "x" * 1024 * 1024}).status_code == 413


def test_connection_is_kept_alive(http: Http, sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port)) as line:
        for _ in range(2):
            line.sendall(b"GET /style.css HTTP/1.1\r\nHost: local\r\n\r\n")
            assert line.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_stop_is_quick_and_cuts_open_connections() -> None:
    sandbox = start(webhook_url=None, webhook_secret="whsec_test")
    with socket.create_connection(("127.0.0.1", sandbox.port)) as line:
        line.sendall(b"GET /style.css HTTP/1.1\r\nHost: local\r\n\r\n")
        line.recv(65536)
        before = time.monotonic()
        sandbox.stop()
        assert line.recv(1) == b""
        assert time.monotonic() - before < 5  # half a second on a machine with nothing else to do


def test_taken_port_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="in use"):
        start(port=sandbox.port, webhook_url=None, webhook_secret="whsec_test")
