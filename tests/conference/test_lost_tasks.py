"""Tasks that the database's failures stopped are done all the same, whichever tasks they are."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.utils import timezone
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

import conference.tasks
import donations.tasks
import signup.tasks
import tickets.tasks
from conference.management.commands.sweep import TRIED_FOR, queue

pytestmark = pytest.mark.django_db

TASKS = [
    task
    for module in (conference.tasks, donations.tasks, signup.tasks, tickets.tasks)
    for task in vars(module).values()
    if isinstance(task, Task) and task.module_path.startswith(module.__name__)
]


def failed(task: Task, error: Exception) -> DBTaskResult:  # type: ignore[type-arg]
    """A task that has failed with this error, as the worker writes it down."""
    row = DBTaskResult.objects.get(pk=task.enqueue("1").id)
    row.claim("a worker")
    row.set_failed(error)
    return row


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("error", [OperationalError("locked"), InterfaceError("closed")])
def test_task_that_the_database_stopped_is_done_again(
    task: Task,  # type: ignore[type-arg]
    error: Exception,
) -> None:
    row = failed(task, error)
    queue(timezone.now())
    row.refresh_from_db()
    assert (row.status, row.started_at, row.finished_at) == ("READY", None, None)
    assert list(DBTaskResult.objects.ready()) == [row]


def test_task_with_a_mistake_of_ours_is_not_tried_for_ever() -> None:
    mistaken = failed(TASKS[0], IntegrityError("twice"))
    old = failed(TASKS[0], OperationalError("locked"))
    now = timezone.now() + TRIED_FOR + timedelta(minutes=1)
    queue(now)
    for row in (mistaken, old):
        row.refresh_from_db()
        assert row.status == "FAILED"


def test_all_our_tasks_are_known_here() -> None:
    assert sorted(task.name for task in TASKS) == [
        *("deliver_mail", "mail_links", "mail_tickets", "make_document"),
        *("process_inbox", "send_refund", "sign_up"),
    ]
