"""The real web server on a test's database, as its own processes."""

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from conference.models import Conference

ROOT = Path(__file__).resolve().parent.parent
UP_WITHIN = 60.0  # seconds


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_site(
    env: Mapping[str, str], application: str = "conference.wsgi"
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`python -m deploy.serve` in a trial; yields its address and its process.

    `env` is the fixture `process_env`, with whatever the test adds. Limits against abuse are
    lifted: everybody in a test comes from one network.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    ours = {"TRIAL": "1", "PORT": str(port), "BASE_URL": address, "LIMIT_FACTOR": "100"}
    server = subprocess.Popen(
        [sys.executable, "-m", "deploy.serve", application],
        cwd=ROOT,
        env={**os.environ, **ours, **env},
    )
    try:
        wait_until_answered(f"{address}/healthz", server)
        yield address, server
    finally:
        server.terminate()
        server.wait()


def wait_until_answered(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that is just starting answers at this address."""
    deadline = time.monotonic() + UP_WITHIN
    while not _answers(url):
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)


class Visitor:
    """Somebody with a browser of their own who has opened a conference's reservation form."""

    def __init__(self, address: str, conference: Conference) -> None:
        self.form = f"{address}/{conference.slug}/reserve/"
        self.kind = conference.ticket_types.all()[0].pk
        self.browser = requests.Session()
        self.browser.get(self.form, timeout=60)

    def reserve(self, *, gift: str = "none") -> requests.Response:
        """What the site answers to a form for one place; `gift` is the choice sent with it."""
        return self.browser.post(
            self.form,
            {
                "csrfmiddlewaretoken": self.browser.cookies["csrftoken"],
                "submission": str(uuid.uuid4()),
                "name": "Ada",
                "email": "ada@example.org",
                "gift": gift,
                "form-TOTAL_FORMS": "1",
                "form-INITIAL_FORMS": "0",
                "form-0-attendee_name": "Ada",
                "form-0-ticket_type": str(self.kind),
            },
            headers={"Referer": self.form},
            allow_redirects=False,
            timeout=120,
        )


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code < 500
    except requests.ConnectionError:
        return False
