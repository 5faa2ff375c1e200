"""What the service writes down of its own running: audit log, counts, restored backups, beats."""

from django.db import models

from conference.models.people import User


class AuditEntry(models.Model):
    """Something that was done to an order, a setting or a person's data. Never changed."""

    at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    verb = models.CharField(max_length=60)
    subject = models.CharField(max_length=100)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "at"], name="audit_by_subject"),
            models.Index(
                fields=["-at"], name="audit_by_staff", condition=models.Q(by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"


class Allowance(models.Model):
    """The count of a rate limit in one window of time, shared by all processes.

    On PostgreSQL the table is UNLOGGED: counting need not wait for the disk, and a crash of the
    database loses the counts.
    """

    key = models.CharField(max_length=100, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class RestoreQuerySet(models.QuerySet["Restore"]):
    def unanswered(self) -> "RestoreQuerySet":
        """Those of which nobody has said yet whether to send what was waiting."""
        return self.filter(answered_at__isnull=True)


class Restore(models.Model):
    """A backup that was put in the place of the database, and what followed from it.

    What was waiting to be sent in it may have been sent since. So it is withheld until an
    organiser answers.
    """

    # When the backup was made, as nearly as is known: its last sweep. One backup is noticed once.
    backup_at = models.DateTimeField(unique=True)
    # Bookings whose tickets are withheld have it as the time of their mailing.
    noticed_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    objects = RestoreQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.backup_at:%Y-%m-%d %H:%M}"


class Heartbeat(models.Model):
    """When a background process was last seen alive, or something else last happened.

    The names: 'worker' and 'sweep'; 'mark', 'clock leapt', 'clock waits' and 'clock is right'
    (conference/clocks.py); 'stripe sessions' (donations/unknown.py).
    """

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
