"""Mail is written once and lost never: not by a server that is down, nor by a worker that dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from conference import mail
from conference.management.commands.sweep import sweep
from conference.models import AuditEntry, Mail
from tests.clock import Clock
from tests.factories import make_order, make_user
from tests.mails import MailServer, attempt, write_mail

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
Status = Mail.Status
ROOT = Path(__file__).parents[2]


def test_same_key_is_written_once(smtp: MailServer) -> None:
    first = write_mail()
    again = mail.write(
        key="one",
        to="somebody.else@example.org",
        template="signup/emails/confirm",
        context={},
        now=timezone.now(),
    )
    assert (again, again.to) == (first, "ada@example.org")
    assert Mail.objects.count() == 1


def test_server_down_for_an_hour_sends_it_later_and_once(
    smtp: MailServer, clock: Clock, work: Work
) -> None:
    smtp.stop()
    make_order()
    for _ in range(12):
        work()
        sweep(clock.advance(minutes=5))
    message = Mail.objects.get()
    assert (message.status, message.attempts) == (Status.QUEUED, 6)
    assert "ConnectionRefusedError" in message.last_error
    smtp.start()
    for _ in range(6):
        sweep(clock.advance(minutes=5))
        work()
    message.refresh_from_db()
    assert (message.status, message.last_error, len(smtp.messages)) == (Status.SENT, "", 1)


def test_failed_message_can_be_tried_again_by_hand(smtp: MailServer) -> None:
    smtp.answer_to_recipient = "550 no"
    message = attempt(write_mail())
    smtp.answer_to_recipient = "250 OK"
    organiser = make_user()
    mail.retry(message, by=organiser, now=timezone.now())
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.QUEUED, 0)
    assert attempt(message).status == Status.SENT
    assert AuditEntry.objects.filter(verb="mail tried again", by=organiser).count() == 1
    with pytest.raises(mail.NotFailed):
        mail.retry(message, by=organiser, now=timezone.now())


def test_old_mail_is_erased_but_not_what_waits(smtp: MailServer, clock: Clock) -> None:
    write_mail()
    Mail.objects.update(status=Status.SENT)
    mail.sweep(clock.advance(days=29))
    assert Mail.objects.count() == 1
    mail.sweep(clock.advance(days=2))
    assert Mail.objects.count() == 0
    write_mail(now=clock.now())
    mail.sweep(clock.advance(days=40))
    assert Mail.objects.count() == 1


@pytest.mark.parametrize("written_days", [2, -3])
def test_mail_of_a_clock_that_was_ahead_goes_out_once_it_is_right(
    smtp: MailServer, work: Work, written_days: int
) -> None:
    now = timezone.now()
    message = write_mail(now=now + timedelta(days=written_days))
    later = now + timedelta(days=2)
    Mail.objects.update(next_try_at=later)
    attempt(message, now)
    assert smtp.messages == []
    mail.sweep(now)
    work()
    assert len(smtp.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_worker_killed_while_it_sends_loses_nothing(
    smtp: MailServer, process_env: dict[str, str], clock: Clock, work: Work
) -> None:
    message = write_mail()
    smtp.go_on.clear()
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT,
        env=process_env | {"TRIAL": "1", "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}"},
    )
    try:
        # The server has it all, and the worker waits for its 'OK'.
        assert smtp.has_message.wait(60)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    smtp.go_on.set()
    message.refresh_from_db()
    assert message.status == Status.SENDING
    sweep(clock.advance(minutes=9))
    work()
    assert len(smtp.messages) == 1
    sweep(clock.advance(minutes=2))
    work()
    message.refresh_from_db()
    assert message.status == Status.SENT
    # The mail program sees by the id that the second one is the first once more.
    assert [sent["Message-ID"] for sent in smtp.messages] == [f"<{message.pk}@example.org>"] * 2
