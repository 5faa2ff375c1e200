"""Mail, by a real mail server: down, refusing, slow, and workers that die in the middle."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from conference import mail
from conference.management.commands.sweep import sweep
from conference.models import AuditEntry, Mail, MailAttachment
from tests.clock import Clock
from tests.factories import make_order, make_user
from tickets import actions

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
Status = Mail.Status
ROOT = Path(__file__).parents[2]


class Server:
    """A mail server that can be switched on and off, and that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answer_to_recipient = "250 OK"
        self.answer_to_data = "250 OK"
        self.has_message = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.has_message.set()
        await server.loop.run_in_executor(None, self.go_on.wait)
        return self.answer_to_data

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        self.go_on.set()
        if self._controller.loop.is_running():
            self._controller.stop()


@pytest.fixture
def smtp(settings: LazySettings) -> Iterator[Server]:
    """A mail server, running, which the service sends its mail by."""
    server = Server()
    server.start()
    settings.MAIL_IS_KEPT_LOCALLY = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_TIMEOUT = 5
    yield server
    server.stop()


def write(**fields: Any) -> Mail:
    """A small message with a file."""
    order = make_order(gift_pence=1500)  # which mails nothing by itself
    given: dict[str, Any] = {
        "key": "one",
        "to": "ada@example.org",
        "about": order.reference,
        "template": "tickets/emails/released",
        "context": {
            "order": order,
            "conference": order.conference,
            "organisation": order.conference.organisation,
            "order_url": "http://x.test/orders/s/",
        },
        "attachments": [mail.Attachment("a.txt", "text/plain", b"hello")],
        "now": timezone.now(),
    }
    return mail.write(**given | fields)


def attempt(message: Mail, now: datetime | None = None) -> Mail:
    mail.deliver(message, now=now or timezone.now())
    message.refresh_from_db()
    return message


def test_message_goes_out_with_both_parts_and_its_file(smtp: Server) -> None:
    message = attempt(write(headers={"List-Unsubscribe": "<http://x.test/u/>"}))
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


def test_files_are_erased_once_they_are_out(smtp: Server) -> None:
    attempt(write())
    assert MailAttachment.objects.count() == 0


def test_trial_keeps_the_files_for_its_outbox() -> None:
    message = attempt(write())
    assert (message.status, message.attachments.count()) == (Status.SENT, 1)


def test_same_key_is_written_once(smtp: Server) -> None:
    first = write()
    again = mail.write(
        key="one",
        to="somebody.else@example.org",
        template="signup/emails/confirm",
        context={},
        now=timezone.now(),
    )
    assert (again, again.to) == (first, "ada@example.org")
    assert Mail.objects.count() == 1


def test_message_is_sent_once_by_however_many(smtp: Server) -> None:
    message = write()
    for _ in range(3):
        mail.deliver(message, now=timezone.now())
    assert len(smtp.messages) == 1


