"""The shop's side of the tests: the parameters of a session, and an endpoint for webhooks."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

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


def params(**changes: Any) -> dict[str, Any]:
    """SESSION with `changes`; None removes a field."""
    return {name: value for name, value in {**SESSION, **changes}.items() if value is not None}
