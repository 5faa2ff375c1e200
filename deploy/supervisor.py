"""Runs several processes in one terminal; they start and stop together.

Only the standard library. Each part leads a process group of its own, so that its children are
stopped too, and gets SIGTERM from the kernel if this process dies in any way.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType

# From SIGTERM to SIGKILL: a request that waits for Stripe takes up to 26 s.
PATIENCE = 35.0  # seconds
LOOK_EVERY = 0.5  # seconds
LOOK_FOR_THE_END_EVERY = 0.05
# One Ctrl-C may come twice, from the terminal and from make: so soon after the first, a signal is
# not a second request to end.
SAME_REQUEST_WITHIN = 1.0  # seconds
COLOURS = (36, 33, 35, 32, 34)
_printing = threading.Lock()


def say(name: str, text: str, colour: int = 0) -> None:
    """Print a line with the part's name in front, coloured on a terminal."""
    prefix = f"{name:<7}|"
    if colour and sys.stdout.isatty():
        prefix = f"\033[{colour}m{prefix}\033[0m"
    # If the terminal is gone, the parts must still be stopped.
    with _printing, suppress(OSError):
        print(prefix, text, flush=True)


class Part:
    """One process, whose output is copied line by line."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], colour: int
    ) -> None:
        self.name = name
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=env,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._copy, args=(colour,), daemon=True)
        self._reader.start()

    def _copy(self, colour: int) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            say(self.name, line.rstrip("\n"), colour)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the part's process group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def ended(self) -> str:
        """How it ended, in words; empty while it runs."""
        status = self.process.poll()
        if status is None:
            return ""
        self._reader.join(0.5)  # print its last output first
        return f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"


class Supervisor:
    """Runs the parts until one of them dies or a signal asks to stop.

    They then have `patience` seconds to stop; a second signal kills them at once.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.parts: list[Part] = []
        self._patience = patience
        self._asked_to_end: float | None = None  # when, by the monotonic clock
        self._asked_again = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked_to_end is None:
            self._asked_to_end = now
        elif now - self._asked_to_end > SAME_REQUEST_WITHIN:
            self._asked_again = True

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start a part. Only from the main thread: the kernel stops it when that thread ends."""
        self.parts.append(Part(name, command, env, COLOURS[len(self.parts) % len(COLOURS)]))

    def run(self, is_up: Callable[[], bool], when_up: Callable[[], None], within: float) -> int:
        """Watch the parts, calling `when_up` once `is_up`; return when all have ended.

        Returns the exit status: 0 if a signal asked to stop, 1 if a part died or the service was
        not up `within` this many seconds.
        """
        deadline: float | None = time.monotonic() + within
        try:
            while self._asked_to_end is None:
                if dead := [part for part in self.parts if part.process.poll() is not None]:
                    for part in dead:
                        say("run", f"'{part.name}' ended {part.ended()}; stopping the rest.")
                    return 1
                if deadline and is_up():
                    deadline = None
                    when_up()
                if deadline and time.monotonic() > deadline:
                    say("run", f"The service did not answer within {within:.0f} s; stopping.")
                    return 1
                time.sleep(LOOK_EVERY)
            return 0
        finally:
            self._stop()

    def _stop(self) -> None:
        for part in self.parts:
            part.send(signal.SIGTERM)
        deadline = time.monotonic() + self._patience
        while running := [part for part in self.parts if part.process.poll() is None]:
            if time.monotonic() > deadline or self._asked_again:
                say("run", f"Ended by force: {', '.join(part.name for part in running)}.")
                break
            time.sleep(LOOK_FOR_THE_END_EVERY)
        # A part that has ended may have left children in its process group.
        for part in self.parts:
            part.send(signal.SIGKILL)
            part.process.wait()
