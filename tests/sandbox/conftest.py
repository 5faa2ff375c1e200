"""A local Stripe per test, the real SDK to talk to it, and an endpoint for its webhooks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import stripe

from sandbox.server import Sandbox, start
from tests.sandbox.shop import SECRET, Endpoint, params


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Without webhooks."""
    with start(webhook_url=None, webhook_secret=SECRET) as sandbox:
        yield sandbox


@pytest.fixture
def sending(endpoint: Endpoint) -> Iterator[Sandbox]:
    """With webhooks to the endpoint, retried twice and quickly."""
    with start(
        webhook_url=endpoint.url, webhook_secret=SECRET, retry_seconds=(0.02, 0.04)
    ) as sandbox:
        yield sandbox


@pytest.fixture
def client_of() -> Iterator[Callable[..., stripe.StripeClient]]:
    """The SDK's client for a sandbox: `client_of(sandbox, timeout=10, retries=0)`."""
    http_clients: list[stripe.RequestsClient] = []

    def make(
        sandbox: Sandbox, *, timeout: float = 10, retries: int = 0, key: str = "sk_test_local"
    ) -> stripe.StripeClient:
        http = stripe.RequestsClient(timeout=timeout)
        http_clients.append(http)
        return stripe.StripeClient(
            key,
            base_addresses={"api": sandbox.base_url},
            http_client=http,
            max_network_retries=retries,
        )

    yield make
    for http in http_clients:
        http.close()


@pytest.fixture
def client(sandbox: Sandbox, client_of: Callable[..., stripe.StripeClient]) -> stripe.StripeClient:
    return client_of(sandbox)


@pytest.fixture
def checkout(client: stripe.StripeClient) -> Callable[..., Any]:
    """Create a session of £15: `checkout(customer_email=None, …)` changes or removes a field."""
    return lambda **changes: client.v1.checkout.sessions.create(params(**changes))


@pytest.fixture
def paid(sandbox: Sandbox, checkout: Callable[..., Any]) -> Callable[..., str]:
    """Create and pay a session; its payment intent's id."""
    return lambda **changes: sandbox.pay(checkout(**changes).id)["payment_intent"]


@pytest.fixture
def session_params() -> Callable[..., dict[str, Any]]:
    return params


@pytest.fixture
def refused() -> Callable[..., tuple[Any, ...]]:
    """Make a call that must be refused; (status, type, code, param, message)."""

    def call(function: Callable[..., Any], *args: Any) -> tuple[Any, ...]:
        with pytest.raises(stripe.StripeError) as raised:
            function(*args)
        error = raised.value
        body = error.json_body["error"]
        assert error.request_id.startswith("req_")
        return (
            error.http_status,
            body["type"],
            body.get("code"),
            body.get("param"),
            body["message"],
        )

    return call


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[Callable[..., requests.Response]]:
    """A plain request: `http("POST", "/v1/refunds", data=…)`, with a key unless given headers."""
    with requests.Session() as session:

        def call(method: str, path: str, **more: Any) -> requests.Response:
            more.setdefault("headers", {"Authorization": "Bearer sk_test_local"})
            more.setdefault("allow_redirects", False)
            return session.request(method, sandbox.base_url + path, timeout=10, **more)

        yield call
