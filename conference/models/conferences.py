"""The organisation and its conferences."""

import zoneinfo
from datetime import datetime, timedelta
from typing import Any

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
            "reservation form is sent. Explicit consent has to be shown later, and a "
            "not-for-profit body may rely on its own condition only for members and people in "
            "regular contact: take advice."
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


A_WEEK = timedelta(days=7)


class ConferenceQuerySet(models.QuerySet["Conference"]):
    def published(self) -> "ConferenceQuerySet":
        return self.filter(is_published=True)

    def ended(self, before: datetime, *, now: datetime) -> "ConferenceQuerySet":
        """Those that ended before this, and were not changed in the last week.

        A mistyped year may make one long past, and what follows from that cannot be undone.
        """
        return self.filter(ends_at__lt=before, changed_at__lt=now - A_WEEK)

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
