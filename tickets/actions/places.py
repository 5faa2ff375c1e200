"""Places: how many are left.

Places are computed, never counted up: the conference's row is locked, and the tickets that hold
places are counted. On PostgreSQL the row is locked by SELECT FOR UPDATE; on SQLite the whole
transaction is the lock, since it begins IMMEDIATE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from conference.models import Conference
from tickets.models import PlacesTaken, TicketType

# Written out: everybody who books waits while it is put together.
_COUNT = (
    f"SELECT id, capacity, {PlacesTaken.of('tickets_tickettype.id')} "  # noqa: S608
    "FROM tickets_tickettype WHERE conference_id = %s"
)


class Counted(NamedTuple):
    """What counts of a ticket type."""

    pk: int
    capacity: int
    taken: int


@dataclass(frozen=True)
class PlacesLeft:
    """How many more places could be taken: of each type by its pk, and in all (None: no bound)."""

    by_type: dict[int, int]
    in_all: int | None

    def are_enough_for(self, wanted: dict[int, int]) -> bool:
        """Whether so many of each type could be taken together."""
        return all(count <= self.by_type.get(pk, 0) for pk, count in wanted.items()) and (
            self.in_all is None or sum(wanted.values()) <= self.in_all
        )


def places_left(
    conference: Conference, types: Sequence[TicketType] | Sequence[Counted]
) -> PlacesLeft:
    """What is left of a conference's places; never below nothing.

    `types` must be all types of the conference `counting_places`: its own capacity bounds their
    sum. Trustworthy only where they were read while the conference's row was locked.
    """
    in_all = None
    if conference.capacity is not None:
        in_all = max(conference.capacity - sum(kind.taken for kind in types), 0)
    by_type = {}
    for kind in types:
        left = max(kind.capacity - kind.taken, 0)
        by_type[kind.pk] = left if in_all is None else min(left, in_all)
    return PlacesLeft(by_type, in_all)


class SoldOut(Exception):
    """Fewer places are left than asked for; `left` says how many."""

    def __init__(self, left: PlacesLeft) -> None:
        super().__init__(left)
        self.left = left


def locked_conference(pk: int) -> Conference:
    """The conference's row, locked, with what decides about places; its texts stay unread."""
    return (
        Conference.objects.select_for_update(no_key=True)
        .only("is_published", "opens_at", "closes_at", "ends_at", "capacity")
        .get(pk=pk)
    )


def check_places(
    conference: Conference, wanted: dict[int, int], *, are_written: bool = False
) -> None:
    """Raise SoldOut unless so many of each type can be had; the conference must be locked.

    `are_written`: the tickets are there already, and hold places of their own.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [conference.pk])
        types = [Counted(*row) for row in cursor.fetchall()]
    if are_written:
        types = [kind._replace(taken=kind.taken - wanted.get(kind.pk, 0)) for kind in types]
    left = places_left(conference, types)
    if not left.are_enough_for(wanted):
        raise SoldOut(left)
