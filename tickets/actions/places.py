"""Places: how many are left.

Places are counted, never kept as a number: docs/decisions/places.md says why, and why it takes as
long for 50,000 as for 500.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from conference.models import Conference
from tickets.models import Ticket, TicketType, places_taken

# The types of a conference as TicketType.counting_places counts them, written out: everybody who
# books waits for this, and Django takes four times as long to put the same statement together.
# With it a fifth more reservations are made in a second (0.22 of the bare view, not 0.18).
_GIVEN_BACK = ", ".join(f"'{status}'" for status in Ticket.GIVEN_BACK)
_COUNT = f"""
    SELECT conference.capacity, kind.id, kind.capacity,
        (SELECT MAX(serial) FROM tickets_ticket WHERE ticket_type_id = kind.id),
        (SELECT COUNT(*) FROM tickets_ticket
         WHERE ticket_type_id = kind.id AND status IN ({_GIVEN_BACK}))
    FROM conference_conference AS conference
    JOIN tickets_tickettype AS kind ON kind.conference_id = conference.id
    WHERE conference.id = %s
"""  # noqa: S608 (nothing in it comes from outside)


class Counted(NamedTuple):
    """The figures of a ticket type that its places are counted from."""

    pk: int
    capacity: int
    last_serial: int | None
    given_back: int

    @property
    def taken(self) -> int:
        return places_taken(self.last_serial, self.given_back)


@dataclass(frozen=True)
class PlacesLeft:
    """How many more places could be taken: of each type by its pk, and in all (None: no bound)."""

    by_type: dict[int, int]
    in_all: int | None

    @property
    def together(self) -> int:
        """How many more places could be taken of all types together."""
        places = sum(self.by_type.values())
        return places if self.in_all is None else min(places, self.in_all)

    def are_enough_for(self, wanted: dict[int, int]) -> bool:
        """Whether so many of each type could be taken together."""
        return all(count <= self.by_type.get(pk, 0) for pk, count in wanted.items()) and (
            self.in_all is None or sum(wanted.values()) <= self.in_all
        )


class SoldOut(Exception):
    """Fewer places are left than asked for; `left` says how many."""

    def __init__(self, left: PlacesLeft) -> None:
        super().__init__(left)
        self.left = left


def places_left(in_all: int | None, types: Sequence[TicketType | Counted]) -> PlacesLeft:
    """What is left, never below nothing, of a conference with `in_all` places (None: no bound).

    `types` are all types of the conference: its own capacity bounds their sum. Trustworthy only
    where they were counted while the conference's row was locked.
    """
    if in_all is not None:
        in_all = max(in_all - sum(kind.taken for kind in types), 0)
    by_type = {}
    for kind in types:
        left = max(kind.capacity - kind.taken, 0)
        by_type[kind.pk] = left if in_all is None else min(left, in_all)
    return PlacesLeft(by_type, in_all)


def check_places(conference_pk: int, wanted: dict[int, int]) -> dict[int, int]:
    """Lock the conference's row and raise SoldOut unless so many of each type can be had.

    Returns the last serial of each type; the next tickets go on from there. Called inside the
    transaction that takes the places, whose end releases the lock.
    """
    # On SQLite the transaction itself is the lock: it began IMMEDIATE.
    if connection.features.has_select_for_update:
        Conference.objects.select_for_update(no_key=True).values_list("pk").get(pk=conference_pk)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [conference_pk])
        rows = cursor.fetchall()
    in_all = rows[0][0] if rows else None
    types = [Counted(*row[1:]) for row in rows]
    left = places_left(in_all, types)
    if not left.are_enough_for(wanted):
        raise SoldOut(left)
    return {kind.pk: kind.last_serial or 0 for kind in types}
