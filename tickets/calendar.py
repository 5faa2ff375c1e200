"""The conference as an entry for a calendar (RFC 5545)."""

from django.conf import settings
from django.utils import timezone
from icalendar import Calendar, Event

from tickets.models import Order


def ics(order: Order, *, url: str) -> bytes:
    """An .ics file with the conference of `order`, its time zone and place, and `url` as its link."""
    conference = order.conference
    event = Event()
    event.add("uid", f"{order.reference}@{settings.BASE_URL.rpartition('/')[2]}")
    event.add("dtstamp", timezone.now())
    event.add("summary", conference.name)
    event.add("dtstart", conference.starts_at.astimezone(conference.zone))
    event.add("dtend", conference.ends_at.astimezone(conference.zone))
    event.add("location", ", ".join([conference.venue, *conference.address.splitlines()]))
    event.add("url", url)
    calendar = Calendar()
    calendar.add("prodid", "-//Open Dialogue conference//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return calendar.to_ical()
