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
from tests.chaos.parts import NotRunning, Part
from tests.chaos.post_office import COMING, TAKEN
from tests.chaos.service import Service

FOR_A_FORM = 1.0  # seconds to wait until somebody sends one
MOMENT = 0.03  # seconds in which an answer is made
FOR_A_MAIL = 8.0  # more than a worker takes to start


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
        self._deck: list[str] = []  # the last one is next
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
            self._deck.insert(0, name)
            return
        # While somebody's form is under way, most likely; at other moments little can go wrong.
        self._sends.clear()
        self._sends.wait(FOR_A_FORM)
        time.sleep(self._chance.uniform(0, MOMENT))
        try:
            self._ends[name] = (time.monotonic() + lasts, self._attacks[name]())
        except (NotRunning, requests.RequestException, psycopg.Error, sqlite3.Error):
            self._deck.insert(0, name)  # it is away because of something else
        else:
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
            "web killed": partial(_kill, service.web),
            "web: one process killed": self._kill_a_child,
            "worker killed": partial(_kill, service.worker),
            "worker killed before a mail is sent": partial(self._kill_at, COMING, service.worker),
            "worker killed before it knows": partial(self._kill_at, TAKEN, service.worker),
            "sweep killed": partial(_kill, service.sweep),
            "sandbox killed": partial(_kill, service.sandbox),
            "post killed before it says so": partial(self._kill_at, TAKEN, service.post),
            "sandbox hangs": service.sandbox.stop_for_a_while,
            "post hangs": service.post.stop_for_a_while,
            "worker hangs": service.worker.stop_for_a_while,
            "Stripe does it and does not say so": self._cut_answers,
            "Stripe's webhooks are lost": self._lose_webhooks,
            **service.database.attacks(self._chance),
        }

    def _kill_a_child(self) -> Callable[[], None]:
        web = self._service.web.children()
        if not web:
            raise NotRunning
        with suppress(ProcessLookupError):
            os.kill(self._chance.choice(web), signal.SIGKILL)
        return nothing

    def _kill_at(self, sign: str, part: Part) -> Callable[[], None]:
        """As soon as the mail server shows the sign; at any moment if it has none for long."""
        deadline = time.monotonic() + FOR_A_MAIL
        while not (self._service.letters / sign).exists() and time.monotonic() < deadline:
            self.end_what_is_over()
            self._service.look()
            time.sleep(MOMENT / 6)
        return _kill(part)

    def _cut_answers(self) -> Callable[[], None]:
        """The next three calls take effect, but the line is cut before the answer."""
        return self._tell_stripe("fault-in-call", kind="commit_cut", path="/v1/*", times="3")

    def _lose_webhooks(self) -> Callable[[], None]:
        """Nobody is told of the next five payments."""
        return self._tell_stripe(
            "fault-in-delivery", kind="drop", types="checkout.session.*", times="5"
        )

    def _tell_stripe(self, action: str, **form: str) -> Callable[[], None]:
        requests.post(f"{self._service.stripe}/control/{action}", form, timeout=2)
        return nothing


def _kill(part: Part) -> Callable[[], None]:
    part.kill()
    return nothing
