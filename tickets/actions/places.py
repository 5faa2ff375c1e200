"""Places: how many are left.

Places are computed, never kept as a number: the conference's row is locked, and the tickets that
hold places are counted. On PostgreSQL the row is locked by SELECT FOR UPDATE; on SQLite the whole
transaction is the lock, since it begins IMMEDIATE.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from tickets.models import PlacesTaken, TicketType

# Written out: everybody who books waits while these are put together.
_LOCK = "SELECT 1 FROM conference_conference WHERE id = %s FOR NO KEY UPDATE"
_COUNT = (
    f"SELECT conference.capacity, kind.id, kind.capacity, {PlacesTaken.of('kind.id')}, "  # noqa: S608
    f"{PlacesTaken.last_serial_of('kind.id')} "
    "FROM conference_conference AS conference "
    "JOIN tickets_tickettype AS kind ON kind.conference_id = conference.id "
    "WHERE conference.id = %s"
)


class Counted(NamedTuple):
    """What counts of a ticket type."""

    pk: int
    capacity: int
    taken: int
    last_serial: int


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


def places_left(in_all: int | None, types: Sequence[TicketType] | Sequence[Counted]) -> PlacesLeft:
    """What is left of a conference with `in_all` places, or without such a bound.

    Never below nothing. `types` must be all types of the conference, counted: its own capacity
    bounds their sum. Trustworthy only where they were read while the conference's row was locked.
    """
    if in_all is not None:
        in_all = max(in_all - sum(kind.taken for kind in types), 0)
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


def check_places(conference_pk: int, wanted: dict[int, int]) -> dict[int, int]:
    """Lock the conference's row and raise SoldOut unless so many of each type can be had.

    Returns the last serial of each type; the next tickets go on from there. Called inside the
    transaction that takes the places, whose end lets go of the lock.
    """
    with connection.cursor() as cursor:
        if connection.features.has_select_for_update:
            cursor.execute(_LOCK, [conference_pk])
        cursor.execute(_COUNT, [conference_pk])
        rows = cursor.fetchall()
    in_all = rows[0][0] if rows else None
    types = [Counted(*row[1:]) for row in rows]
    left = places_left(in_all, types)
    if not left.are_enough_for(wanted):
        raise SoldOut(left)
    return {kind.pk: kind.last_serial for kind in types}
