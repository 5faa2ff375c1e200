"""How many places are left.

Places are counted, never kept as a number. docs/decisions/places.md says why, and why the count
takes no longer for 50,000 places than for 500.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from conference.models import Conference
from tickets.models import TicketType


@dataclass(frozen=True)
class PlacesLeft:
    """How many more places could be taken: of each type by its pk, and in all (None: no limit)."""

    by_type: dict[int, int]
    in_all: int | None

    @property
    def together(self) -> int:
        """How many more places could be taken of all types together."""
        places = sum(self.by_type.values())
        return places if self.in_all is None else min(places, self.in_all)

    def are_enough_for(self, wanted: dict[int, int]) -> bool:
        """Whether all that is `wanted`, the number of each type by its pk, could be taken."""
        return all(count <= self.by_type.get(pk, 0) for pk, count in wanted.items()) and (
            self.in_all is None or sum(wanted.values()) <= self.in_all
        )


class SoldOut(Exception):
    """Fewer places are left than asked for; `left` says how many."""

    def __init__(self, left: PlacesLeft) -> None:
        super().__init__(left)
        self.left = left


def places_left(conference: Conference, types: Sequence[TicketType]) -> PlacesLeft:
    """The places left, never negative. `types` are all of the conference, from `counting_places`.

    The conference's own capacity limits their sum. Reliable only if the types were counted while
    the conference's row was locked.
    """
    in_all = conference.capacity
    if in_all is not None:
        in_all = max(in_all - sum(kind.taken for kind in types), 0)
    by_type = {}
    for kind in types:
        left = max(kind.capacity - kind.taken, 0)
        by_type[kind.pk] = left if in_all is None else min(left, in_all)
    return PlacesLeft(by_type, in_all)


def check_places(conference_pk: int, wanted: dict[int, int]) -> dict[int, int]:
    """Lock the conference's row, and raise SoldOut unless all that is `wanted` is left.

    `wanted` is the number of each type by its pk. Returns the last serial of each type, from which
    new tickets count on. Call it inside the transaction that takes the places, whose end releases
    the lock.
    """
    # On SQLite the transaction itself is the lock: it began IMMEDIATE.
    locked = Conference.objects.select_for_update(no_key=True).only("capacity")
    conference = locked.get(pk=conference_pk)
    types = list(conference.ticket_types.counting_places())
    left = places_left(conference, types)
    if not left.are_enough_for(wanted):
        raise SoldOut(left)
    return {kind.pk: kind.last_serial or 0 for kind in types}
