"""`manage.py sweep`, run each minute: do what is due or got lost. Idempotent."""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections
from django_tasks_db.models import DBTaskResult

import donations.actions
import donations.unknown
import donations.webhooks
import signup.actions
import tickets.sweep
from conference import clocks, limits, mail, retention, searches
from conference.database import AWAY
from conference.queue import KEPT_FOR, let_age
from tickets.actions import restoring

logger = logging.getLogger("conference.sweep")

# A task that runs for longer was left behind by a worker that died.
STUCK_AFTER = timedelta(minutes=10)
# A task that failed is tried again for this long, the first time after FIRST_WAIT.
TRIED_FOR = timedelta(days=1)
FIRST_WAIT = timedelta(minutes=1)
_STANDS_STILL = {
    clocks.Trouble.LEAPT: "the clock has leapt, or differs from the database's; see the desk",
    clocks.Trouble.WAITING: "after a long stop or a small leap it waits for ten minutes",
}
_DATABASE_AWAY = [f"django.db.utils.{error.__name__}" for error in (*AWAY, DatabaseError)]


def queue(now: datetime) -> None:
    """Put lost tasks back into the queue, whatever they are, and let those that wait age.

    Lost are those of a worker that died, and those that failed: those because of the database are
    tried each minute, others after twice the time each time. What ended long ago is deleted.
    """
    DBTaskResult.objects.running().filter(started_at__lt=now - STUCK_AFTER).update(status="READY")
    failed = DBTaskResult.objects.failed().filter(enqueued_at__gt=now - TRIED_FOR)
    again = [
        pk
        for pk, error, asked, ended in failed.values_list(
            "pk", "exception_class_path", "enqueued_at", "finished_at"
        )
        if error in _DATABASE_AWAY or now - ended > max(ended - asked, FIRST_WAIT)
    ]
    DBTaskResult.objects.filter(pk__in=again, status="FAILED").update(
        status="READY", started_at=None, finished_at=None
    )
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEPT_FOR).delete()
    let_age(now)


def sessions(now: datetime) -> None:
    """Delete expired sessions."""
    Session.objects.filter(expire_date__lt=now).delete()


STEPS: tuple[Callable[[datetime], None], ...] = (
    queue,
    donations.actions.sweep,
    donations.webhooks.sweep,
    donations.unknown.sweep,
    tickets.sweep.sweep,
    mail.sweep,
    signup.actions.sweep,
    limits.forget_old,
    sessions,
    searches.forget_old,
    retention.sweep,
)


def sweep(now: datetime) -> None:
    """Run all steps; one that fails is logged and does not stop the others."""
    for step in STEPS:
        try:
            step(now)
        except AWAY as error:
            # One line: all steps may fail by it, and the log may be on the disk that is full.
            logger.error(
                "sweep: %s.%s: the database does not work: %s",
                step.__module__,
                step.__name__,
                error,
            )
        except Exception:
            logger.exception("sweep: %s.%s failed", step.__module__, step.__name__)


def sweep_once(reading: clocks.Reading) -> None:
    """One sweep by this clock, unless the clock cannot be believed.

    What was waiting in a restored backup is withheld before anything is done.
    """
    restoring.notice(now=reading.now)
    if found := clocks.note_trouble(reading):
        logger.error("sweep: nothing is done: %s", _STANDS_STILL[found])
        return
    sweep(reading.now)
    clocks.beat(reading)


class Command(BaseCommand):
    help = "Do what was lost or has become due, once or --every so many seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, help="Seconds; without it the sweep runs once.")

    def handle(self, *args: Any, every: float | None, **options: Any) -> None:
        if every is None:
            sweep_once(clocks.read())
            return
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.is_set():
            close_old_connections()
            try:
                sweep_once(clocks.read())
            except AWAY as error:
                logger.error("sweep: the database does not work: %s", error)
            except Exception:
                logger.exception("sweep failed; it is tried again")
            stopped.wait(every)
