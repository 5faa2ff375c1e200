"""Organisation, conference, users, mail, the audit log, rate limits and heartbeats."""

import uuid
import zoneinfo
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from conference import pictures
from conference.markdown import to_html

# The first segments of our own URLs, which no conference may have as its slug.
RESERVED_SLUGS = frozenset(
    "accessibility admin bulletin desk donate door favicon.ico healthz login logout media "
    "orders outbox password privacy readyz robots.txt static stripe".split()
)


def validate_slug_is_free(value: str) -> None:
    """Raise ValidationError if `value` is the first segment of one of our own URLs."""
    if value in RESERVED_SLUGS:
        raise ValidationError(_("This address is taken by the site itself. Choose another."))


def validate_timezone(value: str) -> None:
    """Raise ValidationError unless `value` is an IANA time zone such as Europe/London."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("Choose a time zone such as Europe/London."))


def validate_presets(value: Any) -> None:
    """Raise ValidationError unless `value` is a list of one to six gifts of £1 or more in pence."""
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= 6
        or not all(isinstance(pence, int) and 100 <= pence <= 10_000_000 for pence in value)
    ):
        raise ValidationError(_("Give one to six amounts in pence, for instance [500, 1500]."))


class UserManager(BaseUserManager["User"]):
    """Creates users, who log in by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with this address; without a password they cannot log in."""
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with this address, whatever its case and the spaces around it."""
        return self.get(email=(username or "").strip().lower())

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an organiser who may change the settings, and whom only their like may change."""
        rights = {"role": User.Role.ORGANISER, "may_configure": True, "is_superuser": True}
        fields = rights | fields
        return self.create_user(email, password, **fields)


class User(AbstractUser):
    """Someone who logs in: an organiser, or a volunteer at the door.

    What they may do follows from `role` and `may_configure`. `is_superuser` gives nothing more: it
    protects an account from everybody else who may change the settings, and is given on the server
    alone, by `manage.py createsuperuser`.
    """

    class Role(models.TextChoices):
        ORGANISER = "organiser", _("Organiser")
        VOLUNTEER = "volunteer", _("Door volunteer")

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail"), unique=True)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.VOLUNTEER)
    may_configure = models.BooleanField(
        _("may change the settings"),
        default=False,
        help_text=_("For organisers: these pages, and who may log in."),
    )
    # Created by `manage.py demo`, with a password that is public.
    is_sample = models.BooleanField(default=False, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def is_organiser(self) -> bool:
        return self.is_active and self.role == self.Role.ORGANISER

    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        """Whether Django's admin, the settings pages, is open to this person."""
        return self.is_organiser and self.may_configure

    @property
    def is_at_door(self) -> bool:
        """Whether this person may scan: volunteers and organisers."""
        return self.is_active and self.role in (self.Role.VOLUNTEER, self.Role.ORGANISER)


class Organisation(models.Model):
    """The network that holds the conference. The site uses the first row."""

    class SpecialCategoryBasis(models.TextChoices):
        """The condition of UK GDPR, Article 9(2), under which such data is kept."""

        NOT_CHOSEN = "", _("Not chosen yet")
        EXPLICIT_CONSENT = "consent", _("Explicit consent, Article 9(2)(a)")
        NOT_FOR_PROFIT = "not for profit", _("Not-for-profit body, Article 9(2)(d)")

    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=60)
    introduction = models.TextField(_("introduction"), blank=True, help_text=_("Markdown."))
    introduction_html = models.TextField(editable=False, blank=True)
    charity_number = models.CharField(_("charity number"), max_length=40, blank=True)
    address = models.TextField(_("address"), blank=True)
    email = models.EmailField(_("e-mail for questions"))
    social_name = models.CharField(_("social network"), max_length=60, blank=True)
    social_url = models.URLField(_("social link"), blank=True)
    data_protection = models.TextField(
        _("data protection"), blank=True, help_text=_("Markdown, added to the privacy page.")
    )
    data_protection_html = models.TextField(editable=False, blank=True)
    special_category_basis = models.CharField(
        _("legal condition for special category data"),
        max_length=20,
        choices=SpecialCategoryBasis,
        default=SpecialCategoryBasis.NOT_CHOSEN,
        blank=True,
        help_text=_(
            "Coming, or a kind of ticket, may say something about somebody's health. Choose with "
            "legal advice. It is shown on the privacy page; explicit consent also where the "
            "reservation form is sent."
        ),
    )
    # Templates have it in their cache keys, so that a change shows at once.
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.introduction_html = to_html(self.introduction)
        self.data_protection_html = to_html(self.data_protection)
        super().save(*args, **kwargs)


