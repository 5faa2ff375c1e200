"""Starts and ends the programs that are measured, and reads what they cost from /proc."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.client import HOST, Failed

ROOT = Path(__file__).resolve().parent.parent
UP_WITHIN = 40.0  # seconds
ENDS_WITHIN = 10.0
# Variables of the caller's that programs need. Settings of a site must not come from there.
_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
_KIB_A_MB = 1024


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment(**variables: str) -> dict[str, str]:
    """The environment of a part of the service: a trial site with these variables."""
    return {
        **{name: os.environ[name] for name in _HANDED_ON if name in os.environ},
        "TRIAL": "1",
        "SERVER_TIMING": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "LIMIT_FACTOR": "1000000",  # all requests come from one address
        "LOG_LEVEL": "WARNING",
        **variables,
    }


def run(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Run a program to its end; returns what it prints. Raises Failed if it fails."""
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        words = " ".join(command[1:4])
        raise Failed(f"{words} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


@contextmanager
def program(
    command: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A running program. It is ended with all that it started, even if we are killed."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_up(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    """Return once the program answers there; Failed if it ends or takes too long."""
    deadline = time.monotonic() + UP_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(f"http://{HOST}:{port}{path}", timeout=5).status_code < 500:
                return
        except requests.RequestException:
            time.sleep(0.01)
    raise Failed(f"The server did not come up:\n{log.read_text()[-3000:]}")


def children(pid: int) -> list[int]:
    """The running child processes of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def with_descendants(pid: int) -> list[int]:
    """A process, its children, their children, and so on."""
    return [pid, *(one for child in children(pid) for one in with_descendants(child))]


def memory_mb(pid: int | str, name: str, file: str = "status") -> float:
    """One line of a process's memory in /proc (`man proc_pid_status`), in MB.

    VmRSS is all of it at this moment, VmHWM the most there ever was, RssAnon what does not come
    from files. Pss, from the file `smaps_rollup`, counts memory shared by n processes as 1/n.
    """
    text = Path(f"/proc/{pid}/{file}").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found, name
    return int(found[1]) / _KIB_A_MB


def cpu_seconds(pid: int) -> float:
    """The processor time of all threads that the process has now."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
