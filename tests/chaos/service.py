"""All parts of the service on a database of a drill's own."""

import json
import random
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from bench.programs import environment, run
from tests.chaos.databases import Database
from tests.chaos.parts import Part

LOOK_AGAIN = 0.05  # seconds
ASK_AGAIN = 0.3
UP_WITHIN = 90.0


class NotUp(Exception):
    """The service, or a part of it, did not come up."""


class Service:
    """All parts of the service, running on a database of their own."""

    def __init__(self, on: Database, folder: Path, log: Path) -> None:
        self.database = on
        self._port, self._stripe_port, mail_port = (_lasting_port() for _ in range(3))
        self.address = f"http://127.0.0.1:{self._port}"
        self.stripe = f"http://127.0.0.1:{self._stripe_port}"
        self.env = environment(
            DATA_DIR=str(folder),
            DATABASE_URL=on.url,
            PORT=str(self._port),
            SANDBOX_PORT=str(self._stripe_port),
            BASE_URL=self.address,
            STRIPE_API_BASE=self.stripe,
            STRIPE_WEBHOOK_SECRET="whsec_chaos",
            EMAIL_URL=f"smtp://127.0.0.1:{mail_port}",
            SERVER_TIMING="0",
        )
        self.letters = folder / "letters"
        self.letters.mkdir()

        def part(name: str, *command: str) -> Part:
            return Part(name, command, self.env, log)

        self.web = part("web", "-m", "deploy.serve")
        self.worker = part("worker", "manage.py", "worker")
        self.sweep = part("sweep", "manage.py", "sweep", "--every", "1")
        # It keeps its state in a journal, so that it can be killed like the rest.
        self.sandbox = part("sandbox", "-m", "sandbox")
        self.post = part("post", "-m", "tests.chaos.post_office", str(mail_port), str(self.letters))
        self.parts = (self.web, self.worker, self.sweep, self.sandbox, self.post)

    def call(self, function: str, **arguments: Any) -> Any:
        """Call a function of `within` in the site's settings; returns its result."""
        return json.loads(run(self.command(function, **arguments), self.env))

    def command(self, function: str, **arguments: Any) -> list[str]:
        """The command that calls a function of `within` and prints its result as JSON."""
        words = [sys.executable, "-m", "bench.within", "tests.chaos.within", function]
        return [*words, json.dumps(arguments)]

    def start(self) -> None:
        """Start what is not running; returns when site and Stripe answer. Raises NotUp."""
        for part in self.parts:
            if not part.is_running:
                part.start()
        self._wait_for(f"{self.address}/healthz")
        self.wait_for_stripe()

    def wait_until_ready(self) -> None:
        """Return when worker and sweep are at work as well. Raises NotUp."""
        self._wait_for(f"{self.address}/readyz")

    def wait_for_stripe(self) -> None:
        """Return when Stripe answers. Raises NotUp."""
        self._wait_for(f"{self.stripe}/")

    def look(self) -> None:
        """Start again what has ended a second ago."""
        for part in self.parts:
            part.look()

    def _wait_for(self, url: str) -> None:
        deadline = time.monotonic() + UP_WITHIN
        while not _answers(url):
            if time.monotonic() > deadline:
                raise NotUp(f"{url} does not answer. The log is in build/chaos.")
            self.look()
            time.sleep(ASK_AGAIN)


@contextmanager
def running(on: Database, folder: Path, log: Path) -> Iterator[Service]:
    """The parts, ended with all that they have started whatever happens; `start` them."""
    service = Service(on, folder, log)
    try:
        yield service
    finally:
        for part in service.parts:
            part.end()


def _lasting_port() -> int:
    """A free port which the kernel gives to nobody else while the part that has it is dead."""
    given_out_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(given_out_from // 2, given_out_from)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False
