"""Transactions that wait for their turn.

SQLite lets one writer in at a time, and whoever finds the lock taken sleeps: 1, 2, 5, then up to
100 ms, however soon it comes free. With eight people reserving at once that left the lock idle for
most of the time, and made the unlucky ones wait for a second and more. Here the threads of a
process queue up, and only the first in its queue asks, each millisecond. Nothing is decided by
the queue: the lock is SQLite's own, and holds between any processes.
"""

import sqlite3
import time
from _thread import LockType, allocate_lock
from collections import defaultdict

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

# The lock is rarely held for longer than five of these.
ASK_EVERY = 0.001  # seconds
PATIENCE = 20.0  # as long as the setting `timeout` waits elsewhere

_queues: defaultdict[str, LockType] = defaultdict(allocate_lock)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but for how a transaction begins and that its end lets the next one begin."""

    # The line this connection is first in, from the beginning of a transaction to its end.
    _queue: LockType | None = None

    @property
    def queries_logged(self) -> bool:
        """Only where a test asks. Django would read each statement's text back in DEBUG."""
        return bool(self.force_debug_cursor)

    def _start_transaction_under_autocommit(self) -> None:
        queue = _queues[str(self.settings_dict["NAME"])]
        deadline = time.monotonic() + PATIENCE
        if not queue.acquire(timeout=PATIENCE):
            raise OperationalError("database is locked")
        self._queue = queue
        try:
            self.connection.execute("PRAGMA busy_timeout = 0")
            self._begin(deadline)
            self.connection.execute(f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}")
        except BaseException:
            self._let_next_in()
            raise

    def _begin(self, deadline: float) -> None:
        try:
            return super()._start_transaction_under_autocommit()
        except OperationalError as error:
            if not _is_busy(error.__cause__):
                raise
        while True:
            time.sleep(ASK_EVERY)
            try:
                self.connection.execute(f"BEGIN {self.transaction_mode or ''}")
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise OperationalError(*error.args) from error
            else:
                return None

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

    def _let_next_in(self) -> None:
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.release()


def _is_busy(error: BaseException | None) -> bool:
    """Whether somebody else is writing."""
    return (
        isinstance(error, sqlite3.OperationalError)
        and error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    )
