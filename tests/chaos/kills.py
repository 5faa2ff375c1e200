"""What is done to the service while people book."""

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import psycopg
import requests

from tests.chaos.databases import Attack, nothing
from tests.chaos.parts import Part
from tests.chaos.service import Service

FOR_A_FORM = 1.0  # seconds to wait until somebody sends one
MOMENT = 0.03  # seconds in which an answer is made


class Killer:
    """Kills one thing after the other, each as often as all others."""

    def __init__(
        self, service: Service, chance: random.Random, longest: float, sends: threading.Event
    ) -> None:
        """Nothing hangs for longer than `longest` seconds; `sends` is set by who sends a form."""
        self.kills: Counter[str] = Counter()
        self._service = service
        self._chance = chance
        self._longest = longest
        self._sends = sends
        self._attacks = self._all()
        self._deck: list[str] = []
        self._ends: dict[str, tuple[float, Callable[[], None]]] = {}

    @property
    def missing(self) -> set[str]:
        """What has not been done yet."""
        return self._attacks.keys() - self.kills.keys()

    def strike(self) -> None:
        """The next attack, unless the last of its kind is not over yet."""
        if not self._deck:
            self._deck = self._chance.sample(sorted(self._attacks), len(self._attacks))
        name = self._deck.pop()
        lasts = self._chance.uniform(self._longest / 4, self._longest)
        if name in self._ends:
            return
        # While somebody's form is under way, most likely; at other moments little can go wrong.
        self._sends.clear()
        self._sends.wait(FOR_A_FORM)
        time.sleep(self._chance.uniform(0, MOMENT))
        # What is to be attacked may be away already.
        with suppress(requests.RequestException, psycopg.Error, sqlite3.Error):
            self._ends[name] = (time.monotonic() + lasts, self._attacks[name]())
            self.kills[name] += 1

    def end_what_is_over(self, *, everything: bool = False) -> None:
        """Let go on what has hung for long enough."""
        for name, (at, end) in list(self._ends.items()):
            if everything or time.monotonic() >= at:
                del self._ends[name]
                end()

    def _all(self) -> dict[str, Attack]:
        service = self._service
        return {
            **{f"{part.name} killed": partial(_kill, part) for part in service.parts},
            "one web process killed": self._kill_a_child,
            "sandbox hangs": service.sandbox.stop_for_a_while,
            "post hangs": service.post.stop_for_a_while,
            "worker hangs": service.worker.stop_for_a_while,
            "Stripe does it and does not say so": self._cut_answers,
            **service.database.attacks(self._chance),
        }

    def _kill_a_child(self) -> Callable[[], None]:
        if web := self._service.web.children():
            with suppress(ProcessLookupError):
                os.kill(self._chance.choice(web), signal.SIGKILL)
        return nothing

    def _cut_answers(self) -> Callable[[], None]:
        """The next three calls take effect, but the line is cut before the answer."""
        fault = {"kind": "commit_cut", "path": "/v1/*", "times": "3"}
        requests.post(f"{self._service.stripe}/control/fault-in-call", fault, timeout=2)
        return nothing


def _kill(part: Part) -> Callable[[], None]:
    part.kill()
    return nothing
