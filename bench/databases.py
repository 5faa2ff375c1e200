"""SQLite and a durable PostgreSQL, each giving fresh databases and copies of them."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tests.postgres import DURABLE, postgres

Rows = Callable[[str], list[tuple[Any, ...]]]


class Databases(Protocol):
    """One kind of database."""

    name: str

    def empty(self, data: Path, name: str) -> str:
        """The address of a new database; `data` is the folder of the site that it is for."""

    def copy(self, source: str, data: Path, name: str) -> str:
        """The address of a copy of another database, which nobody uses at the moment."""

    def reader(self, url: str) -> AbstractContextManager[Rows]:
        """An open connection: a function that gives what a query gives."""

    def open_transactions(self, url: str) -> int:
        """How many transactions are open in this database, at least; on SQLite 0 or 1."""


class Sqlite:
    """A file for each database."""

    name = "SQLite"

    def empty(self, data: Path, name: str) -> str:
        data.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{data / f'{name}.sqlite3'}"

    def copy(self, source: str, data: Path, name: str) -> str:
        url = self.empty(data, name)
        shutil.copyfile(_file(source), _file(url))
        return url

    @contextmanager
    def reader(self, url: str) -> Iterator[Rows]:
        with closing(sqlite3.connect(_file(url), timeout=20)) as connection:
            yield lambda sql: connection.execute(sql).fetchall()

    def open_transactions(self, url: str) -> int:
        # The site's transactions take the write lock when they begin.
        with closing(sqlite3.connect(_file(url), timeout=0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return 1
            connection.execute("ROLLBACK")
            return 0


class Postgres:
    """One server with many databases."""

    name = "PostgreSQL"

    def __init__(self, url: str) -> None:
        self._url = url

    def empty(self, data: Path, name: str) -> str:
        return self._create(name, "")

    def copy(self, source: str, data: Path, name: str) -> str:
        template = source.partition("?")[0].rpartition("/")[2]
        return self._create(name, f' TEMPLATE "{template}"')

    @contextmanager
    def reader(self, url: str) -> Iterator[Rows]:
        with psycopg.connect(url, autocommit=True) as connection:
            yield lambda sql: connection.execute(sql.encode()).fetchall()

    def open_transactions(self, url: str) -> int:
        with self.reader(url) as rows:
            ((count,),) = rows(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            )
        return int(count)

    def _create(self, name: str, how: str) -> str:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"{how}'.encode())
        return self._url.replace("/postgres?", f"/{name}?", 1)


@contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """A running PostgreSQL that loses nothing when the power goes."""
    with postgres(DURABLE) as url:
        yield Postgres(url)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
