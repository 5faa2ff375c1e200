"""Whether this machine's clock can be believed, and whether a backup has replaced the database.

Both are judged by a mark that each sweep leaves outside the database, in DATA_DIR: the time of its
beat, and how long the machine had run by a clock that nobody sets. A database that knows only of
earlier beats is a backup. A time that has moved by much more or less than the machine's running
time has leapt; by it, the sweep would let go, delete and write what is not due.
"""

import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from conference.audit import record
from conference.models import Heartbeat, User

logger = logging.getLogger(__name__)

# Two clocks that differ by no more agree: beat and mark are not written at one moment.
SLACK = timedelta(minutes=2)
# A leap of no more is waited out like a long stop: virtual machines that pause make such ones, and
# must not stand still until somebody presses a button.
SMALL_LEAP = timedelta(minutes=15)
# After a stop of more than LONG_STOP across a start of the machine nothing shows how long it
# really was. The sweep waits for WAIT, in which the clock may be set right.
LONG_STOP = timedelta(hours=1)
WAIT = timedelta(minutes=10)
# For how long an organiser's word counts.
RIGHT_FOR = timedelta(hours=1)
# A database of a machine without a mark is a backup if nothing has swept it for this long.
NEW_PLACE_AFTER = timedelta(minutes=5)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SWEEP, _MARKED, _RIGHT = "sweep", "mark", "clock is right"


class KeepsTime(Exception):
    """No sweep stands still because of the clock: it is right, or somebody has said so."""


class Trouble(StrEnum):
    """Why the sweep stands still. The value is the name of the heartbeat that says so."""

    LEAPT = "clock leapt"
    WAITING = "clock waits"


@dataclass(frozen=True)
class Reading:
    """A machine's clock at one moment: the time, and for how many seconds the machine has run."""

    now: datetime
    boot_id: str  # another one after each start; empty where the machine has none
    up: float


@dataclass(frozen=True)
class _Mark:
    """What the file holds: the last beat and the clock at it, and whether the sweep stands still.

    `waiting_from` is when a wait began, in seconds for which the machine had run.
    """

    beat: datetime | None = None
    boot_id: str = ""
    up: float = 0.0
    is_stopped: bool = False
    waiting_from: float | None = None
    waiting_boot_id: str = ""


def read() -> Reading:
    """The machine's clock as it is now."""
    try:
        boot_id = _BOOT_ID.read_text().strip()
    except OSError:
        boot_id = ""
    # Unlike the monotonic clock it also counts the time for which the machine was asleep.
    running = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Reading(timezone.now(), boot_id, time.clock_gettime(running))


def last_beat() -> datetime | None:
    """When a sweep was last done on this database."""
    return _seen(_SWEEP)


def restored_backup(now: datetime) -> datetime | None:
    """The time of the backup that has replaced the database, or None if none has.

    This machine has seen a later beat than the database knows of; or it has never seen this
    database, which others have swept before, but not lately.
    """
    last, mark = last_beat(), _read_mark()
    if last is None:
        return None  # a new database
    if mark is None:
        is_swept_elsewhere = now - last <= NEW_PLACE_AFTER
        # Versions before this one left no mark.
        return None if is_swept_elsewhere or _seen(_MARKED) is None else last
    return last if mark.beat is not None and mark.beat - last > SLACK else None


def remember() -> None:
    """Leave a first mark on a machine where no sweep does: its database is known from here on."""
    if _read_mark() is None:
        _write_mark(_Mark(beat=last_beat()))


def note_trouble(reading: Reading) -> Trouble | None:
    """Why no sweep may be done by this clock; None if one may. What it says is written down."""
    mark = _read_mark() or _Mark()
    found = _judge(reading, mark)
    waited = _waited(reading, mark)
    if found is None or (found is Trouble.WAITING and waited is not None and waited >= WAIT):
        return None
    if found is Trouble.LEAPT:
        mark = replace(mark, waiting_from=None)
    elif waited is None:
        mark = replace(mark, waiting_from=reading.up, waiting_boot_id=reading.boot_id)
    _write_mark(replace(mark, is_stopped=True))
    Heartbeat.objects.update_or_create(name=found, defaults={"seen_at": reading.now})
    Heartbeat.objects.filter(name__in=set(Trouble) - {found}).delete()
    return found