class ConferenceQuerySet(models.QuerySet["Conference"]):
    def published(self) -> "ConferenceQuerySet":
        return self.filter(is_published=True)

    def current_first(self, now: datetime) -> "ConferenceQuerySet":
        """The one that is on or comes next before all later ones, then past ones, latest first."""
        is_past = models.Case(models.When(ends_at__lt=now, then=1), default=0)
        return self.order_by(
            is_past, models.Case(models.When(ends_at__gte=now, then="starts_at")), "-starts_at"
        )

    def current(self, now: datetime) -> "Conference | None":
        """The published conference that is on or comes next, else the most recent one."""
        return self.published().select_related("organisation").current_first(now).first()


class Conference(models.Model):
    """One year's conference."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, verbose_name=_("organisation"))
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(
        _("address"), unique=True, validators=[validate_slug_is_free], help_text=_("As in /2027/.")
    )
    tagline = models.CharField(_("tagline"), max_length=200, blank=True)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    timezone = models.CharField(
        _("time zone"), max_length=60, default="Europe/London", validators=[validate_timezone]
    )
    venue = models.CharField(_("venue"), max_length=200)
    address = models.TextField(_("address of the venue"))
    map_url = models.URLField(_("link to a map"), blank=True)
    access_information = models.TextField(
        _("access information"), blank=True, help_text=_("Markdown.")
    )
    access_information_html = models.TextField(editable=False, blank=True)
    programme = models.TextField(_("programme"), blank=True, help_text=_("Markdown."))
    programme_html = models.TextField(editable=False, blank=True)
    gift_explanation = models.TextField(
        _("what a donation pays for"), blank=True, help_text=_("Markdown.")
    )
    gift_explanation_html = models.TextField(editable=False, blank=True)
    gift_presets = models.JSONField(
        _("suggested gifts"),
        default=list,
        validators=[validate_presets],
        help_text=_("In pence, for instance [500, 1500, 3000]."),
    )
    picture = models.ImageField(
        _("picture"),
        upload_to=pictures.new_name,
        blank=True,
        width_field="picture_width",
        height_field="picture_height",
    )
    picture_width = models.PositiveIntegerField(null=True, editable=False)
    picture_height = models.PositiveIntegerField(null=True, editable=False)
    picture_alt = models.CharField(
        _("the picture in words"), max_length=200, blank=True, help_text=_("For screen readers.")
    )
    capacity = models.PositiveIntegerField(
        _("places in all"),
        null=True,
        blank=True,
        help_text=_("Empty: only the ticket types count."),
    )
    opens_at = models.DateTimeField(_("reservations open"))
    closes_at = models.DateTimeField(_("reservations close"))
    is_published = models.BooleanField(_("published"), default=False)
    # Templates have it in their cache keys, so that a change shows at once.
    changed_at = models.DateTimeField(auto_now=True)

    objects = ConferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("conference")
        verbose_name_plural = _("conferences")
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="conference_ends_later"
            ),
            models.CheckConstraint(
                condition=models.Q(closes_at__gt=models.F("opens_at")),
                name="conference_closes_later",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("tickets:conference", args=[self.slug])

    def clean(self) -> None:
        """Check the order of times, and re-encode a newly uploaded picture."""
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": _("The end must come after the start.")})
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise ValidationError({"closes_at": _("Reservations must close after they open.")})
        if self.picture and not self.picture._committed:
            try:
                self.picture = pictures.cleaned(self.picture)  # type: ignore[assignment]
            except pictures.NotAPicture as error:
                raise ValidationError(
                    {"picture": _("This file is no picture that we can read.")}
                ) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.access_information_html = to_html(self.access_information)
        self.programme_html = to_html(self.programme)
        self.gift_explanation_html = to_html(self.gift_explanation)
        super().save(*args, **kwargs)

    @cached_property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The conference's own time zone, in which all its times are shown."""
        return zoneinfo.ZoneInfo(self.timezone)

    def is_open(self, now: datetime) -> bool:
        """Whether places can be reserved at `now`."""
        return self.is_published and self.opens_at <= now < min(self.closes_at, self.ends_at)

    def has_begun(self, now: datetime) -> bool:
        """Whether it is too late for holders to change their tickets themselves."""
        return now >= self.starts_at

    def is_past(self, now: datetime) -> bool:
        return now >= self.ends_at


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
            models.Index(fields=["to", "-created_at"], name="mail_to"),
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
    """When a background process was last seen alive, or something else last happened."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
