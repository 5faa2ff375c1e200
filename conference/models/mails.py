"""Mail: each message to one person is a row with states."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailQuerySet(models.QuerySet["Mail"]):
    def due(self, now: datetime) -> "MailQuerySet":
        """Queued, and not waiting for a later try."""
        return self.filter(status=Mail.Status.QUEUED, next_try_at__lte=now)

    def late(self, now: datetime) -> "MailQuerySet":
        """Written more than OUT_WITHIN ago and not sent, for a reason on our side.

        Also those written further ahead than that: a clock is or was wrong. Not those that the
        recipient's server puts off: it does so with mail from new senders, and when an inbox is
        full.
        """
        on_time = (now - Mail.OUT_WITHIN, now + Mail.OUT_WITHIN)
        unsent = self.filter(status__in=Mail.UNFINISHED).exclude(created_at__range=on_time)
        return unsent.exclude(last_error__startswith="SMTPRecipientsRefused")


class Mail(models.Model):
    """One message to one person, and its state."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        # It was waiting in a backup that was restored: an organiser decides.
        WITHHELD = "withheld", _("Held back")

    UNFINISHED = (Status.QUEUED, Status.SENDING)
    OUT_WITHIN = timedelta(minutes=2)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Names the message, as 'tickets:42:1' does: no second one has the same key.
    key = models.CharField(max_length=100)
    about = models.CharField(max_length=60, blank=True)
    to = models.EmailField(max_length=254)
    # The same inbox, however its address is spelt (conference/mail.py); empty for mails that do not
    # count towards what others may have us send there.
    inbox = models.CharField(max_length=254, blank=True)
    sender = models.CharField(max_length=200)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="mail_waiting",
                condition=models.Q(status__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["-created_at"], name="mail_failed", condition=models.Q(status="failed")
            ),
            models.Index(fields=["about"], name="mail_about"),
            models.Index(fields=["inbox", "-created_at"], name="mail_inbox"),
            models.Index(fields=["-created_at"], name="mail_newest"),
        ]
        constraints = [models.UniqueConstraint(fields=["key"], name="mail_key_once")]

    def __str__(self) -> str:
        return self.subject


class MailAttachment(models.Model):
    """A file attached to a message; deleted once the message is sent."""

    mail = models.ForeignKey(Mail, models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=100)
    mime_type = models.CharField(max_length=100)
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.name
