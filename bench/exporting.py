"""The desk's export of ten thousand attendees as CSV."""

import csv
import http.client
import io
import time
from collections.abc import Iterator
from typing import Any

from bench.client import HOST, PATIENCE, Browser, Failed, form
from bench.comparing import FORM
from bench.programs import children, memory_mb
from bench.stage import Site, Stage

ATTENDEES = 10_000
EXPORTS = 3
ORGANISER = {"username": "organiser@example.org", "password": "open-dialogue"}
LIST, FILE = "/desk/attendees/", "/desk/attendees.csv"


def export(stage: Stage) -> Iterator[dict[str, Any]]:
    """By an organiser's own click: the median time, whether it streams, what the worker keeps."""
    site = stage.site()
    site.prepare("tickets", count=ATTENDEES)
    took, whole = [], []
    with site.web() as server:
        organiser = _logged_in(site)
        # The list's first page and a look at every worker, so that templates and forms are read.
        for _ in range(4):
            organiser.get(LIST)
        before = _peak(server)
        for _ in range(EXPORTS):
            seconds, is_streamed, rows = _export(site, organiser)
            took.append(seconds)
            whole.append(is_streamed and rows == ATTENDEES + 1)
        grows = _peak(server) - before
    yield {
        "bench": "export",
        "database": stage.databases.name,
        "concurrency": 1,
        "attendees": ATTENDEES,
        "seconds": round(sorted(took)[EXPORTS // 2], 2),
        "is_streamed": all(whole),
        "grows_mb": round(grows, 1),
    }


def _logged_in(site: Site) -> Browser:
    organiser = Browser(site.port)
    organiser.get("/login/")
    organiser.post("/login/", ORGANISER)
    return organiser


def _export(site: Site, organiser: Browser) -> tuple[float, bool, int]:
    """Seconds, whether the file came in pieces, and how many rows it has."""
    connection = http.client.HTTPConnection(HOST, site.port, timeout=PATIENCE)
    headers = FORM | {"Cookie": organiser.cookie}
    began = time.perf_counter()
    body = form({"csrfmiddlewaretoken": organiser.token})
    connection.request("POST", FILE, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    seconds = time.perf_counter() - began
    connection.close()
    if answer.status != 200:
        raise Failed(f"POST {FILE}: {answer.status}")
    is_streamed = answer.headers["Transfer-Encoding"] == "chunked"
    rows = sum(1 for _ in csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    return seconds, is_streamed, rows


def _peak(server: int) -> float:
    """The most memory that any worker has ever had."""
    return max(memory_mb(worker, "VmHWM") for worker in children(server))
