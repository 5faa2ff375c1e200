"""A local Stripe per test, the real SDK to talk to it, and an endpoint for its webhooks."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import stripe

from donations.sandbox.server import Sandbox, start

SECRET = "whsec_test"
SESSION = {
    "mode": "payment",
    "line_items": [
        {
            "price_data": {
                "currency": "gbp",
                "unit_amount": 1500,
                "product_data": {"name": "Gift"},
            },
            "quantity": 1,
        }
    ],
    "success_url": "http://site.test/thanks?session={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://site.test/back",
    "customer_email": "maya@example.org",
    "metadata": {"order": "A1"},
    "payment_intent_data": {"metadata": {"order": "A1"}, "description": "Order A1"},
}


class Endpoint:
    """Receives webhooks: `bodies` with their `signatures`, and `types` in order of arrival.

    `answers` are the status codes of the next answers; after them 200.
    """

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.answers: list[int] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.bodies.append(body)
                endpoint.signatures.append(self.headers["Stripe-Signature"])
                self.send_response(endpoint.answers.pop(0) if endpoint.answers else 200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/stripe/webhook/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def events(self) -> list[stripe.Event]:
        """What arrived, verified by the SDK."""
        return [
            stripe.Webhook.construct_event(body, signature, SECRET)
            for body, signature in zip(self.bodies, self.signatures, strict=True)
        ]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


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
def client(
    sandbox: Sandbox, client_of: Callable[..., stripe.StripeClient]
) -> stripe.StripeClient:
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


def params(**changes: Any) -> dict[str, Any]:
    """SESSION with `changes`; None removes a field."""
    return {name: value for name, value in {**SESSION, **changes}.items() if value is not None}
