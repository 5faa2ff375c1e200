"""Tasks that the database's failures stopped are done all the same, whichever tasks they are."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pkgutil import walk_packages

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.utils import timezone
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

import conference
import donations
import signup
import tickets
from conference.management.commands.sweep import TRIED_FOR, queue

pytestmark = pytest.mark.django_db


def every_task() -> Iterator[Task]:  # type: ignore[type-arg]
    """All tasks of ours: those of every module called 'tasks', so that none can be forgotten."""
    for package in (conference, donations, signup, tickets):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".tasks"):
                found = vars(import_module(module.name)).values()
                yield from (
                    each
                    for each in found
                    if isinstance(each, Task) and each.module_path.startswith(module.name)
                )


TASKS = list(every_task())


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


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_task_that_failed_otherwise_is_tried_again_after_twice_the_time_each_time(
    task: Task,  # type: ignore[type-arg]
) -> None:
    row = failed(task, OSError("no space left"))
    began = timezone.now()
    tried = []
    for minute in range(1, 20):
        now = began + timedelta(minutes=minute)
        queue(now)
        row.refresh_from_db()
        if row.status == "READY":
            tried.append(minute)
            row.claim("a worker")
            row.set_failed(OSError("still none"))
            DBTaskResult.objects.filter(pk=row.pk).update(finished_at=now)
    assert tried == [1, 3, 7, 15]


def test_no_task_is_tried_for_ever() -> None:
    mistaken = failed(TASKS[0], IntegrityError("twice"))
    old = failed(TASKS[0], OperationalError("locked"))
    now = timezone.now() + TRIED_FOR + timedelta(minutes=1)
    queue(now)
    for row in (mistaken, old):
        row.refresh_from_db()
        assert row.status == "FAILED"


def test_all_our_tasks_are_known_here() -> None:
    assert sorted(task.name for task in TASKS) == [
        *("deliver_mail", "mail_links", "mail_new_password", "mail_tickets", "make_document"),
        *("process_inbox", "send_refund", "sign_up"),
    ]
