"""The service's processes. One that ends is started again, as systemd's Restart=always would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from bench.programs import ROOT, children

RESTART_AFTER = 1.0  # seconds


class NotRunning(Exception):
    """There is nothing to kill or to stop."""


class Part:
    """One process with its children, in a process group of their own."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.deaths: list[str] = []  # by itself: nobody here killed it
        # Only the web server has children, and tells them on SIGTERM; the others may be stopped
        # (SIGSTOP), and then no other signal than KILL ends them if we die.
        sign = "TERM" if name == "web" else "KILL"
        self._command = ["setpriv", "--pdeathsig", sign, sys.executable, *command]
        self._env = env
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._was_killed = False
        self._ended_at: float | None = None

    def start(self) -> None:
        """Start it. Only from a thread that lives as long as it: the kernel ends both together."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._was_killed = False
        self._ended_at = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9 of the process; what it has started is ended when its end is noticed.

        Raises NotRunning.
        """
        process = self._alive()
        self._was_killed = True
        process.kill()

    def children(self) -> list[int]:
        """The ids of the processes that it has started."""
        if self._process is None:
            return []
        with suppress(OSError):
            return children(self._process.pid)
        return []

    def stop_for_a_while(self) -> Callable[[], None]:
        """SIGSTOP: it takes connections and says nothing. Returns what lets it go on.

        Raises NotRunning.
        """
        process = self._alive()

        def go_on() -> None:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)

        process.send_signal(signal.SIGSTOP)
        return go_on

    def look(self) -> None:
        """Notice its end, and start it again a second later."""
        if self._process is None or self._process.poll() is None:
            return
        if self._ended_at is None:
            self._ended_at = time.monotonic()
            self._end_group()  # as systemd does with the rest of a service
            if not self._was_killed:
                self.deaths.append(f"{self.name} ended with {self._process.returncode}")
        elif time.monotonic() - self._ended_at >= RESTART_AFTER:
            self.start()

    def end(self) -> None:
        """End it and all that it started, at once."""
        if self._process is not None:
            self._was_killed = True
            self._end_group()
            self._process.wait()

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise NotRunning(self.name)
        return self._process

    def _end_group(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
