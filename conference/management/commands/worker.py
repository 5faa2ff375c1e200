"""`manage.py worker`: runs the tasks in the queue and records that it is alive."""

import logging
import signal
import threading
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, close_old_connections
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from conference import clocks
from conference.health import beat
from tickets.actions import restoring

logger = logging.getLogger("conference.worker")

BEAT_EVERY = 10.0  # seconds
# How long to wait after a first database error; twice as long after each further one.
FIRST_WAIT = 1.0  # seconds
LONGEST_WAIT = 60.0
# After some work more is likely to come: for this long the queue is looked at more often. With one
# look a second a third fewer orders were confirmed in a burst of Stripe's events. Idle, the worker
# takes 0.3% of a core by its one look a second.
BUSY_FOR = 10.0  # seconds
WHILE_BUSY = 0.2


class BeatingWorker(Worker):
    """The worker of django-tasks-db, which also records between tasks that it is alive.

    In a long batch nothing else would: `run` returns only when the queue is empty.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._beat_at = 0.0

    def run_task(self, db_task_result: DBTaskResult) -> None:  # type: ignore[type-arg]
        # The task first: it is claimed already, and an error in `beat` would leave it undone.
        super().run_task(db_task_result)
        self.beat()

    def beat(self) -> None:
        """Record that this worker is alive, at most once in BEAT_EVERY."""
        if time.monotonic() - self._beat_at >= BEAT_EVERY:
            beat("worker", now=timezone.now())
            self._beat_at = time.monotonic()


class Command(BaseCommand):
    help = "Do the work that waits in the queue, until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="Seconds between looks.")

    def handle(self, *args: Any, interval: float, **options: Any) -> None:
        worker = BeatingWorker(
            queue_names=["*"],
            excluded_queue_names=[],
            interval=0,
            batch=True,  # returns when nothing is left to do
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
        )
        stopping = threading.Event()

        def stop(signum: int, frame: FrameType | None) -> None:
            stopping.set()
            worker.running = False  # the task under way is finished first

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        after_failure = FIRST_WAIT
        busy_until = 0.0
        has_looked = False
        while not stopping.is_set():
            try:
                if not has_looked:  # before anything is sent
                    restoring.notice(now=timezone.now())
                    clocks.remember()
                    has_looked = True
                worker.beat()
                # Checked without a lock: claiming a task locks the whole database on SQLite.
                if DBTaskResult.objects.ready().exists():
                    worker.run()
                    busy_until = time.monotonic() + BUSY_FOR
                    continue
                after_failure = FIRST_WAIT
                stopping.wait(WHILE_BUSY if time.monotonic() < busy_until else interval)
            except Error as error:  # locked, restarting, or the disk is full
                logger.error(
                    "the database does not work, next try in %.0f s: %s", after_failure, error
                )
                close_old_connections()
                stopping.wait(after_failure)
                after_failure = min(2 * after_failure, LONGEST_WAIT)
