"""The queue: what waits in it already is not put there again."""

import pytest
from django_tasks_db.models import DBTaskResult

from conference.queue import enqueue_once
from conference.tasks import deliver_mail
from donations.tasks import send_refund

pytestmark = pytest.mark.django_db


def test_what_waits_already_is_not_enqueued_again() -> None:
    for _minute in range(3):
        enqueue_once(deliver_mail, ["a", "b"])
    enqueue_once(deliver_mail, ["b", "c"])
    waiting = DBTaskResult.objects.ready().values_list("args_kwargs", flat=True)
    assert sorted(call["args"][0] for call in waiting) == ["a", "b", "c"]


def test_other_task_with_the_same_number_waits_for_itself() -> None:
    enqueue_once(send_refund, [1])
    enqueue_once(deliver_mail, [1])
    assert DBTaskResult.objects.ready().count() == 2


def test_what_was_done_may_be_enqueued_again() -> None:
    enqueue_once(send_refund, [1])
    DBTaskResult.objects.get().set_successful(None)
    enqueue_once(send_refund, [1])
    assert DBTaskResult.objects.ready().count() == 1
