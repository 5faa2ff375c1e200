"""Reserving by the real form: without a gift, with one, and far more people than places."""

import itertools
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.client import Answer, Browser, Failed, drive, form_request
from bench.comparing import Contender, bare_write, figures, in_turn
from bench.stage import Site, Stage

FEW_TAKEN, MANY_TAKEN = 500, 50_000
# Oversell: so many attempts, so many at once, for so many places.
ATTEMPTS, ATTEMPTS_AT_ONCE, PLACES = 2_000, 64, 50
LONGEST = 120.0  # seconds for all attempts
CALL_SECONDS = 1.0  # how long the watched call to Stripe takes


def reserve(stage: Stage) -> dict[str, Any]:
    """Two tickets without a gift, with few places taken and in turn with many taken."""
    few_site, many_site = stage.site(taken=FEW_TAKEN), stage.site(taken=MANY_TAKEN)
    with few_site.web(), many_site.web():
        few, many, bare = free_orders(few_site), free_orders(many_site), bare_write(stage)
        in_turn(few, bare, many)
    with_many = round(many.load.per_s / few.load.per_s, 3)
    return figures(few.load, bare.load) | {"rate_with_many": with_many}


def checkout(stage: Stage) -> dict[str, Any]:
    """Two tickets with £15, as far as the address of Stripe's page.

    The local Stripe, which answers each order, runs on the same processors.
    """
    site = stage.site()
    with site.stripe() as stripe, site.web():
        ours, bare = gifts(site), bare_write(stage)
        is_open = _has_transaction_during_call(site, stripe, ours)
        in_turn(ours, bare)
    return figures(ours.load, bare.load) | {"transactions_during_call": int(is_open)}


def oversell(stage: Stage) -> dict[str, Any]:
    """Two thousand attempts, 64 at once, for fifty places."""
    site = stage.site(places=PLACES)
    with site.web():
        load = drive(
            site.port,
            itertools.islice(_forms(site, people=1, gift="none"), ATTEMPTS),
            at_once=ATTEMPTS_AT_ONCE,
            seconds=LONGEST,
            is_right=lambda answer: answer.status < 500,
        )
    return {
        "concurrency": ATTEMPTS_AT_ONCE,
        "attempts": len(load.waits),
        "per_s": round(load.per_s, 1),
        "p99_ms": round(load.ms(99), 1),
        "taken": site.count("tickets_ticket"),
        "errors": load.errors,
    }


def free_orders(site: Site) -> Contender:
    """Orders of two tickets without a gift."""
    return Contender(
        site.port,
        _forms(site, people=2, gift="none"),
        lambda answer: answer.header("Location").startswith("/orders/"),
    )


def gifts(site: Site) -> Contender:
    """Orders of two tickets with £15; the answer leads to the local Stripe's page."""
    return Contender(
        site.port,
        _forms(site, people=2, gift="1500"),
        lambda answer: session_in(answer).startswith("cs_"),
    )


def session_in(answer: Answer) -> str:
    """The id of the Checkout session to whose page the answer leads; empty if it does not."""
    address = answer.header("Location")
    return address.partition("/c/pay/")[2].partition("?")[0].partition("#")[0]


def _forms(site: Site, *, people: int, gift: str) -> Iterator[bytes]:
    """The filled-in form over and over, as sent by someone who has opened it once."""
    path = f"/{site.slug}/reserve/"
    visitor = Browser(site.port)
    visitor.get(path)
    for number in itertools.count():
        fields = {
            "submission": str(uuid.uuid4()),
            "name": "Ada Lovelace",
            "email": f"ada{number}@example.org",
            "gift": gift,
            "form-TOTAL_FORMS": str(people),
            "form-INITIAL_FORMS": "0",
        }
        for person in range(people):
            kind = site.types[(number + person) % len(site.types)]
            fields[f"form-{person}-attendee_name"] = f"Ada Lovelace {person}"
            fields[f"form-{person}-attendee_email"] = ""
            fields[f"form-{person}-ticket_type"] = str(kind)
        yield form_request(path, fields, visitor.headers)


def _has_transaction_during_call(site: Site, stripe: Browser, ours: Contender) -> bool:
    """Whether a transaction is open in the database while an order waits for Stripe."""
    sessions = {"kind": "hang", "path": "/v1/checkout/sessions", "times": "1"}
    stripe.post("/control/fault-in-call", sessions | {"seconds": str(CALL_SECONDS)})
    with ThreadPoolExecutor(1) as thread:
        order = thread.submit(ours.run, most=1)
        time.sleep(CALL_SECONDS / 2)
        is_open = site.has_open_transaction()
        if order.result().ms(100) < CALL_SECONDS * 1000:
            raise Failed("The order did not wait for Stripe.")
    return is_open
