"""The two databases, and what can happen to them while the service runs."""

import os
import random
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.postgres import SURVIVING, Server, server

# What happens: it returns what ends it, to be called some seconds later.
Attack = Callable[[], Callable[[], None]]


def nothing() -> None:
    """What ends an attack that ends by itself."""


class Sqlite:
    """One file."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "db.sqlite3"
        self.url = f"sqlite:///{self._file}"

    def attacks(self, chance: random.Random) -> dict[str, Attack]:
        """As when a backup, or somebody at the database's own prompt, keeps its one lock."""
        return {"database locked": self._lock}

    def crash(self) -> None:
        """It is in the processes that use it, which are killed anyhow."""

    def start(self) -> None:
        """Nothing is to be started."""

    def _lock(self) -> Callable[[], None]:
        other = sqlite3.connect(self._file, timeout=2, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            other.close()
            raise

        def let_go() -> None:
            other.execute("ROLLBACK")
            other.close()

        return let_go


class Postgres:
    """A server of its own. It crashes, the machine does not: it need not wait for the disk."""

    name = "PostgreSQL"

    def __init__(self, running: Server) -> None:
        self._server = running
        self.url = running.url

    def attacks(self, chance: random.Random) -> dict[str, Attack]:
        """kill -9 of one connection's process, and a crash of all."""
        return {
            "database: a backend killed": lambda: self._kill_one(chance),
            "database crashed": self._crash,
        }

    def crash(self) -> None:
        """End it without letting it write anything more."""
        self._server.end(signal.SIGQUIT)

    def start(self) -> None:
        self._server.start()

    def _kill_one(self, chance: random.Random) -> Callable[[], None]:
        """PostgreSQL itself then ends all other connections, and recovers."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            others = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                "AND pid <> pg_backend_pid() ORDER BY pid"
            ).fetchall()
        if others:
            os.kill(chance.choice(others)[0], signal.SIGKILL)
        return nothing

    def _crash(self) -> Callable[[], None]:
        self.crash()
        return self.start


Database = Sqlite | Postgres


@contextmanager
def database(name: str, folder: Path) -> Iterator[Database]:
    """A new, empty database of a drill's own: 'sqlite' or 'postgresql'."""
    if name == "sqlite":
        yield Sqlite(folder)
        return
    with server(SURVIVING) as running:
        yield Postgres(running)
