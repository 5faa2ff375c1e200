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
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

import donations.actions
import donations.webhooks
import signup.actions
import tickets.sweep
from conference import limits, mail, retention, searches
from conference.database import AWAY
from conference.health import beat
from conference.queue import KEPT_FOR

logger = logging.getLogger("conference.sweep")

# A task that runs for longer was left behind by a worker that died.
STUCK_AFTER = timedelta(minutes=10)
# A task that failed because the database was locked or away is tried again for this long.
TRIED_FOR = timedelta(days=1)
_DATABASE_AWAY = [f"django.db.utils.{error.__name__}" for error in (*AWAY, DatabaseError)]


def queue(now: datetime) -> None:
    """Put lost tasks back into the queue, whatever they are; delete those that ended long ago.

    Lost are those of a worker that died, and those that failed because of the database.
    """
    DBTaskResult.objects.running().filter(started_at__lt=now - STUCK_AFTER).update(status="READY")
    DBTaskResult.objects.failed().filter(
        exception_class_path__in=_DATABASE_AWAY, enqueued_at__gt=now - TRIED_FOR
    ).update(status="READY", started_at=None, finished_at=None)
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEPT_FOR).delete()


def sessions(now: datetime) -> None:
    """Delete expired sessions."""
    Session.objects.filter(expire_date__lt=now).delete()


STEPS: tuple[Callable[[datetime], None], ...] = (
    queue,
    donations.actions.sweep,
    donations.webhooks.sweep,
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
    beat("sweep", now=now)


class Command(BaseCommand):
    help = "Do what was lost or has become due, once or --every so many seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, help="Seconds; without it the sweep runs once.")

    def handle(self, *args: Any, every: float | None, **options: Any) -> None:
        if every is None:
            sweep(timezone.now())
            return
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.is_set():
            close_old_connections()
            try:
                sweep(timezone.now())
            except AWAY as error:
                logger.error("sweep: the database does not work: %s", error)
            except Exception:
                logger.exception("sweep failed; it is tried again")
            stopped.wait(every)
