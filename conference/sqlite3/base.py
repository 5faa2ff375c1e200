"""Statements that wait for SQLite's write lock in turn.

SQLite lets one writer in at a time, and whoever finds the lock taken sleeps: 1, 2, 5, then up to
100 ms, however soon it comes free. With eight people reserving at once that left the lock idle for
most of the time, and made the unlucky ones wait for a second and more. Worse, a connection is shut
while its owner sleeps: a thread that tidies up another one's cursor, as Python's garbage collector
has any thread do, then waits for the sleeper, and if it is the one that holds the lock both wait
for as long as SQLite's patience lasts.

So SQLite never sleeps here. The threads of a process queue up, and only the first in its queue
asks, each millisecond. Nothing is decided by the queue: the lock is SQLite's own, and holds between
any processes.
"""

import sqlite3
import time
from _thread import LockType, allocate_lock
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

# The lock is rarely held for longer than five of these.
ASK_EVERY = 0.001  # seconds
PATIENCE = 20.0

T = TypeVar("T")
_queues: defaultdict[str, LockType] = defaultdict(allocate_lock)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but for how it waits, and that a transaction's end lets the next one begin."""

    # The line this connection is first in, from the beginning of a transaction to its end.
    _queue: LockType | None = None

    @property
    def queries_logged(self) -> bool:
        """Only where a test asks. Django would read each statement's text back in DEBUG."""
        return bool(self.force_debug_cursor)

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: str | None = None) -> "Cursor":
        cursor: Cursor = self.connection.cursor(factory=partial(Cursor, self))
        return cursor

    def in_turn(self, statement: Callable[[], T]) -> T:
        """Run one statement, waiting for the lock where another holds it.

        Raises sqlite3.OperationalError if that lasts longer than PATIENCE.
        """
        try:
            return statement()
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
        # A statement on its own goes to the end of the queue; a transaction's is first in it.
        is_alone = self._queue is None
        deadline = time.monotonic() + PATIENCE
        if is_alone:
            self._take_turn()
        try:
            while True:
                time.sleep(ASK_EVERY)
                try:
                    return statement()
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() > deadline:
                        raise
        finally:
            if is_alone:
                self._let_next_in()

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._let_next_in()
            raise

    def _commit(self) -> None:
        super()._commit()
        self._let_next_in()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._let_next_in()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._let_next_in()

    def _take_turn(self) -> None:
        queue = _queues[str(self.settings_dict["NAME"])]
        if not queue.acquire(timeout=PATIENCE):
            raise OperationalError("database is locked")
        self._queue = queue

    def _let_next_in(self) -> None:
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.release()


class Cursor(base.SQLiteCursorWrapper):
    """Django's, but for how its statements wait."""

    def __init__(self, wrapper: DatabaseWrapper, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._wrapper = wrapper

    def execute(self, query: str, params: Any = None) -> "Cursor":
        done: Cursor = self._wrapper.in_turn(partial(super().execute, query, params))
        return done


def _is_busy(error: sqlite3.OperationalError) -> bool:
    """Whether somebody else is writing, or has written since this statement began to read."""
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the byte without details
