"""However many ask at once, and through however many processes: no place is given twice."""

import json
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.factories import make_conference
from tickets.models import Order, Ticket

ROOT = Path(__file__).parents[2]
PLACES = 50
PARTIES = 200
PATIENCE = 60.0  # seconds that the web server may take to start on a busy machine


def test_parties_in_separate_processes_take_each_place_once(process_env: dict[str, str]) -> None:
    conference = make_conference(types={"Only": PLACES})
    command = [sys.executable, "-m", "tests.rush", str(conference.pk), "5", "5"]
    crowd = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=process_env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(PARTIES // 25)
    ]
    for process in crowd:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    told: Counter[str] = Counter()
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in crowd:
        said, _ = process.communicate(timeout=120)
        told += Counter(json.loads(said))
    assert told == {"reserved": PLACES, "SoldOut": PARTIES - PLACES}
    assert Ticket.objects.holding_places().count() == Order.objects.count() == PLACES


@pytest.fixture
def site(process_env: dict[str, str]) -> Iterator[str]:
    """The real web server with two workers on this test's database; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    # All parties come from one network.
    more = {"DEBUG": "1", "PORT": str(port), "WEB_WORKERS": "2", "LIMIT_FACTOR": "100"}
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"],
        cwd=ROOT,
        env=process_env | more,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(f"{address}/healthz"):
            assert server.poll() is None, "the web server ended"
            assert time.monotonic() < deadline, "the web server did not start"
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def _asks(form: str, type_pk: int, browser: requests.Session) -> str:
    """One party sends the reservation form; in short what it was told."""
    answer = browser.post(
        form,
        {
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            "submission": str(uuid.uuid4()),
            "name": "Ada",
            "email": "ada@example.org",
            "gift": "none",
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "0",
            "form-0-attendee_name": "Ada",
            "form-0-ticket_type": str(type_pk),
        },
        headers={"Referer": form},
        allow_redirects=False,
        timeout=120,
    )
    if answer.status_code == 302 and "/orders/" in answer.headers["Location"]:
        return "reserved"
    sold_out = ("have just been taken", "that is still to be had")
    if answer.status_code == 200 and any(words in answer.text for words in sold_out):
        return "told that it is full"
    return f"{answer.status_code} {answer.text[:500]}"


def test_parties_over_http_are_served_or_told(site: str) -> None:
    conference = make_conference(types={"Only": PLACES})
    type_pk = conference.ticket_types.get().pk
    form = f"{site}/{conference.slug}/reserve/"
    browsers = [requests.Session() for _ in range(16)]
    for browser in browsers:
        browser.get(form, timeout=60)

    def party(number: int) -> Counter[str]:
        tries = range(number, PARTIES, len(browsers))
        return Counter(_asks(form, type_pk, browsers[number]) for _ in tries)

    with ThreadPoolExecutor(len(browsers)) as crowd:
        told = sum(crowd.map(party, range(len(browsers))), Counter())
    assert told == {"reserved": PLACES, "told that it is full": PARTIES - PLACES}
    assert Ticket.objects.holding_places().count() == PLACES
