"""Whose turn it is: a web process works on two requests at once, and the others wait in line.

Python runs one thread of a process at a time. Two threads fill each other's waits for the database;
four of them take Python's lock from one another so often that reservations come an eighth slower,
on any number of cores. Yet four people waiting for Stripe must not shut the door on all others. So
a process has more threads than turns, and a request that waits for somebody outside gives its turn
up meanwhile.

Nothing is decided by it, so that processes need not agree on it.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import BytesIO
from typing import Any

AT_ONCE = 2
# A form's bytes, as many as we take, are read before the turn: some lines are slow.
READ_AHEAD = 1024 * 1024

Application = Callable[[dict[str, Any], Any], Any]


class Turns:
    """So many at once, the others first come, first served.

    A plain semaphore lets whoever passes by in before those who wait: some waited for long.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._line: deque[threading.Lock] = deque()
        self._guard = threading.Lock()
        self._here = threading.local()
        self.outside = 0  # how many wait for somebody else, without a turn

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, and have it for as long as this lasts."""
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others go on for as long as this lasts; nothing happens where there is no turn."""
        if not getattr(self._here, "has_turn", False):
            yield
            return
        self._pass_on()
        try:
            with self.waiting_outside():
                yield
        finally:
            self._take()

    @contextmanager
    def waiting_outside(self) -> Iterator[None]:
        """Count as outside for as long as this lasts."""
        with self._guard:
            self.outside += 1
        try:
            yield
        finally:
            with self._guard:
                self.outside -= 1

    def _take(self) -> None:
        with self._guard:
            if is_free := self._free > 0:
                self._free -= 1
            else:
                called = threading.Lock()
                called.acquire()
                self._line.append(called)
        if not is_free:
            called.acquire()
        self._here.has_turn = True

    def _pass_on(self) -> None:
        self._here.has_turn = False
        with self._guard:
            if self._line:
                self._line.popleft().release()
            else:
                self._free += 1


_turns = Turns(AT_ONCE)


def in_turn(application: Application) -> Application:
    """The same WSGI application, at work on no more than AT_ONCE requests of this process.

    What an answer streams, it streams after its turn.
    """

    def wait_and_answer(environ: dict[str, Any], start_response: Any) -> Any:
        with _turns.waiting_outside():
            _read_ahead(environ)
        with _turns.taken():
            return application(environ, start_response)

    return wait_and_answer


def while_waiting_outside() -> AbstractContextManager[None]:
    """A context in which this request waits for another server than ours, and others go on.

    No transaction may be open: whoever goes on might wait for its locks. Outside the web server
    it does nothing.
    """
    return _turns.given_up()


def have_room_for(requests: int) -> bool:
    """Whether this process, with so many requests under way, should take in another one.

    It should while those at work and those next in line are not more than twice the turns.
    """
    return requests - _turns.outside < 2 * AT_ONCE


def _read_ahead(environ: dict[str, Any]) -> None:
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) <= READ_AHEAD:
        # A line that is cut: whoever reads on comes upon it, and has an answer.
        with suppress(OSError):
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
