"""Rounds of load in turn (A B A B), so that whatever else the machine does hits all alike."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.client import Answer, Failed, Load, drive, form, request
from bench.stage import Stage

ROUNDS = 5
SECONDS = 1.5  # of each round
# Requests before the first round, so that every worker has read its templates.
WARM_UP = 24
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Contender:
    """Something under load: where, with what, and how a right answer looks."""

    port: int
    requests: Iterator[bytes]
    is_right: Callable[[Answer], bool]
    most: int = 1_000_000  # requests in one round
    load: Load = field(default_factory=Load)


def in_turn(
    contenders: Iterable[Contender],
    *,
    at_once: int,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
) -> None:
    """Put load on one after the other, several times; the sums are in their `load`.

    Raises Failed where answers are not what they should be: such rates mean nothing.
    """
    contenders = list(contenders)
    for number, contender in itertools.product(range(rounds + 1), contenders):
        load = drive(
            contender.port,
            contender.requests,
            at_once=at_once,
            seconds=seconds,
            is_right=contender.is_right,
            most=contender.most if number else min(WARM_UP, contender.most),
        )
        if load.errors:
            raise Failed(f"{load.errors} wrong answers, the first: {load.first_error}")
        if number:
            contender.load.add(load)


def bare_write(stage: Stage) -> Contender:
    """The bare view that writes."""
    body = form({"name": "Ada Lovelace", "email": "ada@example.org"})
    asked = itertools.repeat(request("POST", "/write/", body=body, headers=FORM))
    return Contender(stage.bare(), asked, lambda answer: answer.body == b"taken")


def bare_page(stage: Stage) -> Contender:
    """The bare view that shows."""
    asked = itertools.repeat(request("GET", "/page/"))
    return Contender(stage.bare(), asked, lambda answer: answer.status == 200)


def figures(bench: str, stage: Stage, at_once: int, ours: Load, bare: Load) -> dict[str, Any]:
    """What every line of a comparison says."""
    return {
        "bench": bench,
        "database": stage.databases.name,
        "concurrency": at_once,
        "per_s": round(ours.per_s, 1),
        "p50_ms": round(ours.ms(50), 1),
        "p99_ms": round(ours.ms(99), 1),
        "sql": ours.sql,
        "share_of_bare": round(ours.per_s / bare.per_s, 3),
        "bare_per_s": round(bare.per_s, 1),
        "bare_p99_ms": round(bare.ms(99), 1),
    }
