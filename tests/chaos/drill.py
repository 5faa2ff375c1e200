"""One drill: bookings and kills, then all at once, then peace, in which all must come right.

First every part of the service is killed or hangs, in an order that the seed decides, while people
book. Then the kills end, and whoever still waits for an answer gets one. Then everything is killed
at once, comes back as if 41 minutes later, and is left alone until nothing is to be done.
"""

import json
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bench.programs import ROOT
from tests.chaos.databases import database
from tests.chaos.kills import Killer
from tests.chaos.plan import Booking, Plan, bookings
from tests.chaos.service import LOOK_AGAIN, Service, running
from tests.chaos.visitors import Visitor, come

LOGS = ROOT / "build" / "chaos"
# How long all is dead, as far as the service can tell. Longer than places are kept
# (tickets.actions.booking.HOLD), so that what was abandoned ends too.
DEAD_FOR = 41  # minutes


@dataclass(frozen=True)
class Outcome:
    """What a drill came to."""

    database: str
    figures: dict[str, int | str]
    faults: dict[str, list[str]]  # each must be empty
    kills: Counter[str]
    seconds: float

    @property
    def is_well(self) -> bool:
        return not any(self.faults.values())


def drill(plan: Plan, database_name: str) -> Outcome:
    """Run one on 'sqlite' or 'postgresql'; only in a main thread. Leaves nothing but its log."""
    began = time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{database_name}.log"
    log.unlink(missing_ok=True)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        on = stack.enter_context(database(database_name, folder))
        service = stack.enter_context(running(on, folder, log))
        about = service.call("prepare", few=plan.few_places, ample=plan.ample_places)
        service.start()
        service.wait_until_ready()
        everybody = bookings(plan)
        sends, is_over = threading.Event(), threading.Event()
        stack.callback(is_over.set)
        form = f"{service.address}/{about['slug']}/reserve/"
        people = come(
            [
                Visitor(one, form=form, kinds=about["kinds"], sends=sends, is_over=is_over)
                for one in everybody
            ],
            seconds=plan.seconds,
            at_once=plan.at_once,
            is_over=is_over,
        )
        killer = _kill(plan, service, sends)
        _let_all_be_answered(plan, service, people)
        is_over.set()
        (folder / "bookings.json").write_text(json.dumps([one.as_dict() for one in everybody]))
        _kill_everything(service)
        counted = _counted(plan, service, folder)
        deaths = [death for part in service.parts for death in part.deaths]
    return Outcome(
        on.name,
        {**counted["figures"], **_trouble(everybody), "kills": killer.kills.total()},
        {
            **counted["faults"],
            "parts that ended by themselves": deaths,
            "kills that never took place": sorted(killer.missing),
        },
        killer.kills,
        time.monotonic() - began,
    )


def _kill(plan: Plan, service: Service, sends: threading.Event) -> Killer:
    """Do one thing after the other to the parts, and start again what has ended."""
    chance = random.Random(plan.seed)
    killer = Killer(service, chance, plan.longest, sends)
    ends_at = time.monotonic() + plan.seconds
    given_up_at = ends_at + plan.quiet_within
    next_at = time.monotonic() + chance.uniform(*plan.between_kills)
    # On a slow machine a short drill takes longer, until everything has happened once.
    while (now := time.monotonic()) < (given_up_at if killer.missing else ends_at):
        if now >= next_at:
            killer.strike()
            next_at = now + chance.uniform(*plan.between_kills)
        killer.end_what_is_over()
        service.look()
        time.sleep(LOOK_AGAIN)
    killer.end_what_is_over(everything=True)
    return killer


def _let_all_be_answered(plan: Plan, service: Service, people: list[threading.Thread]) -> None:
    """Wait, in peace, for whoever has no answer yet."""
    deadline = time.monotonic() + plan.quiet_within
    while any(one.is_alive() for one in people) and time.monotonic() < deadline:
        service.look()
        time.sleep(LOOK_AGAIN)


def _kill_everything(service: Service) -> None:
    """kill -9 of everything at once, and its start as if DEAD_FOR later."""
    for part in service.parts:
        part.end()
    service.database.crash()
    service.database.start()
    service.sandbox.start()
    service.wait_for_stripe()
    # Stripe's pages have a clock of their own.
    requests.post(
        f"{service.stripe}/control/clock", {"minutes": str(DEAD_FOR)}, timeout=30
    ).raise_for_status()
    service.call("let_time_pass", minutes=DEAD_FOR)
    service.start()


def _counted(plan: Plan, service: Service, folder: Path) -> dict[str, Any]:
    """What `within.wait_and_count` returns; meanwhile the parts are looked after."""
    command = service.command("wait_and_count", folder=str(folder), within=plan.quiet_within)
    result, errors = folder / "counted.json", folder / "counting.log"
    with (
        result.open("wb") as output,
        errors.open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=service.env, stdout=output, stderr=log) as counting,
    ):
        try:
            while counting.poll() is None:
                service.look()
                time.sleep(LOOK_AGAIN)
        finally:
            counting.kill()
    assert counting.returncode == 0, errors.read_text()
    counted: dict[str, Any] = json.loads(result.read_text())
    return counted


def _trouble(everybody: list[Booking]) -> dict[str, int | str]:
    """What people were shown in place of an answer, and how often."""
    trouble = sum((Counter(one.trouble) for one in everybody), Counter[str]())
    return {f"in place of an answer: {what}": times for what, times in sorted(trouble.items())}