def test_server_down_for_an_hour_sends_it_later_and_once(
    smtp: Server, clock: Clock, work: Work
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


def test_refused_recipient_fails_at_once(smtp: Server) -> None:
    smtp.answer_to_recipient = "550 5.1.1 no such user"
    message = attempt(write())
    assert (message.status, message.attempts) == (Status.FAILED, 1)
    assert "no such user" in message.last_error
    assert message.attachments.count() == 1  # for the button 'try again'


@pytest.mark.parametrize("what", ["answer_to_recipient", "answer_to_data"])
def test_passing_trouble_is_tried_again_after_ever_longer_waits(smtp: Server, what: str) -> None:
    setattr(smtp, what, "451 4.3.0 later")
    message = write()
    waits = []
    now = timezone.now()
    for _ in mail.WAITS:
        message = attempt(message, now)
        assert message.status == Status.QUEUED
        waits.append(int((message.next_try_at - now).total_seconds()) // 60)
        now = message.next_try_at
    assert tuple(waits) == mail.WAITS
    assert attempt(message, now).status == Status.FAILED


def test_message_is_not_tried_before_its_time(smtp: Server) -> None:
    smtp.answer_to_data = "451 later"
    message = attempt(write())
    smtp.answer_to_data = "250 OK"
    assert attempt(message, message.next_try_at - timedelta(seconds=1)).status == Status.QUEUED
    assert attempt(message, message.next_try_at).status == Status.SENT


def test_message_that_cannot_be_put_together_is_not_left_half_sent(smtp: Server) -> None:
    message = write()
    Mail.objects.update(to="ada@example.org\nBcc: all@example.org")
    message = attempt(message)
    assert (message.status, message.last_error[:10]) == (Status.QUEUED, "ValueError")
    assert smtp.messages == []


def test_failed_message_can_be_tried_again_by_hand(smtp: Server) -> None:
    smtp.answer_to_recipient = "550 no"
    message = attempt(write())
    smtp.answer_to_recipient = "250 OK"
    organiser = make_user()
    mail.retry(message, by=organiser, now=timezone.now())
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Status.QUEUED, 0)
    assert attempt(message).status == Status.SENT
    assert AuditEntry.objects.filter(verb="mail tried again", by=organiser).count() == 1
    with pytest.raises(mail.NotFailed):
        mail.retry(message, by=organiser, now=timezone.now())


def test_old_mail_is_erased_but_not_what_waits(smtp: Server, clock: Clock) -> None:
    write()
    Mail.objects.update(status=Status.SENT)
    mail.sweep(clock.advance(days=29))
    assert Mail.objects.count() == 1
    mail.sweep(clock.advance(days=2))
    assert Mail.objects.count() == 0
    write(now=clock.now())
    mail.sweep(clock.advance(days=40))
    assert Mail.objects.count() == 1


def test_order_of_two_addresses_is_mailed_to_each_their_own(smtp: Server, work: Work) -> None:
    order = make_order(names=("Ada", "Grace"))
    order.tickets.filter(attendee_name="Grace").update(attendee_email="grace@example.org")
    work()
    sent = {message["To"]: message for message in smtp.messages}
    assert sorted(sent) == ["ada@example.org", "grace@example.org"]
    texts = {to: message.get_body(("plain",)).get_content() for to, message in sent.items()}
    assert [order.secret in texts[to] for to in sorted(texts)] == [True, False]
    assert [["Ada" in texts[to], "Grace" in texts[to]] for to in sorted(texts)] == [
        [True, True],
        [False, True],
    ]


def test_ticket_mail_carries_what_it_must(smtp: Server, work: Work) -> None:
    order = make_order(bulletin_wording="Please send me the Bulletin.")
    work()
    (sent,) = smtp.messages
    files = {part.get_filename(): part for part in sent.iter_attachments()}
    assert {name: part.get_content_type() for name, part in files.items()} == {
        f"tickets-{order.reference}.pdf": "application/pdf",
        "conference.ics": "text/calendar",
    }
    assert files[f"tickets-{order.reference}.pdf"].get_content()[:5] == b"%PDF-"
    assert "BEGIN:VTIMEZONE" in files["conference.ics"].get_content()
    for kind in ("plain", "html"):
        body = sent.get_body((kind,)).get_content()
        assert order.get_absolute_url() in body
        assert order.tickets.get().reference in body
        assert "/bulletin/confirm/" in body


def test_ticket_mail_without_the_tick_has_no_word_of_the_bulletin(smtp: Server, work: Work) -> None:
    make_order()
    work()
    for kind in ("plain", "html"):
        assert "Bulletin" not in smtp.messages[0].get_body((kind,)).get_content()


def test_resend_is_one_more_mail(smtp: Server, work: Work) -> None:
    order = make_order()
    work()
    actions.resend(order=order, now=timezone.now())
    work()
    work()
    assert len(smtp.messages) == len({m["Message-ID"] for m in smtp.messages}) == 2


@pytest.mark.django_db(transaction=True)
def test_worker_killed_while_it_sends_loses_nothing(
    smtp: Server, process_env: dict[str, str], clock: Clock, work: Work
) -> None:
    message = write()
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


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_mail_server_is_spoken_to(
    smtp: Server, work: Work, monkeypatch: pytest.MonkeyPatch
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


def test_slow_server_is_given_up_on(smtp: Server, settings: LazySettings) -> None:
    settings.EMAIL_TIMEOUT = 0.2
    smtp.go_on.clear()
    began = time.monotonic()
    message = attempt(write())
    assert (message.status, time.monotonic() - began < 5) == (Status.QUEUED, True)
