"""Changes to the queue of tasks that django-tasks does not offer."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult, get_date_max

# The time of tasks that are set aside: one that never comes.
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


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


def set_aside() -> None:
    """Take all tasks that are not done out of the queue, until `take_up` or `drop_set_aside`."""
    undone = DBTaskResult.objects.exclude(status="SUCCESSFUL")
    undone.update(run_after=_NEVER)
    undone.filter(status="RUNNING").update(status="READY")


def take_up() -> None:
    """Put the tasks that were set aside back into the queue."""
    DBTaskResult.objects.filter(run_after=_NEVER).update(run_after=get_date_max())


def drop_set_aside() -> None:
    """Delete the tasks that were set aside."""
    DBTaskResult.objects.filter(run_after=_NEVER).delete()


def forget(word: str) -> None:
    """Delete all tasks, done or waiting, with `word` in their arguments (in lower case)."""
    kept = DBTaskResult.objects.values_list("pk", "args_kwargs")
    about_it = [pk for pk, given in kept.iterator() if word in _text(given)]
    DBTaskResult.objects.filter(pk__in=about_it).delete()


def _text(given: object) -> str:
    return json.dumps(given, ensure_ascii=False).lower()
