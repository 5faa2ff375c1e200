"""The worker's work, done in the test's own process and transaction."""

from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult


def run_queue() -> int:
    """Do all tasks that wait, in their order, and those they enqueue; returns how many.

    A task that fails is an error of the test, unless it says that it will be tried again.
    """
    worker = Worker(
        queue_names=["*"],
        excluded_queue_names=[],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="tests",
    )
    done = 0
    while (row := DBTaskResult.objects.ready().first()) is not None:
        row.claim("tests")
        worker.run_task(row)
        row.refresh_from_db()
        assert row.status == "SUCCESSFUL", row.traceback
        done += 1
    return done
