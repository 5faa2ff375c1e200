"""The organisers' export of ten thousand attendees as CSV."""

import time
from typing import Any

from bench.client import Browser, Failed
from bench.programs import children, memory_mb
from bench.stage import Stage

ATTENDEES = 10_000
EXPORTS = 5
LIST, FILE = "/desk/attendees/", "/desk/attendees.csv"
PIECE = 64 * 1024  # bytes


def export(stage: Stage) -> dict[str, Any]:
    """The median time, and how much more memory it takes than an export of nobody.

    One process with one thread answers: each further thread has a database cache of its own.
    """
    site = stage.site()
    with site.web(WEB_WORKERS="1", WEB_THREADS="1") as server:
        organiser = Browser(site.port)
        organiser.log_in("organiser@example.org")
        organiser.get(LIST)
        nobody = max(_export(organiser, server, 0)[1] for _ in range(EXPORTS))
        site.fill(taken=ATTENDEES)
        exports = [_export(organiser, server, ATTENDEES) for _ in range(EXPORTS)]
    seconds = sorted(took for took, _ in exports)[EXPORTS // 2]
    grows = max(memory for _, memory in exports) - nobody
    return {
        "attendees": ATTENDEES,
        "seconds": round(seconds, 2),
        "grows_mb": round(grows, 1),
    }


def _export(organiser: Browser, server: int, attendees: int) -> tuple[float, float]:
    """The seconds it took, and the most memory any web process had while the file came.

    Memory of files is left out: SQLite reads its file through memory, which costs nothing.
    Raises Failed if the file is not whole.
    """
    began = time.perf_counter()
    rows, memory = -1, 0.0  # the first line is the heading
    for piece in organiser.download(FILE, PIECE):
        memory = max(memory, *(memory_mb(child, "RssAnon") for child in children(server)))
        rows += piece.count(b"\r\n")
    if rows != attendees:
        raise Failed(f"{FILE}: {rows} rows for {attendees} attendees")
    return time.perf_counter() - began, memory
