"""Lines that say little, slowly or nothing: whoever comes meanwhile is answered as on any day."""

import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from django.db import connection

from tests.factories import make_conference
from tests.html import heading
from tests.running_site import ROOT, Visitor, free_port, running_site, wait_until_answered
from tickets.models import Order

ANSWERED_WITHIN = 0.3  # seconds, at the median
ROUNDS = 9
CADDYFILE = ROOT / "deploy" / "hosting" / "Caddyfile"
BETWEEN_ROUNDS = 0.15  # seconds; nine of them see more than one drip


@dataclass(frozen=True)
class Attack:
    """So many lines that send `begins` at once and then `drip` every `pause` seconds."""

    lines: int
    begins: bytes = b""
    drip: bytes = b""
    pause: float = 1.0


def post(length: int, body: bytes = b"", path: str = "/bulletin/", kind: str = "") -> bytes:
    """A request whose body never comes to its end."""
    kind = kind or "application/x-www-form-urlencoded"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + body


ATTACKS = {
    "uploads of 2 MB, a byte every five seconds": Attack(
        4, post(2_000_000, b"--x\r\n", "/admin/login/", "multipart/form-data; boundary=x"), b"a", 5
    ),
    "bodies of 900 kB, a byte a second": Attack(40, post(900_000, b"email="), b"a"),
    "half headers": Attack(40, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "),
    "silence": Attack(200),
    "whole requests at a byte a second": Attack(50, b"G", b"E"),
}


@pytest.fixture(params=["directly", "behind Caddy"])
def site(
    process_env: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of the site, with a conference on its first page."""
    make_conference()
    with running_site(process_env) as (address, _server):
        if request.param == "directly":
            yield address
        else:
            with behind_caddy(address, tmp_path) as proxy:
                yield proxy


@contextmanager
def behind_caddy(site: str, folder: Path) -> Iterator[str]:
    """Caddy with our example's settings, but without a certificate; yields its address."""
    if not (caddy := shutil.which("caddy")):
        pytest.skip("Caddy is not installed")
    port = free_port()
    example = CADDYFILE.read_text()
    ours = example.replace("YOUR.SITE", f"http://127.0.0.1:{port}")
    ours = ours.replace("reverse_proxy 127.0.0.1:8000", f"reverse_proxy {site}")
    ours = ours.replace("{", "{\n\tadmin off\n\tauto_https off", 1)
    (folder / "Caddyfile").write_text(ours)
    words = [caddy, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    home = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, env=home, stderr=log)
        try:
            wait_until_answered(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


@contextmanager
def under(attack: Attack, address: str) -> Iterator[None]:
    """The attack, going on for as long as this lasts."""
    host, _, port = address.removeprefix("http://").partition(":")
    ended = threading.Event()
    with ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection((host, int(port))))
            for _ in range(attack.lines)
        ]
        for line in lines:
            line.sendall(attack.begins)

        def drip() -> None:
            while not ended.wait(attack.pause):
                for line in lines:
                    line.send(attack.drip)

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            yield
        finally:
            ended.set()
            dripping.join()


def seconds_for(url: str) -> float:
    """How long an honest visitor waits."""
    time.sleep(BETWEEN_ROUNDS)
    began = time.monotonic()
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 200
    return time.monotonic() - began


def slow(took: dict[tuple[str, str], list[float]]) -> dict[tuple[str, str], float]:
    """What took longer at the median than a visitor should wait."""
    medians = {what: statistics.median(times) for what, times in took.items()}
    return {what: time for what, time in medians.items() if time > ANSWERED_WITHIN}


@pytest.mark.django_db(transaction=True)
def test_slow_lines_hold_nobody_up(site: str) -> None:
    took = {}
    for name, attack in ATTACKS.items():
        with under(attack, site):
            for path in ("/healthz", "/"):
                took[name, path] = [seconds_for(site + path) for _ in range(ROUNDS)]
    assert slow(took) == {}


@pytest.mark.django_db(transaction=True)
def test_those_who_wait_for_a_stripe_that_hangs_hold_nobody_up(
    process_env: dict[str, str],
) -> None:
    conference = make_conference()
    # Takes connections, for the kernel does, and never says a word.
    silent = socket.create_server(("127.0.0.1", 0))
    stripe = f"http://127.0.0.1:{silent.getsockname()[1]}"
    with running_site(process_env | {"STRIPE_API_BASE": stripe}) as (address, _server):
        visitors = [Visitor(address, conference) for _ in range(8)]
        with ThreadPoolExecutor(8) as people:
            givers = [people.submit(visitor.reserve, gift="500") for visitor in visitors]
            asked = Order.objects.filter(donation__payments__isnull=False)
            deadline = time.monotonic() + 60
            while asked.count() < 8 and time.monotonic() < deadline:
                time.sleep(0.05)
            took = {("hanging Stripe", "/"): [seconds_for(f"{address}/") for _ in range(ROUNDS)]}
            assert not any(giver.done() for giver in givers)
            silent.close()
            # Nothing is lost: each has an order, whose page says how to go on.
            assert {giver.result().status_code for giver in givers} == {302}
    assert slow(took) == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite has one lock for all writers")
def test_long_write_holds_up_no_reader_and_tells_writers(process_env: dict[str, str]) -> None:
    """As when a backup, or somebody at the database's own prompt, keeps the lock for long."""
    conference = make_conference()
    name = str(connection.settings_dict["NAME"])
    with running_site(process_env) as (address, _server), ThreadPoolExecutor(8) as people:
        visitors = [Visitor(address, conference) for _ in range(8)]
        with closing(sqlite3.connect(name, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writers = [people.submit(visitor.reserve) for visitor in visitors]
            times = []
            while not all(writer.done() for writer in writers):
                times.append(seconds_for(f"{address}/{conference.slug}/reserve/"))
            other.execute("ROLLBACK")
        answers = [writer.result() for writer in writers]
        told = {(answer.status_code, heading(answer)) for answer in answers}
        assert told == {(503, "Too much at once")}
        assert max(times) < 1
        assert {visitor.reserve().status_code for visitor in visitors} == {302}
