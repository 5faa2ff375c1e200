"""The order in which tasks are done, and changes to their queue that django-tasks does not offer.

A task of a higher priority goes first, among equals the one that has waited for longest. Whoever
waits for a link or a confirmation must not wait until hundreds of tickets are drawn; what is drawn
must go out before more is drawn. So that nothing waits for ever, the sweep lets tasks age: each
minute they rise by one, up to SMALL_MAIL. What was waiting in a restored backup is set aside until
somebody has decided about it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult, get_date_max

MONEY = 50  # Stripe's events: they are soon done
SMALL_MAIL = 40  # a mail without attachments, and what writes it
PERSON_WAITS = 30  # a PDF that somebody has asked for on a page
LARGE_MAIL = 25  # a mail with tickets
REFUND = 20
TICKETS = 10  # drawing an order's tickets

# How long a task is kept after it has ended; its arguments may be somebody's address.
KEPT_FOR = timedelta(days=2)
# The time of tasks that are set aside: one that never comes.
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


def oldest() -> datetime | None:
    """When the task was enqueued that has waited for longest, if there is one.

    Not one that was put off to a later time, for whatever reason: it is not late.
    """
    due = DBTaskResult.objects.filter(status="READY", run_after=get_date_max())
    return due.order_by("enqueued_at").values_list("enqueued_at", flat=True).first()


def let_age(now: datetime) -> None:
    """Raise what has waited for a minute by one, up to SMALL_MAIL."""
    waiting = DBTaskResult.objects.ready().filter(enqueued_at__lt=now - timedelta(minutes=1))
    waiting.filter(priority__lt=SMALL_MAIL).update(priority=F("priority") + 1)


def enqueue_once(task: Task[Any, Any], pks: Iterable[object]) -> None:
    """Enqueue `task` for each of these primary keys, unless the same task is waiting already.

    The sweep calls this each minute. While no worker is running, the queue must not fill up with
    repeated tasks. One that was put off to a later time is waiting, too, one that was set aside is
    not.
    """
    waiting = DBTaskResult.objects.filter(status="READY", task_path=task.module_path)
    waiting = waiting.exclude(run_after=_NEVER)
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
