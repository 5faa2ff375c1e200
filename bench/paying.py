"""Stripe's webhook: a signed event in, until the payment is settled and the mail enqueued."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench.booking import paid_orders
from bench.client import Failed, Load, drive, request
from bench.comparing import ROUNDS, SECONDS, bare_write, figures
from bench.databases import Rows
from bench.stage import SECRET, Site, Stage

AT_ONCE = 8
EVENTS = 80  # in one round
SETTLED_WITHIN = 60.0  # seconds
LOOK_EVERY = 0.02


def webhook(stage: Stage) -> Iterator[dict[str, Any]]:
    """Rounds of events with the worker running; each ends when the last order is confirmed.

    The rate is that of the orders confirmed; the waits are those of the answers to Stripe.
    """
    site = stage.site()
    about = site.prepare("roomy")
    ours, bare = Load(), bare_write(stage)
    with site.stripe() as stripe, site.web():
        sessions = paid_orders(site, about, stripe, EVENTS * (ROUNDS + 1))
        with site.worker(), site.reader() as rows:
            for number in range(ROUNDS + 1):
                some = sessions[number * EVENTS : (number + 1) * EVENTS]
                load = _settle(site, rows, some, confirmed=(number + 1) * EVENTS)
                # The mails that follow are not what is measured, and must not weigh on the rest.
                _wait(rows, _TO_DO, 0, SETTLED_WITHIN)
                written = drive(
                    bare.port,
                    bare.requests,
                    at_once=AT_ONCE,
                    seconds=SECONDS,
                    is_right=bare.is_right,
                )
                if number:  # the first round is for warming up
                    ours.add(load)
                    bare.load.add(written)
    yield figures("webhook", stage, AT_ONCE, ours, bare.load)


_CONFIRMED = "SELECT count(*) FROM tickets_order WHERE status = 'confirmed'"
_TO_DO = (
    "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status IN ('READY', 'RUNNING')"
)


def _settle(site: Site, rows: Rows, sessions: list[str], *, confirmed: int) -> Load:
    """Send an event for each session; `seconds` runs until so many orders are confirmed."""
    load = drive(
        site.port,
        (_event(session) for session in sessions),
        at_once=AT_ONCE,
        seconds=SETTLED_WITHIN,
        is_right=lambda answer: answer.status == 200,
    )
    if load.errors:
        raise Failed(f"An event was refused: {load.first_error}")
    load.seconds += _wait(rows, _CONFIRMED, confirmed, SETTLED_WITHIN)
    return load


def _wait(rows: Rows, count: str, wanted: int, within: float) -> float:
    """Wait until a query counts what is wanted; returns the seconds that took."""
    began = time.perf_counter()
    while (found := rows(count)[0][0]) != wanted:
        if time.perf_counter() - began > within:
            raise Failed(f"{count}: {found} instead of {wanted} after {within:.0f} s")
        time.sleep(LOOK_EVERY)
    return time.perf_counter() - began


def _event(session: str) -> bytes:
    """The request by which Stripe tells that a session is paid (docs.stripe.com/webhooks)."""
    now = int(time.time())
    body = json.dumps(
        {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": now,
            "type": "checkout.session.completed",
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": {"id": session, "object": "checkout.session"}},
        }
    ).encode()
    signature = hmac.new(SECRET.encode(), b"%d.%s" % (now, body), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Stripe-Signature": f"t={now},v1={signature}",
    }
    return request("POST", "/stripe/webhook/", body=body, headers=headers)
