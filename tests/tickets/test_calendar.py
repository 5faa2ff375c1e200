"""The conference as an entry for people's calendars."""

from datetime import UTC, datetime

import icalendar
import pytest
from icalendar import Calendar
from pytest_django.fixtures import Settings

from conference.models import Conference
from tests.clock import Clock
from tests.factories import make_conference, make_order
from tickets import calendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def conference(settings: Settings) -> Conference:
    """A conference of two days in Leeds, over the night on which summer time begins."""
    settings.BASE_URL = "https://conference.example.org"
    return make_conference(
        name="Listening; together, \\ at last",
        tagline="A day for everyone it touches",
        starts_at=datetime(2027, 3, 27, 10, 0, tzinfo=UTC),
        ends_at=datetime(2027, 3, 28, 16, 0, tzinfo=UTC),
        venue="Mill Lane Hall",
        address="Mill Lane\nLeeds",
    )


def event_of(content: bytes) -> icalendar.Event:
    """The one event of a calendar file."""
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    return event


def test_order_gives_an_entry_with_its_time_zone(conference: Conference) -> None:
    order = make_order(conference)
    content = calendar.ics(order)
    event = event_of(content)
    assert str(event["UID"]) == f"{order.reference}@conference.example.org"
    assert str(event["SUMMARY"]) == "Listening; together, \\ at last"
    assert str(event["LOCATION"]) == "Mill Lane Hall, Mill Lane, Leeds"
    page = f"https://conference.example.org/{conference.slug}/"
    assert str(event["DESCRIPTION"]) == f"Booking {order.reference}. The conference: {page}"
    assert str(event["URL"]) == page
    assert str(event["STATUS"]) == "CONFIRMED"
    assert event["DTSTART"].params["TZID"] == "Europe/London"
    assert event["DTSTART"].to_ical() == b"20270327T100000"
    # An hour more on the clock than in UTC: summer time began in the night.
    assert event["DTEND"].to_ical() == b"20270328T170000"
    assert (event.start, event.end) == (conference.starts_at, conference.ends_at)


def test_entry_does_not_give_the_secret_link_away(conference: Conference) -> None:
    order = make_order(conference)
    assert order.secret.encode() not in calendar.ics(order).replace(b"\r\n ", b"")


def test_file_is_whole_and_published(conference: Conference) -> None:
    content = calendar.ics(make_order(conference))
    lines = content.decode().split("\r\n")
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert [line for line in lines if len(line.encode()) > 75] == []
    parsed = Calendar.from_ical(content)
    assert (str(parsed["VERSION"]), str(parsed["METHOD"])) == ("2.0", "PUBLISH")
    (zone,) = parsed.walk("VTIMEZONE")
    assert str(zone["TZID"]) == "Europe/London"
    offsets = {
        (str(part["TZNAME"]), part["TZOFFSETTO"].to_ical())
        for part in [*zone.walk("STANDARD"), *zone.walk("DAYLIGHT")]
    }
    assert offsets == {("GMT", "+0000"), ("BST", "+0100")}


def test_same_order_gives_the_same_entry_and_a_later_one_replaces_it(
    conference: Conference, clock: Clock
) -> None:
    order = make_order(conference)
    first = event_of(calendar.ics(order))
    clock.advance(days=1)
    conference.venue = "Elsewhere"
    second = event_of(calendar.ics(order))
    assert first["UID"] == second["UID"]
    assert first["SEQUENCE"] < second["SEQUENCE"]
    assert first["DTSTAMP"].dt < second["DTSTAMP"].dt
