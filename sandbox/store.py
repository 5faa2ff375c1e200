"""Rows in memory, one journal on disk.

A row is a dictionary with an `id`. Rows are never changed in place: `put` replaces them, so that
an event keeps the row as it was. A change is one line of the journal, written before the call is
answered; a line that a crash left incomplete is ignored at the next start.
"""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from sandbox.objects import Row


class StateInUse(Exception):
    """Another process holds the state file."""


class Table:
    """Rows in the order in which they were first put."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.order: list[str] = []
        self.position: dict[str, int] = {}

    def put(self, row: Row) -> None:
        identifier = row["id"]
        if identifier not in self.rows:
            self.position[identifier] = len(self.order)
            self.order.append(identifier)
        self.rows[identifier] = row

    def take_back(self, identifier: str, before: Row | None) -> None:
        """Undo the latest put of this row."""
        if before is not None:
            self.rows[identifier] = before
            return
        self.order.pop()
        del self.rows[identifier], self.position[identifier]

    def newest_first(self, after: str | None = None) -> Iterator[Row]:
        """Rows from the newest on, or those older than the row with the id `after`."""
        start = len(self.order) if after is None else self.position[after]
        for index in range(start - 1, -1, -1):
            yield self.rows[self.order[index]]


class Store:
    """All tables, their lock and their journal. `on_commit` is called with ids of new events."""

    def __init__(self, path: Path | None = None) -> None:
        """Read the journal at `path`, if any. Raises StateInUse."""
        self.lock = threading.RLock()
        self.on_commit: Callable[[list[str]], None] = lambda event_ids: None
        self._tables: dict[str, Table] = {}
        self._changes: list[tuple[str, Row, Row | None]] = []
        self._depth = 0
        self._journal: BinaryIO | None = None
        if path is not None:
            self._open(path)

    def table(self, name: str) -> Table:
        return self._tables.setdefault(name, Table())

    def get(self, name: str, identifier: str) -> Row | None:
        return self.table(name).rows.get(identifier)

    def put(self, name: str, row: Row) -> Row:
        """Replace or add a row. Only inside `change()`."""
        if not self._depth:
            raise RuntimeError("put outside a change")
        table = self.table(name)
        self._changes.append((name, row, table.rows.get(row["id"])))
        table.put(row)
        return row

    @contextmanager
    def change(self) -> Iterator[None]:
        """All puts inside are committed together or, after an exception, undone.

        Changes may be nested; the outermost commits. New events then go to `on_commit`.
        """
        with self.lock:
            fresh_events: list[str] = []
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._roll_back()
                raise
            else:
                if self._depth == 1:
                    fresh_events = self._commit()
            finally:
                self._depth -= 1
            if fresh_events:
                self.on_commit(fresh_events)

    def close(self) -> None:
        with self.lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def _commit(self) -> list[str]:
        """Write the change to the journal; returns the ids of new events."""
        changes, self._changes = self._changes, []
        if changes and self._journal is not None:
            self._journal.write(_line([[name, row] for name, row, _ in changes]))
            self._journal.flush()
        return [row["id"] for name, row, _ in changes if name == "events"]

    def _roll_back(self) -> None:
        changes, self._changes = self._changes, []
        for name, row, before in reversed(changes):
            self.table(name).take_back(row["id"], before)

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as old:
            _hold(old, path)
            old.seek(0)
            self._load(old)
            fresh = path.with_name(path.name + ".new")
            journal = fresh.open("wb")
            _hold(journal, path)
            for name, table in self._tables.items():
                for identifier in table.order:
                    journal.write(_line([[name, table.rows[identifier]]]))
            journal.flush()
            os.replace(fresh, path)
        self._journal = journal

    def _load(self, lines: BinaryIO) -> None:
        for line in lines:
            try:
                changes = json.loads(line)
            except ValueError:
                break  # incomplete after a crash: the call was never answered
            for name, row in changes:
                self.table(name).put(row)


def _line(changes: list[list[Any]]) -> bytes:
    return json.dumps(changes, separators=(",", ":")).encode() + b"\n"


def _hold(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StateInUse(f"{path} is in use by another local Stripe.") from error
