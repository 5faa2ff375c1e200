"""Load in turn (A B A B), so that whatever else the machine does slows all down alike."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.client import Answer, Failed, Load, drive, form_request, request
from bench.stage import Stage

AT_ONCE = 8  # requests
ROUNDS = 5
SECONDS = 1.5  # of each round
# Requests before the first round: every process has read its templates by then, and PostgreSQL has
# prepared the statements, which it does at their sixth use, for most of 24 threads' connections.
WARM_UP = 150
NO_LIMIT = 1_000_000


@dataclass
class Contender:
    """Something under load: where, with which requests, and which answer is right."""

    port: int
    requests: Iterator[bytes]
    is_right: Callable[[Answer], bool]
    most: int = NO_LIMIT  # requests in one round
    load: Load = field(default_factory=Load)

    def run(self, *, most: int, at_once: int = AT_ONCE, seconds: float = SECONDS) -> Load:
        """One round with at most so many requests.

        Raises Failed if an answer is not the right one: the rate would mean nothing.
        """
        requests = itertools.islice(self.requests, most)
        load = drive(self.port, requests, at_once=at_once, seconds=seconds, is_right=self.is_right)
        if load.errors:
            raise Failed(f"{load.errors} wrong answers, the first: {load.first_error}")
        return load


def in_turn(*contenders: Contender) -> None:
    """Several rounds, each with one contender after the other; adds up their `load`."""
    for contender in contenders:
        contender.run(most=WARM_UP)
    for _ in range(ROUNDS):
        for contender in contenders:
            contender.load.add(contender.run(most=contender.most))


def bare_write(stage: Stage) -> Contender:
    """The bare view that writes."""
    asked = form_request("/write/", {"name": "Ada Lovelace", "email": "ada@example.org"}, {})
    return Contender(stage.bare_port, itertools.repeat(asked), lambda a: a.body == b"taken")


def bare_page(stage: Stage) -> Contender:
    """The bare view that shows a page."""
    asked = request("GET", "/page/")
    return Contender(stage.bare_port, itertools.repeat(asked), lambda a: a.status == 200)


def figures(ours: Load, bare: Load) -> dict[str, Any]:
    """What all comparisons with a bare view tell."""
    return {
        "concurrency": AT_ONCE,
        "per_s": round(ours.per_s, 1),
        "p50_ms": round(ours.ms(50), 1),
        "p99_ms": round(ours.ms(99), 1),
        "sql": ours.sql,
        "bare_per_s": round(bare.per_s, 1),
        "bare_p99_ms": round(bare.ms(99), 1),
        "share_of_bare": round(ours.per_s / bare.per_s, 3),
        "p99_of_bare": round(ours.ms(99) / bare.ms(99), 2),
    }
