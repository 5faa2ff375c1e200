"""Starts what is measured as it is started for real, and ends it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.client import HOST, Failed

ROOT = Path(__file__).resolve().parent.parent
SERVER = (sys.executable, "-m", "deploy.serve")
MANAGE = (sys.executable, "manage.py")
UP_WITHIN = 40.0  # seconds
ENDS_WITHIN = 10.0
# What the caller's environment may say of programs, but not of the service.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
_KB = 1024


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment(data: Path, database_url: str, **more: str) -> dict[str, str]:
    """What a part of the service sees: a trial site with its own data, and no limits in effect."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    data.mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        "TRIAL": "1",
        "SERVER_TIMING": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(data),
        "DATABASE_URL": database_url,
        # All traffic comes from one address.
        "LIMIT_FACTOR": "1000000",
        "LOG_LEVEL": "WARNING",
        **more,
    }


def run(command: Sequence[str], env: Mapping[str, str]) -> str:
    """Run a program to its end; returns what it prints. Raises Failed if it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise Failed(
            f"{' '.join(command[1:4])} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        )
    return done.stdout


@contextmanager
def program(
    command: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A running program, ended with all that it started, whatever happens to us."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def server(
    command: Sequence[str], env: Mapping[str, str], log: Path, *, path: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that serves HTTP on env's PORT, from when `path` answers without a mistake."""
    with program(command, env, log) as process:
        wait_until_up(process, int(env["PORT"]), path, log)
        yield process


def wait_until_up(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    """Return once the server answers; Failed if it ends or takes too long."""
    deadline = time.monotonic() + UP_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(HOST, port, timeout=UP_WITHIN)
        try:
            connection.request("GET", path)
            if connection.getresponse().status < 500:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
        finally:
            connection.close()
    raise Failed(f"The server did not come up:\n{log.read_text()[-3000:]}")


def children(pid: int) -> list[int]:
    """The processes that a process has started: the web server's."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory_mb(pid: int | str, name: str = "VmRSS") -> float:
    """A process's memory, what it shares with others included: now (VmRSS) or at most (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / _KB
    raise LookupError(name)
