"""The Bulletin: its editions, its subscribers, and the proof of what each of them agreed to."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from conference.markdown import to_html

# A sign-up that is not confirmed is deleted after this.
PENDING_FOR = timedelta(days=7)


def validate_is_pdf(file: File) -> None:
    """Raise ValidationError unless the file begins with %PDF-."""
    file.seek(0)
    if file.read(5) != b"%PDF-":
        raise ValidationError(_("This file is no PDF."))
    file.seek(0)


def new_pdf_name(_instance: Any, _filename: str) -> str:
    """A random name for the stored file, which nobody can guess before it is published."""
    return f"bulletin/{uuid.uuid4().hex}.pdf"


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def confirmed(self) -> "SubscriberQuerySet":
        return self.filter(status=Subscriber.Status.CONFIRMED)

    def lapsed(self, now: datetime) -> "SubscriberQuerySet":
        """Not confirmed within PENDING_FOR, or unsubscribed before confirming."""
        never_came = Q(status=Subscriber.Status.UNSUBSCRIBED, confirmed_at=None)
        return self.filter(
            Q(status=Subscriber.Status.PENDING) | never_came, requested_at__lt=now - PENDING_FOR
        )


class Subscriber(models.Model):
    """Someone who asked for the Bulletin."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Not confirmed yet")
        CONFIRMED = "confirmed", _("Receives the Bulletin")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("Cannot be reached")
        COMPLAINED = "complained", _("Complained")

    # Identifies the subscriber in links, instead of the address.
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # In lower case.
    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    status = models.CharField(_("status"), max_length=15, choices=Status, default=Status.PENDING)
    requested_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SubscriberQuerySet.as_manager()

    def __str__(self) -> str:
        return self.email


class Consent(models.Model):
    """One step of what a subscriber agreed to or took back. Append only."""

    class Step(models.TextChoices):
        REQUESTED = "requested", _("Asked for the Bulletin")
        CONFIRMED = "confirmed", _("Confirmed by e-mail")
        WITHDRAWN = "withdrawn", _("Unsubscribed")

    class Source(models.TextChoices):
        BULLETIN_PAGE = "bulletin page", _("The Bulletin's page")
        HOME_PAGE = "home page", _("The home page")
        TICKET_FORM = "ticket form", _("The ticket form")
        CONFIRM_PAGE = "confirm page", _("The button in the e-mail")
        UNSUBSCRIBE_PAGE = "unsubscribe page", _("The unsubscribe page")
        ONE_CLICK = "one click", _("The unsubscribe button of the mail program")

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="consents")
    step = models.CharField(max_length=15, choices=Step)
    source = models.CharField(max_length=20, choices=Source)
    at = models.DateTimeField()
    basis = models.CharField(max_length=20, default="consent")
    wording = models.TextField(blank=True)
    wording_version = models.CharField(max_length=20, blank=True)
    privacy_version = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.step} {self.at:%Y-%m-%d}"


class Suppression(models.Model):
    """An address that must not be written to, kept as a keyed hash after its erasure."""

    digest = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=15)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reason


class EditionQuerySet(models.QuerySet["Edition"]):
    def published(self, now: datetime) -> "EditionQuerySet":
        return self.filter(published_on__lte=now.date()).order_by("-number")


class Edition(models.Model):
    """One number of the Bulletin."""

    number = models.PositiveIntegerField(_("number"), unique=True)
    title = models.CharField(_("title"), max_length=200)
    published_on = models.DateField(_("published on"))
    summary = models.CharField(_("summary"), max_length=300, blank=True)
    body = models.TextField(_("text"), blank=True, help_text=_("Markdown."))
    body_html = models.TextField(editable=False, blank=True)
    pdf = models.FileField(
        _("as PDF"),
        upload_to=new_pdf_name,
        blank=True,
        validators=[FileExtensionValidator(["pdf"]), validate_is_pdf],
    )

    objects = EditionQuerySet.as_manager()

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("signup:edition", args=[self.number])

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.body_html = to_html(self.body)
        super().save(*args, **kwargs)
