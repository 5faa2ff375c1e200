"""`python -m bench [NAME …]`: all benches or the ones named, on SQLite and on PostgreSQL.

One JSON object a line on stdout, progress and a table on stderr. The exit status is 1 where a
bench could not be run to its end, and 0 even where a figure misses its target: on a busy machine
that may say more about the machine.
"""

import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from bench import booking, exporting, footprint, pages, paying, printing, scanning
from bench.client import Failed
from bench.databases import Databases, Sqlite, durable_postgres
from bench.stage import Stage
from bench.targets import judged, table

Bench = Callable[[Stage], Iterator[dict[str, Any]]]
BENCHES: dict[str, Bench] = {
    "reserve": booking.reserve,
    "checkout": booking.checkout,
    "webhook": paying.webhook,
    "scan": scanning.scan,
    "oversell": booking.oversell,
    "home": pages.home,
    "conference": pages.conference,
    "reserve_form": pages.reserve_form,
    "pdf_one": printing.pdf_one,
    "pdf_many": printing.pdf_many,
    "pdf_memory": printing.pdf_memory,
    "export": exporting.export,
    "footprint": footprint.footprint,
}
DATABASES: tuple[Callable[[], AbstractContextManager[Databases]], ...] = (
    lambda: nullcontext(Sqlite()),
    durable_postgres,
)


def main() -> int:
    """All of it; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = sys.argv[1:] or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"No bench is called {unknown[0]}. There are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    lines: list[dict[str, Any]] = []
    failed = 0
    for make in DATABASES:
        with (
            make() as databases,
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            Stage(databases, Path(folder)) as stage,
        ):
            for name in names:
                failed += not _run(name, stage, lines)
    print(f"\n{table(lines)}", file=sys.stderr)
    return 1 if failed else 0


def _run(name: str, stage: Stage, lines: list[dict[str, Any]]) -> bool:
    """Run one bench and print its lines; False where it breaks."""
    began = time.monotonic()
    try:
        for figures in BENCHES[name](stage):
            lines.append(judged(figures))
            print(json.dumps(lines[-1], ensure_ascii=False), flush=True)
    except Failed as error:
        print(f"{name} on {stage.databases.name} failed: {error}", file=sys.stderr)
        return False
    took = time.monotonic() - began
    print(f"{name} on {stage.databases.name}: {took:.0f} s", file=sys.stderr)
    return True


if __name__ == "__main__":
    sys.exit(main())
