"""Sends one message through the mail server and records the result."""

import logging
import smtplib
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from conference.models import Mail

logger = logging.getLogger(__name__)

# Minutes to wait after the first, second, … failed try. After the last of them, about two days
# later, the message has failed.
WAITS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440)
# While the mail server cannot be reached the other messages are not tried in vain: each would hold
# the worker up for settings.EMAIL_TIMEOUT.
REST = timedelta(minutes=1)


def deliver(mail: Mail, *, now: datetime) -> None:
    """Send one message, unless it is not due or another worker is sending it.

    A failure is recorded in the row: the message is tried again later, or marked as failed if the
    server rejects the address or the tries are used up.
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
        # Not only the server's errors: after any exception the row must not stay SENDING.
        _failed(mail, error, now)
        return
    with transaction.atomic():
        Mail.objects.filter(pk=mail.pk).update(status=Mail.Status.SENT, sent_at=now, last_error="")
        if not settings.MAIL_IS_KEPT_LOCALLY:
            mail.attachments.all().delete()


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
    if _is_away(error):
        Mail.objects.due(now).update(next_try_at=now + REST)
    logger.warning("mail %s: try %s failed: %s", mail.pk, mail.attempts, type(error).__name__)


def _is_away(error: Exception) -> bool:
    """Whether the mail server cannot be reached or used, whatever is to be sent."""
    unusable = (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, smtplib.SMTPHeloError)
    if isinstance(error, smtplib.SMTPException):
        return isinstance(error, (*unusable, smtplib.SMTPAuthenticationError))
    return isinstance(error, OSError)
