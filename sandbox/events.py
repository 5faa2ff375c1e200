"""Events: how they are recorded, shown and signed.

The signature is computed here from Stripe's description of the scheme
(docs.stripe.com/webhooks/signature), not by the SDK.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass

from sandbox.objects import API_VERSION, Row, new_id
from sandbox.store import Store

# What the site's webhook endpoint is subscribed to. Other events are listed but never sent.
SUBSCRIBED = frozenset(
    """
    checkout.session.completed checkout.session.async_payment_succeeded
    checkout.session.async_payment_failed checkout.session.expired
    refund.created refund.updated refund.failed charge.refunded
    charge.dispute.created charge.dispute.updated charge.dispute.closed
    charge.dispute.funds_withdrawn charge.dispute.funds_reinstated
    radar.early_fraud_warning.created
    payout.paid payout.reconciliation_completed payout.failed
    """.split()
)

# The states of a delivery: on its way, arrived, given up after all retries;
# dropped by a fault, withheld while webhooks are off, or never meant to be sent.
WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"
DROPPED, WITHHELD, NOT_SENT = "dropped", "withheld", "not_sent"
UNDELIVERED = frozenset({WAITING, FAILED, DROPPED, WITHHELD})


@dataclass(frozen=True)
class Cause:
    """The API call that made an event happen; empty for what happens by itself."""

    request_id: str | None = None
    idempotency_key: str | None = None


NOBODY = Cause()


def record(
    store: Store,
    kind: str,
    about: Row,
    *,
    now: int,
    cause: Cause = NOBODY,
    previous: Row | None = None,
) -> Row:
    """Record an event about an object as it is now; it is sent when the change is committed.

    `previous` holds the earlier values of the fields that changed, where Stripe tells them.
    """
    data: Row = {"object": about}
    if previous is not None:
        data["previous_attributes"] = previous
    event = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1 if kind in SUBSCRIBED else 0,
        "request": {"id": cause.request_id, "idempotency_key": cause.idempotency_key},
        "type": kind,
    }
    status = WAITING if kind in SUBSCRIBED else NOT_SENT
    store.put("deliveries", {"id": event["id"], "status": status, "attempts": []})
    return store.put("events", event)


def delivery_of(store: Store, event_id: str) -> Row:
    """The delivery of an event: `status` (one of the states above) and `attempts`."""
    return store.table("deliveries").rows[event_id]


def rendered(store: Store, event: Row) -> Row:
    """The event as the API shows it: `pending_webhooks` counts endpoints still to be reached."""
    undelivered = delivery_of(store, event["id"])["status"] in UNDELIVERED
    return {**event, "pending_webhooks": 1 if undelivered else 0}


def body(event: Row) -> bytes:
    """The request body of a webhook: indented JSON, as Stripe sends it."""
    return json.dumps(event, indent=2).encode()


def signature(payload: bytes, secret: str, second: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 of `<second>.<payload>`, in hexadecimal."""
    signed = str(second).encode() + b"." + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={second},v1={digest}"
