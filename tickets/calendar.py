"""The conference as an entry for people's calendars (RFC 5545)."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from tickets.models import Order


def ics(order: Order) -> bytes:
    """Return an .ics file with the conference of `order`.

    The same order always has the same UID, so importing it again makes no second entry. It links to
    the conference, not to the order: calendars are shared, and the order's link is secret.
    """
    conference = order.conference
    url = settings.BASE_URL + conference.get_absolute_url()
    description = _("Booking %(reference)s. The conference: %(url)s") % {
        "reference": order.reference,
        "url": url,
    }
    now = timezone.now()
    event = Event()
    event.add("uid", f"{order.reference}@{urlsplit(settings.BASE_URL).hostname}")
    event.add("dtstamp", now)
    # Grows with time, because a calendar replaces an entry only by one with a higher number.
    event.add("sequence", int(now.timestamp()) // 60)
    event.add("summary", conference.name)
    event.add("dtstart", conference.starts_at.astimezone(conference.zone))
    event.add("dtend", conference.ends_at.astimezone(conference.zone))
    event.add("location", ", ".join([conference.venue, *conference.address.splitlines()]))
    event.add("description", description)
    event.add("url", url)
    event.add("status", "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Open Dialogue conference//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones(
        first_date=conference.starts_at.date() - timedelta(days=366),
        last_date=conference.ends_at.date() + timedelta(days=366),
    )
    content: bytes = calendar.to_ical()
    return content
