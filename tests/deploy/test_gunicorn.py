"""The web server as it is configured: two processes share the work, and none waits for Stripe."""

import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
WORKERS = 2


@pytest.fixture
def address() -> Iterator[str]:
    """Of gunicorn with our configuration around an application that waits."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {"PORT": str(port), "HOST": "127.0.0.1", "WEB_WORKERS": str(WORKERS)}
    command = ["gunicorn", "-c", "deploy/gunicorn.conf.py", "tests.deploy.waiting_app"]
    server = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while len(all_at_once(address)) < WORKERS:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def all_at_once(address: str) -> Counter[str]:
    """How many of eight who came at once each process answered; none where none is up yet."""
    with ThreadPoolExecutor(8) as people:
        try:
            return Counter(people.map(partial(ask, address), ["/work"] * 8))
        except OSError:
            return Counter()


def ask(address: str, path: str) -> str:
    """The process that answered."""
    with urlopen(address + path, timeout=20) as answer:
        return str(answer.read().decode())


def test_those_who_come_at_once_are_shared_out(address: str) -> None:
    shares = sorted(all_at_once(address).values())
    # Four and four, unless one process was slow to look.
    assert len(shares) == WORKERS
    assert shares[0] >= 3


def test_nobody_waits_for_those_who_wait_for_stripe(address: str) -> None:
    """As many as fill all turns and all places in line, twice over."""
    with ThreadPoolExecutor(8 * WORKERS) as people:
        waiting = [people.submit(ask, address, "/outside") for _ in range(6 * WORKERS)]
        time.sleep(0.5)
        began = time.monotonic()
        for _ in range(3):
            ask(address, "/work")
        took = time.monotonic() - began
        assert not any(one.done() for one in waiting)
        for one in waiting:
            one.result()
    assert took < 3


SAYS_NOTHING = b""
STOPS_IN_ITS_FORM = b"POST /work HTTP/1.1\r\nHost: site.test\r\nContent-Length: 500\r\n\r\nname="


@pytest.mark.parametrize(("count", "words"), [(60, SAYS_NOTHING), (6 * WORKERS, STOPS_IN_ITS_FORM)])
def test_nobody_waits_for_a_line_that_is_still(address: str, count: int, words: bytes) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    with ExitStack() as lines:
        for _ in range(count):
            line = lines.enter_context(socket.create_connection((host, int(port))))
            line.sendall(words)
        time.sleep(0.5)
        began = time.monotonic()
        ask(address, "/work")
        took = time.monotonic() - began
    assert took < 3
