"""The queue of tasks, as far as anything but enqueueing is done with it."""

import json
from collections.abc import Iterable
from typing import Any

from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult


def enqueue_once(task: Task[Any, Any], pks: Iterable[object]) -> None:
    """Enqueue `task` for each of these rows for which it does not wait already.

    For whoever takes up again what was left lying, each minute: while no worker runs, the queue
    must not grow by the same tasks.
    """
    waiting = DBTaskResult.objects.ready().filter(task_path=task.module_path)
    known = {tuple(call["args"]) for call in waiting.values_list("args_kwargs", flat=True)}
    for pk in pks:
        if (pk,) not in known:
            task.enqueue(pk)


def withdraw(task: Task[Any, Any]) -> None:
    """Take all of `task` that wait out of the queue: what they were to do is being done."""
    DBTaskResult.objects.ready().filter(task_path=task.module_path).delete()


def forget(word: str) -> None:
    """Erase what is kept of tasks, done or waiting, that were given something with this word."""
    kept = DBTaskResult.objects.values_list("pk", "args_kwargs")
    about_it = [pk for pk, given in kept.iterator() if word in _text(given)]
    DBTaskResult.objects.filter(pk__in=about_it).delete()


def _text(given: object) -> str:
    return json.dumps(given, ensure_ascii=False).lower()
