"""The queue before SQLite's write lock: it lets the next one in, whatever becomes of the first."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from conference.models import Heartbeat
from conference.sqlite3 import base

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        settings.DATABASES["default"]["ENGINE"] != "conference.sqlite3", reason="SQLite's own"
    ),
]


NOON = "2026-11-22T12:00Z"


@pytest.fixture
def stranger() -> Iterator[sqlite3.Connection]:
    """A connection that knows of no queue, as another process has it."""
    name = str(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(name, timeout=0, isolation_level=None)) as other:
        yield other


def in_thread(work: Callable[[], None]) -> threading.Thread:
    """The work, started in a thread with a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def write(name: str) -> None:
    with transaction.atomic():
        Heartbeat.objects.create(name=name, seen_at=NOON)


def write_alone(name: str) -> None:
    """Without a transaction, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO conference_heartbeat (name, seen_at) VALUES (%s, %s)", [name, NOON]
        )


def test_writers_go_in_one_after_the_other() -> None:
    seen: list[int] = []
    inside = 0

    def work(name: str) -> None:
        nonlocal inside
        with transaction.atomic():
            inside += 1
            seen.append(inside)
            Heartbeat.objects.create(name=name, seen_at=NOON)
            time.sleep(0.01)
            inside -= 1

    threads = [in_thread(lambda name=f"w{n}": work(name)) for n in range(8)]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert seen == [1] * 8
    assert Heartbeat.objects.count() == 8


def test_rollback_lets_the_next_one_in() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    in_thread(lambda: write("next")).join()
    assert Heartbeat.objects.get().name == "next"


def test_closed_connection_lets_the_next_one_in() -> None:
    with transaction.atomic():
        connection.close()
        in_thread(lambda: write("next")).join()
    assert Heartbeat.objects.get().name == "next"


def test_nested_transaction_takes_its_turn_once() -> None:
    with transaction.atomic():
        write("inner")
        write("other")
    assert Heartbeat.objects.count() == 2


def test_lock_of_another_process_is_waited_for(stranger: sqlite3.Connection) -> None:
    stranger.execute("BEGIN IMMEDIATE")
    waiting = in_thread(lambda: write("patient"))
    time.sleep(0.05)
    assert waiting.is_alive()
    stranger.execute("COMMIT")
    waiting.join()
    assert Heartbeat.objects.get().name == "patient"


def test_lock_that_never_comes_free_is_an_error(
    stranger: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "PATIENCE", 0.05)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="database is locked"):
        write("impatient")
    stranger.execute("ROLLBACK")
    write("later")
    assert Heartbeat.objects.get().name == "later"


def test_queue_that_never_moves_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PATIENCE", 0.05)
    failed: list[str] = []

    def work() -> None:
        try:
            write("second")
        except OperationalError as error:
            failed.append(str(error))

    with transaction.atomic():
        in_thread(work).join()
    assert failed == ["database is locked"]


def test_statement_outside_a_transaction_waits_too(stranger: sqlite3.Connection) -> None:
    stranger.execute("BEGIN IMMEDIATE")
    waiting = in_thread(lambda: write_alone("patient"))
    time.sleep(0.05)
    assert waiting.is_alive()
    stranger.execute("COMMIT")
    waiting.join()
    assert Heartbeat.objects.get().name == "patient"


def test_statement_outside_a_transaction_waits_for_our_own() -> None:
    with transaction.atomic():
        write("first")
        waiting = in_thread(lambda: write_alone("second"))
        time.sleep(0.05)
        assert waiting.is_alive()
    waiting.join()
    assert Heartbeat.objects.count() == 2


def test_statement_whose_turn_never_comes_is_an_error_and_leaves_the_queue(
    stranger: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "PATIENCE", 0.05)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="database is locked"):
        write_alone("impatient")
    stranger.execute("ROLLBACK")
    in_thread(lambda: write("later")).join()
    assert Heartbeat.objects.get().name == "later"


def test_waiting_connection_may_be_tidied_up_by_the_thread_that_it_waits_for() -> None:
    """As the garbage collector does, which runs in any thread and closes any thread's cursors."""
    cursors = []
    is_open, is_locked = threading.Event(), threading.Event()

    def read_then_wait() -> None:
        connection.ensure_connection()
        cursors.append(connection.connection.execute("SELECT 1 UNION SELECT 2"))
        is_open.set()
        is_locked.wait()
        write_alone("second")

    waiting = in_thread(read_then_wait)
    is_open.wait()
    began = time.monotonic()
    with transaction.atomic():
        write("first")
        is_locked.set()
        time.sleep(0.05)
        cursors.clear()
    waiting.join()
    assert time.monotonic() - began < base.PATIENCE / 2
    assert Heartbeat.objects.count() == 2


def test_statements_are_not_kept_in_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEBUG", True)
    write("quiet")
    assert connection.queries_log.__len__() == 0
