"""Set-up from a bare checkout: `python3 deploy/bootstrap.py run|lint|test|bench`.

Needs git, make and Python 3.11 of the machine and imports only the standard library.
deploy/setup.mk says what is built from what; make decides what is out of date. Here is what make
cannot do: look at the machine, install Debian packages, let a second set-up in the same folder
wait, and begin anew after one that was cut short.
"""

import ctypes
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILD = ROOT / "build"
# Is there while make works, and stays if it is killed.
UNFINISHED = BUILD / "setup.unfinished"
GOALS = ("run", "lint", "test", "bench")

# What WeasyPrint loads at run time, and the Debian package that brings it.
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
# What Playwright, which drives the tests' browser, needs as well.
TEST_LIBRARIES = {"libatomic.so.1": "libatomic1"}


class SetupError(Exception):
    """Set-up cannot go on; the message is one line that says what to do."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"set-up | {text}", flush=True)


def call(command: Sequence[str | Path], *, keep_open: int | None = None) -> None:
    """Run a program in the checkout; SetupError if it fails.

    If we are stopped, so is everything that the program started.
    `keep_open` is a file that the program and all that it starts hold open until they end.
    """
    # The flags of the make that called us are not meant for the make that we call.
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    descriptors = () if keep_open is None else (keep_open,)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,
    ) as process:
        try:
            status = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if status:
        words = " ".join(str(word) for word in command[:4])
        raise SetupError(f"'{words} …' ended with status {status}. Its own words are above.")


def has_library(name: str) -> bool:
    """Whether the dynamic linker finds the library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def debian_packages(goal: str) -> None:
    """Install what the machine lacks if we are root; else SetupError names it."""
    wanted = {**LIBRARIES, **(TEST_LIBRARIES if goal == "test" else {})}
    missing = [package for name, package in wanted.items() if not has_library(name)]
    if not PYTHON.exists() and importlib.util.find_spec("ensurepip") is None:
        missing.append("python3-venv")
    if goal == "test" and not shutil.which("chromium"):
        missing.append("chromium")
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        names = " ".join(missing)
        raise SetupError(f"Debian packages are missing. As root: apt-get install {names}")
    say(f"Debian packages: {' '.join(missing)}")
    call(["apt-get", "update", "-qq"])
    no_questions = ["env", "DEBIAN_FRONTEND=noninteractive"]
    call([*no_questions, "apt-get", "install", "-qq", "--no-install-recommends", *missing])


@contextmanager
def alone() -> Iterator[int]:
    """One set-up at a time in one checkout; a second waits. Yields the lock file's descriptor."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up in this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def make(goal: str, lock: int) -> None:
    """Let make do what is due. The lock is held until make and all that it started have ended."""
    if UNFINISHED.exists() and VENV.exists():
        say("the last set-up was cut short; .venv is made anew")
        # pip may take a half-installed package for an installed one.
        shutil.rmtree(VENV)
    # Not sys.executable: that may be the Python of the .venv itself.
    python = Path(sys.base_prefix) / "bin" / "python3"
    UNFINISHED.touch()
    try:
        rules = ["make", "--no-print-directory", "-f", "deploy/setup.mk"]
        call([*rules, goal, f"PYTHON={python}"], keep_open=lock)
    except SetupError:
        # A step failed by itself, without network for instance, and left things in order.
        UNFINISHED.unlink()
        raise
    UNFINISHED.unlink()


def set_up(goal: str) -> None:
    """Make the checkout ready for one of GOALS; SetupError says what is lacking."""
    if sys.version_info < (3, 11):  # noqa: UP036 (the machine decides which Python this is)
        raise SetupError(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    with alone() as lock:
        debian_packages(goal)
        make(goal, lock)


def main() -> None:
    """The command line; a failure is one line and status 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if len(sys.argv) != 2 or sys.argv[1] not in GOALS:
        sys.exit(f"Usage: python3 deploy/bootstrap.py {'|'.join(GOALS)}")
    try:
        set_up(sys.argv[1])
    except SetupError as error:
        sys.exit(f"set-up | {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
