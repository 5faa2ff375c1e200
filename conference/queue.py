"""Changes to the queue of tasks that django-tasks does not offer."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

# How long a task is kept after it has ended; its arguments may be somebody's address.
KEPT_FOR = timedelta(days=2)


def enqueue_once(task: Task[Any, Any], pks: Iterable[object]) -> None:
    """Enqueue `task` for each of these primary keys, unless the same task is waiting already.

    The sweep calls this each minute. While no worker is running, the queue must not fill up with
    repeated tasks.
    """
    waiting = DBTaskResult.objects.ready().filter(task_path=task.module_path)
    known = {tuple(call["args"]) for call in waiting.values_list("args_kwargs", flat=True)}
    for pk in pks:
        if (pk,) not in known:
            task.enqueue(pk)


def withdraw(task: Task[Any, Any]) -> None:
    """Delete every waiting `task` from the queue, because the caller does their work."""
    DBTaskResult.objects.ready().filter(task_path=task.module_path).delete()


def forget(email: str) -> int:
    """Delete all tasks, done or waiting, that were given this address; return how many.

    Also those that failed with the address in what is kept of the error.
    """
    kept = DBTaskResult.objects.values_list("pk", "args_kwargs", "traceback")
    about_it = [
        pk
        for pk, given, error in kept.iterator()
        if _holds(given, email) or email.lower() in error.lower()
    ]
    DBTaskResult.objects.filter(pk__in=about_it).delete()
    return len(about_it)


def _holds(given: object, email: str) -> bool:
    """Whether the address is among the arguments: as a whole, so that nobody else's task goes."""
    if isinstance(given, dict):
        return any(_holds(value, email) for value in given.values())
    if isinstance(given, list):
        return any(_holds(value, email) for value in given)
    return isinstance(given, str) and given.lower() == email.lower()
