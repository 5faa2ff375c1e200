"""What the service costs while nobody uses it: memory, time to start, packages."""

import itertools
import re
import time
from collections.abc import Iterator
from typing import Any

from bench.booking import free_orders
from bench.client import drive, request
from bench.programs import MANAGE, ROOT, children, memory_mb, run
from bench.stage import Stage

AT_ONCE = 8
STARTS = 3
REQUESTS = 400
_PACKAGE = re.compile(r"^[a-z0-9][a-z0-9._-]*==", re.MULTILINE | re.IGNORECASE)


def footprint(stage: Stage) -> Iterator[dict[str, Any]]:
    """A worker's memory after pages and orders, the start until the first answer, the packages."""
    site = stage.site()
    about = site.prepare("roomy")
    starts = []
    for _ in range(STARTS - 1):
        began = time.perf_counter()
        with site.web():
            starts.append(time.perf_counter() - began)
    began = time.perf_counter()
    with site.web() as server:
        starts.append(time.perf_counter() - began)
        for path in ("/", f"/{about['slug']}/", f"/{about['slug']}/reserve/"):
            _load(site.port, itertools.repeat(request("GET", path)))
        _load(site.port, free_orders(site, about).requests)
        worker = max(memory_mb(pid) for pid in children(server))
    yield {
        "bench": "footprint",
        "database": stage.databases.name,
        "concurrency": AT_ONCE,
        "worker_mb": round(worker, 1),
        "cold_start_s": round(sorted(starts)[STARTS // 2], 2),
        "migrate_s": round(_migrate(stage), 2),
        "packages": len(_PACKAGE.findall((ROOT / "requirements.lock").read_text())),
    }


def _load(port: int, requests: Iterator[bytes]) -> None:
    drive(
        port,
        requests,
        at_once=AT_ONCE,
        seconds=10,
        is_right=lambda answer: answer.status < 400,
        most=REQUESTS,
    )


def _migrate(stage: Stage) -> float:
    """Seconds from an empty database to all tables."""
    site = stage.empty_site()
    began = time.perf_counter()
    run([*MANAGE, "migrate", "-v", "0"], site.env)
    return time.perf_counter() - began
