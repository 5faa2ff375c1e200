"""Handing the local Stripe's events to the webhook's view."""

import json
import time
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from donations.models import StripeEvent
from sandbox import events
from sandbox.server import Sandbox


@cache
def _client() -> Client:
    # One for all: each new one reads the list of static files.
    return Client(enforce_csrf_checks=True)


def an_event(**changes: Any) -> dict[str, Any]:
    """An event as Stripe shapes it, about nothing of ours."""
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_800_000_000,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "customer.created",
    } | changes


def outcomes() -> list[tuple[str, str]]:
    """The type and outcome of every event in the inbox, in the order in which they came."""
    return list(StripeEvent.objects.order_by("pk").values_list("type", "outcome"))


def post(payload: bytes, signature: str | None) -> HttpResponse:
    """Post a body to the webhook as Stripe does: without a cookie, with this signature."""
    headers = {"Stripe-Signature": signature} if signature is not None else {}
    return _client().post(
        "/stripe/webhook/", payload, content_type="application/json", headers=headers
    )


def post_signed(payload: bytes | dict[str, Any]) -> HttpResponse:
    """Post anything with a good signature of now."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return post(body, events.signature(body, settings.STRIPE_WEBHOOK_SECRET, int(time.time())))


def deliver(stripe: Sandbox, event_id: str) -> HttpResponse:
    """Post one of the local Stripe's events."""
    return post(*stripe.signed(event_id))


def deliver_all(stripe: Sandbox, kinds: str = "") -> list[str]:
    """Post all events whose type begins with `kinds`, oldest first; their types."""
    chosen = [event for event in stripe.events if event["type"].startswith(kinds)]
    for event in chosen:
        assert deliver(stripe, event["id"]).status_code == 200
    return [event["type"] for event in chosen]
