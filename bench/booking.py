"""Reserving by the real form: without a gift, with one, and far more people than places."""

import itertools
import uuid
from collections.abc import Iterator
from typing import Any

from bench.client import Answer, Browser, Failed, Load, drive, form, request
from bench.comparing import FORM, Contender, bare_write, figures, in_turn
from bench.proxy import between
from bench.stage import Site, Stage

Figures = dict[str, Any]
FEW_TAKEN, MANY_TAKEN = 500, 50_000
# Oversell: so many attempts, so many at once, for so many places.
ATTEMPTS, ATTEMPTS_AT_ONCE, PLACES = 2_000, 64, 50
OVERSELL_SECONDS = 120.0
CALLS = 5  # to Stripe, during which the database is looked at


def reserve(stage: Stage) -> Iterator[Figures]:
    """The form with CSRF, two tickets, no gift: alone, eight at once, with many places taken."""
    site = stage.site()
    few, many = (site.prepare("crowd", taken=taken) for taken in (FEW_TAKEN, MANY_TAKEN))
    with site.web():
        for at_once in (1, 8):
            with_few, bare = free_orders(site, few), bare_write(stage)
            if at_once == 1:
                in_turn([with_few, bare], at_once=1)
            else:
                with_many = free_orders(site, many)
                in_turn([with_few, bare, with_many], at_once=at_once)
            line = figures("reserve", stage, at_once, with_few.load, bare.load)
            ratio = with_few.load.ms(99) / bare.load.ms(99)
            yield line | {"places_taken": FEW_TAKEN, "p99_of_bare": round(ratio, 2)}
        line = figures("reserve", stage, at_once, with_many.load, bare.load)
        rate = with_many.load.per_s / with_few.load.per_s
        yield line | {"places_taken": MANY_TAKEN, "rate_with_many": round(rate, 3)}


def checkout(stage: Stage) -> Iterator[Figures]:
    """The form with £15, up to the address of Stripe's page; the local Stripe shares the cores."""
    site = stage.site()
    about = site.prepare("roomy")
    with site.stripe():
        during = _transactions_during_calls(site, about)
        with site.web():
            for at_once in (1, 8):
                ours, bare = _gifts(site, about), bare_write(stage)
                in_turn([ours, bare], at_once=at_once)
                line = figures("checkout", stage, at_once, ours.load, bare.load)
                yield line | {"transactions_during_call": max(during)}


def oversell(stage: Stage) -> Iterator[Figures]:
    """Two thousand attempts, 64 at once, for fifty places."""
    site = stage.site()
    about = site.prepare("roomy", places=PLACES)
    statuses: list[int] = []

    def note(answer: Answer) -> bool:
        statuses.append(answer.status)
        return answer.status < 500

    with site.web():
        load: Load = drive(
            site.port,
            _forms(site, about, people=1, gift="none"),
            at_once=ATTEMPTS_AT_ONCE,
            seconds=OVERSELL_SECONDS,
            is_right=note,
            most=ATTEMPTS,
        )
    ((taken,),) = site.rows("SELECT count(*) FROM tickets_ticket")
    yield {
        "bench": "oversell",
        "database": stage.databases.name,
        "concurrency": ATTEMPTS_AT_ONCE,
        "per_s": round(load.per_s, 1),
        "p50_ms": round(load.ms(50), 1),
        "p99_ms": round(load.ms(99), 1),
        "sql": load.sql,
        "attempts": len(statuses),
        "taken": taken,
        "confirmed": statuses.count(302),
        "errors": load.errors,
    }


def paid_orders(site: Site, about: Figures, stripe: Browser, count: int) -> list[str]:
    """So many orders paid at Stripe, of which the site has not heard yet; their sessions' ids."""
    sessions = []
    fields = _forms(site, about, people=2, gift="1500")
    load = drive(
        site.port,
        fields,
        at_once=2,
        seconds=OVERSELL_SECONDS,
        most=count,
        is_right=lambda answer: bool(sessions.append(_session(answer))) or answer.status == 302,
    )
    assert not load.errors, load.first_error
    for session in sessions:
        stripe.post(f"/c/pay/{session}/pay", {})
    return sessions


def _session(answer: Answer) -> str:
    return answer.header("Location").partition("?")[0].rpartition("/")[2].partition("#")[0]


def free_orders(site: Site, about: Figures) -> Contender:
    """Orders of two tickets without a gift."""
    return Contender(
        site.port,
        _forms(site, about, people=2, gift="none"),
        lambda answer: answer.status == 302 and answer.header("Location").startswith("/orders/"),
    )


def _gifts(site: Site, about: Figures) -> Contender:
    stripe = f"http://127.0.0.1:{site.stripe_port}/c/pay/"
    return Contender(
        site.port,
        _forms(site, about, people=2, gift="1500"),
        lambda answer: answer.status == 302 and answer.header("Location").startswith(stripe),
    )


def _forms(site: Site, about: Figures, *, people: int, gift: str) -> Iterator[bytes]:
    """The filled-in form over and over, as one who has opened it once sends it."""
    path = f"/{about['slug']}/reserve/"
    visitor = Browser(site.port)
    visitor.get(path)
    headers = FORM | {"Cookie": visitor.cookie}
    for number in itertools.count():
        fields = {
            "csrfmiddlewaretoken": visitor.token,
            "submission": str(uuid.uuid4()),
            "name": "Ada Lovelace",
            "email": f"ada{number}@example.org",
            "gift": gift,
            "form-TOTAL_FORMS": str(people),
            "form-INITIAL_FORMS": "0",
        }
        for person in range(people):
            kind = about["types"][(number + person) % len(about["types"])]
            fields |= {
                f"form-{person}-attendee_name": f"Ada Lovelace {person}",
                f"form-{person}-ticket_type": str(kind),
                f"form-{person}-attendee_email": "",
            }
        yield request("POST", path, body=form(fields), headers=headers)


def _transactions_during_calls(site: Site, about: Figures) -> list[int]:
    """How many transactions were open in the database during each of a few calls to Stripe."""
    seen: list[int] = []

    def look() -> None:
        seen.append(site.databases.open_transactions(site.url))

    with (
        between(site.stripe_port, look) as port,
        site.web(STRIPE_API_BASE=f"http://127.0.0.1:{port}"),
    ):
        ours = _gifts(site, about)
        load = drive(
            site.port, ours.requests, at_once=1, seconds=30, is_right=ours.is_right, most=CALLS
        )
    if load.errors or len(seen) < CALLS:
        raise Failed(f"{len(seen)} of {CALLS} calls were seen. {load.first_error}")
    return seen
