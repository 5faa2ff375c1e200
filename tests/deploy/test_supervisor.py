"""`make run` ends as a whole: nothing it started outlives it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
END_WITHIN = 20.0  # seconds, on a machine however busy; the programs would run for 60

STEADY = "import time; print('up', flush=True); time.sleep(60)"
# Ends by nothing but SIGKILL, and so does the process that it starts in its turn.
STUBBORN = (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "os.fork() or print('up', flush=True); time.sleep(60)"
)
# Dies when the test says so.
MORTAL = (
    "import os, signal; signal.signal(signal.SIGUSR1, lambda *_: os._exit(7)); "
    "print('up', flush=True); signal.pause()"
)

DRIVER = """
import os, sys
from deploy.supervisor import Supervisor, say
supervisor = Supervisor(patience=float(os.environ.get("PATIENCE", "1")))
for number, program in enumerate(sys.argv[1:]):
    supervisor.start(f"part{number}", [sys.executable, "-c", program], os.environ)
say("groups", " ".join(str(part.process.pid) for part in supervisor.parts))
sys.exit(supervisor.run(lambda: True, lambda: None, within=10))
"""


@pytest.fixture
def supervised() -> Iterator[list[subprocess.Popen[str]]]:
    """The supervisors that a test started; whatever is left of them is ended."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start(
    supervised: list[subprocess.Popen[str]], *programs: str
) -> tuple[subprocess.Popen[str], list[int]]:
    """A supervisor of these programs, once all are up; and the programs' process groups."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, *programs], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    supervised.append(process)
    assert process.stdout is not None
    groups: list[int] = []
    up = 0
    while up < len(programs) or not groups:
        line = process.stdout.readline()
        assert line, "the supervisor ended too early"
        name, _, text = line.partition("|")
        up += text == " up\n"
        if name.startswith("groups"):
            groups = [int(word) for word in text.split()]
    return process, groups


def running(groups: Sequence[int]) -> list[int]:
    """The process groups that still have a process in them (a dead one nobody waits for aside)."""
    left = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            _, _, rest = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue
        state, _, group, *_ = rest.split()
        if state != "Z" and int(group) in groups:
            left.add(int(group))
    return sorted(left)


def gone_within(groups: Sequence[int], seconds: float) -> bool:
    """Whether the groups are empty before so many seconds have passed."""
    deadline = time.monotonic() + seconds
    while running(groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not running(groups)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_supervisor_asked_to_end_leaves_nothing(
    supervised: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    process, groups = start(supervised, STEADY, STUBBORN)
    asked = time.monotonic()
    process.send_signal(number)
    assert process.wait(END_WITHIN) == 0
    assert time.monotonic() - asked < END_WITHIN
    assert running(groups) == []


def test_supervisor_asked_twice_ends_at_once_what_goes_on(
    supervised: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATIENCE", "60")
    process, groups = start(supervised, STEADY, STUBBORN)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(END_WITHIN) == 0
    assert running(groups) == []


def test_supervisor_names_the_part_that_died_and_fails(
    supervised: list[subprocess.Popen[str]],
) -> None:
    process, groups = start(supervised, STEADY, MORTAL)
    os.kill(groups[1], signal.SIGUSR1)
    assert process.stdout is not None
    last = process.stdout.read().splitlines()[-1]
    assert process.wait(END_WITHIN) == 1
    assert last == "run    | 'part1' ended with status 7; stopping the rest."
    assert running(groups) == []


def test_supervisor_killed_outright_leaves_nothing(
    supervised: list[subprocess.Popen[str]],
) -> None:
    process, groups = start(supervised, STEADY, STEADY)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert gone_within(groups, END_WITHIN)
