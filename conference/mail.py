"""Mail: written down first, sent by a worker, tried again until it is out or cannot be sent.

`write` is all that the rest of the house calls. A message is a row with states, so that nobody
waits for a mail server, and nothing is lost while it is down.
"""

import logging
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from conference.audit import record
from conference.models import Mail, MailAttachment, User
from conference.queue import enqueue_once

logger = logging.getLogger(__name__)

# Minutes to wait after the first, second, … failed try; then it is given up, after two days.
WAITS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440)
# A message found 'being sent' after this was left behind by a worker that died.
STUCK_AFTER = timedelta(minutes=10)
# What was sent is kept as long as somebody may ask about it.
KEPT_FOR = timedelta(days=30)


class NotFailed(Exception):
    """Only a message that failed can be tried again by hand."""


@dataclass(frozen=True)
class Attachment:
    """A file to go with a message."""

    name: str
    mime_type: str
    content: bytes


def write(
    *,
    key: str,
    to: str,
    template: str,
    context: dict[str, Any],
    now: datetime,
    about: str = "",
    sender: str = "",
    attachments: Sequence[Attachment] = (),
    headers: dict[str, str] | None = None,
) -> Mail:
    """Write a message down and have a worker send it; the same `key` again changes nothing.

    `template` names three templates: 'tickets/emails/tickets' stands for its .subject.txt, .txt
    and .html. `about` is what it concerns, an order's reference for instance.
    """
    context = context | {"base_url": settings.BASE_URL}
    subject = " ".join(render_to_string(f"{template}.subject.txt", context).split())
    text = render_to_string(f"{template}.txt", context).strip() + "\n"
    html = render_to_string(f"{template}.html", context)
    with transaction.atomic():
        mail, is_new = Mail.objects.get_or_create(
            key=key,
            defaults={
                "to": to,
                "about": about,
                "sender": sender or settings.DEFAULT_FROM_EMAIL,
                "subject": subject[:300],
                "text": text,
                "html": html,
                "headers": headers or {},
                "created_at": now,
                "next_try_at": now,
            },
        )
        if is_new:
            MailAttachment.objects.bulk_create(
                MailAttachment(mail=mail, name=a.name, mime_type=a.mime_type, content=a.content)
                for a in attachments
            )
            _enqueue(mail)
    return mail


def deliver(mail: Mail, *, now: datetime) -> None:
    """Send one message, if it is due and nobody else is at it.

    A failure is written to the row: for another try later, or for good where the server
    refuses the address.
    """
    claimed = (
        Mail.objects.due(now)
        .filter(pk=mail.pk)
        .update(status=Mail.Status.SENDING, claimed_at=now, attempts=mail.attempts + 1)
    )
    if not claimed:
        return
    mail.refresh_from_db()
    try:
        if not settings.MAIL_IS_KEPT_LOCALLY:
            _message(mail).send()
    except Exception as error:
        # Not the server's failures alone: whatever it is, the row must not stay 'being sent'.
        _failed(mail, error, now)
        return
    with transaction.atomic():
        Mail.objects.filter(pk=mail.pk).update(status=Mail.Status.SENT, sent_at=now, last_error="")
        if not settings.MAIL_IS_KEPT_LOCALLY:
            mail.attachments.all().delete()


def withdraw(*, about: str, to: str) -> None:
    """Take back what concerns `about` and has not left for an address that was wrong."""
    not_sent = [Mail.Status.QUEUED, Mail.Status.FAILED]
    Mail.objects.filter(about=about, to=to, status__in=not_sent).delete()


def retry(mail: Mail, *, by: User | None, now: datetime) -> None:
    """Try a failed message again from the start. Raises NotFailed for any other."""
    with transaction.atomic():
        changed = Mail.objects.filter(pk=mail.pk, status=Mail.Status.FAILED).update(
            status=Mail.Status.QUEUED, attempts=0, next_try_at=now
        )
        if not changed:
            raise NotFailed(mail.pk)
        record("mail tried again", mail.about or str(mail.pk), by=by, now=now)
        _enqueue(mail)


def sweep(now: datetime) -> None:
    """Revive what a dead worker left behind, enqueue what is due, erase what is old."""
    from conference.tasks import deliver_mail

    # Whether the server had taken it is not known: the same Message-ID lets mail programs
    # drop the second copy, and a ticket twice is better than none.
    Mail.objects.filter(status=Mail.Status.SENDING, claimed_at__lt=now - STUCK_AFTER).update(
        status=Mail.Status.QUEUED, next_try_at=now
    )
    # A fresh message has its own task; what is due for a minute has lost it or waited.
    overdue = Mail.objects.due(now).exclude(attempts=0, created_at__gt=now - timedelta(minutes=2))
    longest_waiting = overdue.order_by("next_try_at").values_list("pk", flat=True)[:200]
    enqueue_once(deliver_mail, map(str, longest_waiting))
    Mail.objects.filter(created_at__lt=now - KEPT_FOR).exclude(
        status__in=[Mail.Status.QUEUED, Mail.Status.SENDING]
    ).delete()


def _enqueue(mail: Mail) -> None:
    # The queue is in the same database: the task appears with the row or not at all.
    from conference.tasks import deliver_mail

    deliver_mail.enqueue(str(mail.pk))


def _message(mail: Mail) -> EmailMultiAlternatives:
    domain = parseaddr(mail.sender)[1].rpartition("@")[2]
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        mail.sender,
        [mail.to],
        headers={"Message-ID": f"<{mail.pk}@{domain}>"} | mail.headers,
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    for file in mail.attachments.all():
        message.attach(file.name, bytes(file.content), file.mime_type)
    return message


def _failed(mail: Mail, error: Exception, now: datetime) -> None:
    refused = isinstance(error, smtplib.SMTPRecipientsRefused) and all(
        code >= 500 for code, _reason in error.recipients.values()
    )
    if refused or mail.attempts > len(WAITS):
        mail.status = Mail.Status.FAILED
    else:
        mail.status = Mail.Status.QUEUED
        mail.next_try_at = now + timedelta(minutes=WAITS[mail.attempts - 1])
    mail.last_error = f"{type(error).__name__}: {error}"[:1000]
    mail.save(update_fields=["status", "next_try_at", "last_error"])
    logger.warning("mail %s: try %s failed: %s", mail.pk, mail.attempts, type(error).__name__)
