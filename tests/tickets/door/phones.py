"""What tests of the door do over and over: a door, a phone at it, a scan."""

import uuid
from typing import Any

from django.test import Client

from tests import factories
from tickets.models import Gate, Ticket


def at_door(role: str = "volunteer") -> Client:
    """A browser in which somebody of this role is logged in."""
    client = Client()
    client.force_login(factories.make_user(role))
    return client


def make_door(names: tuple[str, ...] = ("Ada Lovelace",)) -> tuple[Gate, list[Ticket]]:
    """A gate of the current conference, and the tickets of a confirmed order."""
    conference = factories.make_conference()
    order = factories.make_order(conference, names=names)
    return factories.make_gate(conference), list(order.tickets.all())


def scan(client: Client, gate: Gate, code: str, scan_id: uuid.UUID | None = None) -> dict[str, Any]:
    """The answer to one scan."""
    response = client.post(
        f"/door/{gate.slug}/scan/", {"id": str(scan_id or uuid.uuid4()), "code": code}
    )
    assert response.status_code == 200
    return response.json()
