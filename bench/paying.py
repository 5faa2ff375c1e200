"""Stripe's webhook: a signed event comes in, the payment is settled, the mail enqueued."""

import hashlib
import hmac
import json
import time
import uuid
from typing import Any

from bench.booking import gifts, session_in
from bench.client import Answer, Browser, Failed, Load, drive, request
from bench.comparing import AT_ONCE, ROUNDS, Contender, bare_write, figures
from bench.stage import WEBHOOK_SECRET, Site, Stage

EVENTS = 80  # in one round
LONGEST = 60.0  # seconds, for anything that is waited for
LOOK_EVERY = 0.02  # seconds
TASKS_TO_DO = "django_tasks_database_dbtaskresult WHERE status IN ('READY', 'RUNNING')"


def webhook(stage: Stage) -> dict[str, Any]:
    """Rounds of events, each of which ends when the worker has confirmed the last order.

    The rate is that of confirmed orders; the waits are those of the answers to Stripe.
    """
    site = stage.site()
    ours, bare = Load(), bare_write(stage)
    with site.stripe() as stripe, site.web():
        sessions = _paid_sessions(site, stripe, EVENTS * (ROUNDS + 1))
        with site.worker():
            for number in range(ROUNDS + 1):
                some = sessions[number * EVENTS : (number + 1) * EVENTS]
                load = _settle(site, some, confirmed=(number + 1) * EVENTS)
                # The mails are not part of what is measured, and must not slow down the rest.
                wait_for(site, TASKS_TO_DO, 0)
                written = bare.run(most=bare.most)
                if number:  # the first round is a warm-up
                    ours.add(load)
                    bare.load.add(written)
    return figures(ours, bare.load)


def _paid_sessions(site: Site, stripe: Browser, count: int) -> list[str]:
    """The ids of so many sessions that are paid at Stripe, of which the site does not know yet."""
    sessions: list[str] = []

    def note(answer: Answer) -> bool:
        sessions.append(session_in(answer))
        return sessions[-1] != ""

    orders = gifts(site).requests
    Contender(site.port, orders, note).run(most=count, at_once=2, seconds=LONGEST)
    for session in sessions:
        stripe.post(f"/c/pay/{session}/pay", {})
    return sessions


def _settle(site: Site, sessions: list[str], *, confirmed: int) -> Load:
    """Send an event for each session; `seconds` runs until so many orders are confirmed."""
    load = drive(
        site.port,
        (_event(session) for session in sessions),
        at_once=AT_ONCE,
        seconds=LONGEST,
        is_right=lambda answer: answer.status == 200,
    )
    if load.errors:
        raise Failed(f"An event was refused: {load.first_error}")
    load.seconds += wait_for(site, "tickets_order WHERE status = 'confirmed'", confirmed)
    return load


def wait_for(site: Site, what: str, wanted: int) -> float:
    """Wait until there are as many rows as wanted; returns the seconds that took."""
    began = time.perf_counter()
    while (found := site.count(what)) != wanted:
        if time.perf_counter() - began > LONGEST:
            raise Failed(f"{what}: {found} instead of {wanted} after {LONGEST:.0f} s")
        time.sleep(LOOK_EVERY)
    return time.perf_counter() - began


def _event(session: str) -> bytes:
    """The request by which Stripe tells that a session is paid (docs.stripe.com/webhooks)."""
    now = int(time.time())
    event = {
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
    body = json.dumps(event).encode()
    signature = hmac.new(WEBHOOK_SECRET.encode(), b"%d.%s" % (now, body), hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        "Stripe-Signature": f"t={now},v1={signature.hexdigest()}",
    }
    return request("POST", "/stripe/webhook/", body=body, headers=headers)
