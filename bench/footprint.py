"""What the service costs a machine: memory, processor time while idle, start, packages."""

import itertools
import re
import time
from pathlib import Path
from typing import Any

from bench.booking import free_orders
from bench.client import request
from bench.comparing import Contender
from bench.paying import TASKS_TO_DO, wait_for
from bench.programs import (
    ROOT,
    children,
    cpu_seconds,
    memory_mb,
    program,
    wait_until_up,
    with_descendants,
)
from bench.stage import PYTHON, Site, Stage

STARTS = 3
PAGES, ORDERS = 400, 100  # requests before memory is measured
IDLE_SECONDS = 30.0  # the sweep comes once in this time
_PACKAGE = re.compile(r"^[a-z0-9][a-z0-9._-]*==", re.MULTILINE | re.IGNORECASE)
# `make run` after its set-up and its look at the ports.
_ALL_PARTS = (
    "import os; from deploy import run; run.start_all(*map(int, os.environ['PORTS'].split()))"
)


def footprint(stage: Stage) -> dict[str, Any]:
    """The start of the web server; then all of `make run` without the sandbox, once it has worked.

    `all_mb` is the PSS of all processes: memory that n processes share counts as 1/n in each.
    `worker_mb` is the RSS of one web process, shared memory included.
    """
    site = stage.site()
    starts = sorted(_seconds_to_start(site) for _ in range(STARTS))
    ports = f"{site.port} {site.stripe_port}"
    env = site.env | {"PORTS": ports}
    log = site.folder / "log"
    with program((PYTHON, "-c", _ALL_PARTS), env, log) as supervisor:
        wait_until_up(supervisor, site.port, "/healthz", log)
        _use(site)
        parts = _parts(supervisor.pid)
        web = max(memory_mb(pid, "VmRSS") for pid in children(parts["web"][0]))
        memory = {
            name: sum(memory_mb(pid, "Pss", "smaps_rollup") for pid in pids)
            for name, pids in parts.items()
        }
        before = {name: sum(map(cpu_seconds, pids)) for name, pids in parts.items()}
        time.sleep(IDLE_SECONDS)
        percent = {
            name: (sum(map(cpu_seconds, pids)) - before[name]) / IDLE_SECONDS * 100
            for name, pids in parts.items()
        }
    return {
        "worker_mb": round(web, 1),
        "all_mb": round(sum(memory.values()), 1),
        "all_mb_by_part": {name: round(value, 1) for name, value in memory.items()},
        "idle_percent": round(sum(percent.values()), 2),
        "idle_percent_by_part": {name: round(value, 2) for name, value in percent.items()},
        "cold_start_s": round(starts[STARTS // 2], 2),
        "packages": len(_PACKAGE.findall((ROOT / "requirements.lock").read_text())),
    }


def _seconds_to_start(site: Site) -> float:
    """From the start of the web server to its first answer."""
    began = time.perf_counter()
    with site.web():
        return time.perf_counter() - began


def _use(site: Site) -> None:
    """Ask for pages, order tickets, and wait until their mails are sent."""
    for path in ("/", f"/{site.slug}/", f"/{site.slug}/reserve/"):
        asked = itertools.repeat(request("GET", path))
        Contender(site.port, asked, lambda answer: answer.status == 200).run(most=PAGES)
    free_orders(site).run(most=ORDERS)
    wait_for(site, TASKS_TO_DO, 0)


def _parts(supervisor: int) -> dict[str, list[int]]:
    """The processes of each part, the sandbox left out; a part's own comes first."""
    parts = {"supervisor": [supervisor]}
    for pid in children(supervisor):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        (name,) = {"deploy.serve", "worker", "sweep", "sandbox"} & set(words)
        parts[name.removeprefix("deploy.")] = with_descendants(pid)
    parts["web"] = parts.pop("serve")
    del parts["sandbox"]
    return parts
