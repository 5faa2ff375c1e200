"""`python -m bench [NAME …]`: all benches or the named ones, on SQLite and on PostgreSQL.

One JSON object a line on stdout; progress and a table on stderr. The exit status is 1 where a
bench could not be finished. A missed target leaves it 0: other work on the machine may be the
cause.
"""

import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import (
    attacking,
    booking,
    exporting,
    footprint,
    mailing,
    pages,
    paying,
    printing,
    scanning,
)
from bench.client import Failed
from bench.databases import durable_postgres, sqlite
from bench.stage import Stage, stage_on
from bench.targets import judged, table

BENCHES: dict[str, Callable[[Stage], dict[str, Any]]] = {
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
    "export": exporting.export,
    "mail": mailing.mail,
    "floods": attacking.floods,
    "footprint": footprint.footprint,
}


def main() -> int:
    """Run the benches; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = sys.argv[1:] or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"No bench is called {unknown[0]}. There are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    lines: list[dict[str, Any]] = []
    failed = False
    for running in (sqlite, durable_postgres):
        with (
            running() as databases,
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            stage_on(databases, Path(folder)) as stage,
        ):
            for name in names:
                began = time.monotonic()
                try:
                    figures = BENCHES[name](stage)
                except Failed as error:
                    failed = True
                    print(f"{name} on {databases.name} failed: {error}", file=sys.stderr)
                    continue
                lines.append(judged({"bench": name, "database": databases.name, **figures}))
                print(json.dumps(lines[-1], ensure_ascii=False), flush=True)
                took = time.monotonic() - began
                print(f"{name} on {databases.name}: {took:.0f} s", file=sys.stderr)
    print(f"\n{table(lines)}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