def beat(reading: Reading) -> None:
    """Record that a sweep was done by this clock, in the database and outside of it."""
    last, mark = last_beat() or reading.now, _read_mark()
    # Never a little earlier than another machine has said, whose own mark would then be later.
    is_behind = timedelta() < last - reading.now <= SMALL_LEAP
    seen_at = last if is_behind else reading.now
    Heartbeat.objects.update_or_create(name=_SWEEP, defaults={"seen_at": seen_at})
    Heartbeat.objects.get_or_create(name=_MARKED, defaults={"seen_at": reading.now})
    if mark is not None and mark.is_stopped:
        _forget_trouble()
    _write_mark(_Mark(reading.now, reading.boot_id, reading.up))


def known_trouble() -> Trouble | None:
    """Why the sweep stands still, as far as the database knows."""
    names = Heartbeat.objects.filter(name__in=list(Trouble)).values_list("name", flat=True)
    return Trouble(min(names)) if names else None


def declare_right(*, now: datetime) -> None:
    """Record an organiser's word that the clock is right: the next sweep is done by it."""
    Heartbeat.objects.update_or_create(name=_RIGHT, defaults={"seen_at": now})
    _forget_trouble()


def call_clock_right(*, by: User, now: datetime) -> None:
    """Record somebody's word that the clock which stopped the sweep is right. Raises KeepsTime."""
    with transaction.atomic():
        if known_trouble() is None:
            raise KeepsTime
        declare_right(now=now)
        record("clock called right", "clock", by=by, now=now)


def _judge(reading: Reading, mark: _Mark) -> Trouble | None:
    said_at, last = _seen(_RIGHT), last_beat()
    if said_at is not None and abs(reading.now - said_at) <= RIGHT_FOR:
        return None
    if abs(_ahead_of_database(reading.now)) > SLACK:
        return Trouble.LEAPT
    back = last - reading.now if last is not None else timedelta()
    if mark.beat is not None and mark.boot_id and mark.boot_id == reading.boot_id:
        ran = timedelta(seconds=reading.up - mark.up)
        leap = max(abs(reading.now - mark.beat - ran), back)
        if leap > SLACK:
            return Trouble.WAITING if leap <= SMALL_LEAP else Trouble.LEAPT
        return None  # it has kept pace since the last beat, however long ago that was
    if back > SLACK:
        return Trouble.WAITING if back <= SMALL_LEAP else Trouble.LEAPT
    return Trouble.WAITING if -back > LONG_STOP else None


def _waited(reading: Reading, mark: _Mark) -> timedelta | None:
    """For how long the sweep has waited since this machine was started; None if it has not."""
    since = mark.waiting_from
    if since is None or mark.waiting_boot_id != reading.boot_id or since > reading.up:
        return None
    return timedelta(seconds=reading.up - since)


def _ahead_of_database(now: datetime) -> timedelta:
    """How far `now` is ahead of the clock of the database's own machine."""
    if connection.vendor != "postgresql":
        return timedelta()  # SQLite has no clock of its own
    with connection.cursor() as cursor:
        # Not now(), which is when the transaction began.
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    return now - theirs


def _forget_trouble() -> None:
    Heartbeat.objects.filter(name__in=list(Trouble)).delete()


def _seen(name: str) -> datetime | None:
    return Heartbeat.objects.filter(name=name).values_list("seen_at", flat=True).first()


def _file() -> Path:
    return Path(settings.DATA_DIR) / "last_sweep.json"


def _read_mark() -> _Mark | None:
    """The mark, or None if there is none that can be read."""
    try:
        held: dict[str, Any] = json.loads(_file().read_text())
        beat = held.pop("beat")
        return _Mark(beat=datetime.fromisoformat(beat) if beat else None, **held)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write_mark(mark: _Mark) -> None:
    """Replace the mark at once: a machine that loses its power keeps the old one or the new.

    Where the disk does not let it, the log says so: worker and sweep go on without.
    """
    held = asdict(mark) | {"beat": mark.beat.isoformat() if mark.beat else None}
    fresh = _file().with_suffix(f".{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(held))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(_file())
    except OSError as error:
        logger.error("%s cannot be written: %s", _file(), error)
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
