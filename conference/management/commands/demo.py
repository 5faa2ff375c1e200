"""`manage.py demo`: a sample conference and people who can log in, on a trial site only."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from conference.models import Conference, Organisation, User
from conference.sample import content, picture
from signup.models import Edition
from tickets.models import Gate, TicketType

PASSWORD = "open-dialogue"  # noqa: S105 (of the sample log-ins, which exist in a trial alone)
PLACES = (80, 100, 200)
SATURDAY = 5


class Command(BaseCommand):
    help = "Set up the sample conference, once. On a trial only."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TRIAL:
            raise CommandError("The sample data and its log-ins are for a trial only (TRIAL=1).")
        with transaction.atomic():
            if not Organisation.objects.exists():
                _set_up(timezone.now())
            _log_ins()
        self.stdout.write(
            f"Organiser: organiser@example.org / {PASSWORD}\n"
            f"Door volunteer: door@example.org / {PASSWORD}"
        )


def _log_ins() -> None:
    if not User.objects.filter(email="organiser@example.org").exists():
        User.objects.create_user(
            "organiser@example.org",
            PASSWORD,
            first_name="Olu",
            role=User.Role.ORGANISER,
            may_configure=True,
            is_sample=True,
        )
    if not User.objects.filter(email="door@example.org").exists():
        User.objects.create_user("door@example.org", PASSWORD, first_name="Dana", is_sample=True)


def _set_up(now: datetime) -> None:
    organisation = Organisation.objects.create(
        **content.ORGANISATION,
        introduction=content.INTRODUCTION,
        data_protection=content.DATA_PROTECTION,
    )
    zone = ZoneInfo("Europe/London")
    day = (now + timedelta(days=90)).date()
    day += timedelta(days=(SATURDAY - day.weekday()) % 7)
    starts_at = datetime.combine(day, time(10), zone)
    conference = Conference(
        **content.CONFERENCE,
        organisation=organisation,
        slug=str(day.year),
        starts_at=starts_at,
        ends_at=datetime.combine(day, time(17), zone),
        access_information=content.ACCESS_INFORMATION,
        programme=content.PROGRAMME,
        gift_explanation=content.GIFT_EXPLANATION,
        gift_presets=[500, 1500, 3000],
        capacity=350,
        opens_at=now - timedelta(days=1),
        closes_at=starts_at,
        is_published=True,
    )
    # Assigned, not picture.save(): only then does Django store the width and height, without which
    # it opens the file each time the conference is loaded.
    conference.picture = ContentFile(picture.draw(), name="sample.webp")  # type: ignore[assignment]
    conference.save()
    for position, (kind, places) in enumerate(zip(content.TICKET_TYPES, PLACES, strict=True)):
        TicketType.objects.create(conference=conference, position=position, capacity=places, **kind)
    for position, (name, slug) in enumerate((("Main door", "main"), ("Garden door", "garden"))):
        Gate.objects.create(conference=conference, position=position, name=name, slug=slug)
    for sample in content.EDITIONS:
        edition = dict(sample)
        days_ago = edition.pop("days_ago")
        Edition.objects.create(**edition, published_on=(now - timedelta(days=days_ago)).date())
