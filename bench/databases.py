"""SQLite and a durable PostgreSQL, each with a fresh database for every site."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.postgres import DURABLE, postgres


class Sqlite:
    """A file for each database. Postgres has the same methods."""

    name = "SQLite"

    def new(self, folder: Path) -> str:
        """The DATABASE_URL of a new database for the site in this folder."""
        return f"sqlite:///{folder / 'db.sqlite3'}"

    def connect(self, url: str) -> sqlite3.Connection:
        """A connection that commits each statement."""
        path = url.removeprefix("sqlite:///")
        return sqlite3.connect(path, timeout=20, isolation_level=None)

    def has_open_transaction(self, url: str) -> bool:
        """Whether anybody has one; a transaction that only reads is not seen."""
        with closing(self.connect(url)) as connection:
            connection.execute("PRAGMA busy_timeout=0")
            try:
                # The site's transactions take the write lock when they begin.
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False


class Postgres:
    """One server with many databases."""

    name = "PostgreSQL"

    def __init__(self, url: str) -> None:
        self._url = url

    def new(self, folder: Path) -> str:
        with self.connect(self._url) as connection:
            connection.execute(f'CREATE DATABASE "{folder.name}"'.encode())
        return self._url.replace("/postgres?", f"/{folder.name}?", 1)

    def connect(self, url: str) -> psycopg.Connection[Any]:
        return psycopg.connect(url, autocommit=True)

    def has_open_transaction(self, url: str) -> bool:
        with self.connect(url) as connection:
            others = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            )
            return others.fetchone() != (0,)


Databases = Sqlite | Postgres


@contextmanager
def sqlite() -> Iterator[Databases]:
    """SQLite needs no server."""
    yield Sqlite()


@contextmanager
def durable_postgres() -> Iterator[Databases]:
    """A running PostgreSQL with the settings of one that must lose nothing in a power cut."""
    with postgres(DURABLE) as url:
        yield Postgres(url)
