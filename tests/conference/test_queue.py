"""The queue: what goes first, and what waits in it already is not put there again."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from conference.management.commands import sweep
from conference.queue import SMALL_MAIL, enqueue_once
from conference.tasks import deliver_mail
from donations.tasks import process_inbox, send_refund
from tests.factories import make_order
from tests.mails import write_mail
from tickets.tasks import mail_links, mail_tickets, make_document

pytestmark = pytest.mark.django_db


def in_their_order() -> list[str]:
    """The tasks that wait, in the order in which a worker takes them."""
    ready = DBTaskResult.objects.ready()
    return [path.rpartition(".")[2] for path in ready.values_list("task_path", flat=True)]


def test_what_is_drawn_goes_out_before_more_is_drawn() -> None:
    mail_tickets.enqueue(1)
    write_mail()  # with a file
    make_document.enqueue(1)
    write_mail(key="two", attachments=[])
    mail_links.enqueue("ada@example.org")
    process_inbox.enqueue()
    assert in_their_order() == [
        *("process_inbox", "deliver_mail", "mail_links", "make_document", "deliver_mail"),
        "mail_tickets",
    ]


def test_confirmation_does_not_wait_for_hundreds_of_tickets() -> None:
    for number in range(300):
        mail_tickets.enqueue(number)
    mail_links.enqueue("ada@example.org")
    assert in_their_order()[0] == "mail_links"


def test_nothing_waits_for_ever_however_much_goes_before_it() -> None:
    make_order()  # one task: its tickets
    now = timezone.now()
    for minute in range(1, 60):
        sweep.queue(now + timedelta(minutes=minute))
    mail_links.enqueue("ada@example.org")
    assert in_their_order() == ["mail_tickets", "mail_links"]
    assert DBTaskResult.objects.filter(priority__gt=SMALL_MAIL).count() == 0


def test_task_that_was_put_off_is_not_enqueued_again() -> None:
    send_refund.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(1)
    enqueue_once(send_refund, [1])
    assert DBTaskResult.objects.count() == 1


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
