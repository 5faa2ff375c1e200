"""The reservation form as a browser sends it."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.test import Client

from conference.models import Conference
from tests.html import fields
from tickets.models import TicketType


def form_of(client: Client, conference: Conference) -> dict[str, str]:
    """What the freshly opened form would send if nothing were filled in."""
    return fields(client.get(f"/{conference.slug}/reserve/"))


def filled(
    client: Client,
    conference: Conference,
    *,
    names: Sequence[str] = ("Ada Lovelace",),
    kind: TicketType | None = None,
    **changes: str,
) -> dict[str, str]:
    """The freshly opened form, filled in for these people without a donation, and changed."""
    kind = kind or conference.ticket_types.all()[0]
    sent = form_of(client, conference)
    sent |= {"name": "Ada Lovelace", "email": "ada@example.org", "gift": "none"}
    sent["form-TOTAL_FORMS"] = str(len(names))
    for number, name in enumerate(names):
        sent[f"form-{number}-attendee_name"] = name
        sent[f"form-{number}-ticket_type"] = str(kind.pk)
        sent[f"form-{number}-attendee_email"] = ""
    return sent | changes


def send(client: Client, conference: Conference, sent: dict[str, str]) -> HttpResponse:
    """Send the form, without following where it leads."""
    return client.post(f"/{conference.slug}/reserve/", sent)  # type: ignore[return-value]
