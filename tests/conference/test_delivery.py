"""Sending one message by a real mail server: well, refusing, in passing trouble, and slow."""

import smtplib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from conference import delivery
from conference.models import Mail, MailAttachment
from tests.factories import make_order
from tests.mails import MailServer, attempt, write_mail

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
Status = Mail.Status


def test_message_goes_out_with_both_parts_and_its_file(smtp: MailServer) -> None:
    message = attempt(write_mail(headers={"List-Unsubscribe": "<http://x.test/u/>"}))
    assert message.status == Status.SENT
    (sent,) = smtp.messages
    assert (sent["To"], sent["From"], sent["Subject"]) == (
        "ada@example.org",
        message.sender,
        message.subject,
    )
    assert sent["Message-ID"] == f"<{message.pk}@example.org>"
    assert sent["List-Unsubscribe"] == "<http://x.test/u/>"
    parts = [part.get_content_type() for part in sent.walk() if not part.is_multipart()]
    assert parts == ["text/plain", "text/html", "text/plain"]
    assert [part.get_filename() for part in sent.iter_attachments()] == ["a.txt"]


def test_files_are_erased_once_they_are_out(smtp: MailServer) -> None:
    attempt(write_mail())
    assert MailAttachment.objects.count() == 0


def test_trial_keeps_the_files_for_its_outbox() -> None:
    message = attempt(write_mail())
    assert (message.status, message.attachments.count()) == (Status.SENT, 1)


def test_message_is_sent_once_by_however_many(smtp: MailServer) -> None:
    message = write_mail()
    for _ in range(3):
        delivery.deliver(message, now=timezone.now())
    assert len(smtp.messages) == 1


def test_refused_recipient_fails_at_once(smtp: MailServer) -> None:
    smtp.answer_to_recipient = "550 5.1.1 no such user"
    message = attempt(write_mail())
    assert (message.status, message.attempts) == (Status.FAILED, 1)
    assert "no such user" in message.last_error
    assert message.attachments.count() == 1  # for the button 'try again'


@pytest.mark.parametrize("what", ["answer_to_recipient", "answer_to_data"])
def test_passing_trouble_is_tried_again_after_ever_longer_waits(
    smtp: MailServer, what: str
) -> None:
    setattr(smtp, what, "451 4.3.0 later")
    message = write_mail()
    waits = []
    now = timezone.now()
    for _ in delivery.WAITS:
        message = attempt(message, now)
        assert message.status == Status.QUEUED
        waits.append(int((message.next_try_at - now).total_seconds()) // 60)
        now = message.next_try_at
    assert tuple(waits) == delivery.WAITS
    assert attempt(message, now).status == Status.FAILED


def test_message_is_not_tried_before_its_time(smtp: MailServer) -> None:
    smtp.answer_to_data = "451 later"
    message = attempt(write_mail())
    smtp.answer_to_data = "250 OK"
    assert attempt(message, message.next_try_at - timedelta(seconds=1)).status == Status.QUEUED
    assert attempt(message, message.next_try_at).status == Status.SENT


def test_message_that_cannot_be_put_together_is_not_left_half_sent(smtp: MailServer) -> None:
    message = write_mail()
    Mail.objects.update(to="ada@example.org\nBcc: all@example.org")
    message = attempt(message)
    assert (message.status, message.last_error[:10]) == (Status.QUEUED, "ValueError")
    assert smtp.messages == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_mail_server_is_spoken_to(
    smtp: MailServer, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []
    sendmail = smtplib.SMTP.sendmail

    def watched(self: smtplib.SMTP, *args: Any, **more: Any) -> Any:
        inside.append(connection.in_atomic_block)
        return sendmail(self, *args, **more)

    monkeypatch.setattr(smtplib.SMTP, "sendmail", watched)
    make_order()
    work()
    assert inside == [False]


def test_slow_server_is_given_up_on(smtp: MailServer, settings: LazySettings) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    smtp.go_on.clear()
    began = time.monotonic()
    message = attempt(write_mail())
    assert (message.status, time.monotonic() - began < 5) == (Status.QUEUED, True)


def test_server_that_cannot_be_reached_is_not_tried_for_each_message(smtp: MailServer) -> None:
    messages = [write_mail(key=key) for key in ("one", "two", "three")]
    smtp.stop()
    now = timezone.now()
    attempts = [attempt(message, now).attempts for message in messages]
    assert attempts == [1, 0, 0]
    smtp.start()
    later = now + timedelta(minutes=1)
    assert [attempt(message, later).status for message in messages] == [Status.SENT] * 3


def test_recipient_who_is_refused_does_not_hold_up_the_others(smtp: MailServer) -> None:
    messages = [write_mail(key=key) for key in ("one", "two")]
    smtp.answer_to_recipient = "451 4.2.2 mailbox full"
    assert attempt(messages[0]).status == Status.QUEUED
    smtp.answer_to_recipient = "250 OK"
    assert attempt(messages[1]).status == Status.SENT
