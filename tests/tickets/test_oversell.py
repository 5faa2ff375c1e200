"""However many ask at once, and through however many processes: no place is given twice."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.factories import make_conference
from tests.running_site import Visitor, running_site
from tickets.models import Order, Ticket

ROOT = Path(__file__).parents[2]
PLACES = 50
PARTIES = 200


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
    outcomes: Counter[str] = Counter()
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in crowd:
        said, _ = process.communicate(timeout=120)
        outcomes += Counter(json.loads(said))
    assert outcomes == {"reserved": PLACES, "SoldOut": PARTIES - PLACES}
    assert Ticket.objects.holding_places().count() == Order.objects.count() == PLACES


def told(answer: requests.Response) -> str:
    """In short what a party was told."""
    if answer.status_code == 302 and "/orders/" in answer.headers["Location"]:
        return "reserved"
    sold_out = ("have just been taken", "that is still to be had")
    if answer.status_code == 200 and any(words in answer.text for words in sold_out):
        return "told that it is full"
    return f"{answer.status_code} {answer.text[:500]}"


def test_parties_over_http_are_served_or_told(process_env: dict[str, str]) -> None:
    conference = make_conference(types={"Only": PLACES})
    with running_site(process_env) as (address, _server), ThreadPoolExecutor(16) as crowd:
        visitors = [Visitor(address, conference) for _ in range(16)]

        def party(number: int) -> Counter[str]:
            tries = range(number, PARTIES, len(visitors))
            return Counter(told(visitors[number].reserve()) for _ in tries)

        outcomes = sum(crowd.map(party, range(len(visitors))), Counter())
    assert outcomes == {"reserved": PLACES, "told that it is full": PARTIES - PLACES}
    assert Ticket.objects.holding_places().count() == PLACES
