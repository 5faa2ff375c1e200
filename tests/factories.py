"""Data for tests, built only as the service itself builds it: by calling actions."""

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from conference.models import Conference, Organisation, User
from signup.actions import sign_up
from signup.models import Consent, Subscriber
from tickets import actions
from tickets.models import Gate, Order, TicketType

_numbers = itertools.count(1)
PASSWORD = "correct horse battery"


def make_organisation(**fields: Any) -> Organisation:
    """The network; the same one every time unless fields are given."""
    if not fields and (known := Organisation.objects.first()):
        return known
    defaults = {
        "name": "Open Dialogue Network",
        "short_name": "Open Dialogue",
        "email": "hello@example.org",
        "charity_number": "1000000",
        "introduction": "We *listen*.",
    }
    return Organisation.objects.create(**defaults | fields)


def make_conference(*, types: dict[str, int] | None = None, **fields: Any) -> Conference:
    """A published conference in 60 days, open for reservations.

    `types` are the ticket types' names and places; one type 'Professional' of 50 without it.
    """
    now = timezone.now()
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "organisation": fields.pop("organisation", None) or make_organisation(),
        "name": f"Conference {number}",
        "slug": f"c{number}",
        "starts_at": now + timedelta(days=60),
        "ends_at": now + timedelta(days=60, hours=7),
        "venue": "Mill Lane Hall",
        "address": "Mill Lane\nLeeds",
        "gift_presets": [500, 1500, 3000],
        "opens_at": now - timedelta(days=1),
        "closes_at": now + timedelta(days=59),
        "is_published": True,
    }
    conference = Conference.objects.create(**defaults | fields)
    for position, (name, capacity) in enumerate((types or {"Professional": 50}).items()):
        make_type(conference, name=name, capacity=capacity, position=position)
    return conference


def make_type(conference: Conference, **fields: Any) -> TicketType:
    """A ticket type of 50 places."""
    defaults = {"name": f"Type {next(_numbers)}", "capacity": 50}
    return TicketType.objects.create(conference=conference, **defaults | fields)


def make_gate(conference: Conference, name: str = "Main door") -> Gate:
    """A gate of the conference."""
    return Gate.objects.create(conference=conference, name=name, slug=f"g{next(_numbers)}")


def make_order(
    conference: Conference | None = None,
    *,
    names: tuple[str, ...] = ("Ada Lovelace",),
    gift_pence: int = 0,
    ticket_type: TicketType | None = None,
    now: datetime | None = None,
    **fields: Any,
) -> Order:
    """An order by `reserve`: confirmed without a gift, else reserved."""
    conference = conference or make_conference()
    kind = ticket_type or conference.ticket_types.all()[0]
    defaults: dict[str, Any] = {"name": names[0], "email": "ada@example.org"}
    return actions.reserve(
        conference=conference,
        places=[actions.Place(kind.pk, name) for name in names],
        gift_pence=gift_pence,
        submission=uuid.uuid4(),
        now=now or timezone.now(),
        **defaults | fields,
    )


def make_subscriber(source: Consent.Source = Consent.Source.BULLETIN_PAGE) -> Subscriber:
    """Ada, who has asked for the Bulletin and has not confirmed it yet."""
    address = "ada@example.org"
    sign_up(email=address, first_name="", last_name="", source=source, now=timezone.now())
    return Subscriber.objects.get(email=address)


def make_user(role: str = "organiser", **fields: Any) -> User:
    """Somebody who logs in with PASSWORD: an 'organiser' or a 'volunteer'."""
    defaults = {"email": f"user{next(_numbers)}@example.org", "password": PASSWORD, "role": role}
    return User.objects.create_user(**defaults | fields)
