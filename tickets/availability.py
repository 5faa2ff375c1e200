"""Which places are left, as pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from conference.models import Conference
from tickets.actions import PlacesLeft, places_left
from tickets.models import FEW_PLACES, MOST_PLACES, TicketType

Word = Literal["plenty", "few", "full"]
# Built once: Django takes longer to build this query than to run it (a page in 1.7 ms, not 2.4).
_COUNTED = TicketType.objects.counting_places()


@dataclass(frozen=True)
class TypeOnOffer:
    """A ticket type on the conference's page; `places_left` is None unless few are left."""

    name: str
    description: str
    places_left: int | None
    availability: Word


@dataclass(frozen=True)
class OnOffer:
    """What can be reserved at a conference, as it was when it was counted."""

    types: Sequence[TicketType]
    left: PlacesLeft

    @property
    def availability(self) -> Word:
        return _word(self.left.together, sum(kind.capacity for kind in self.types))

    @property
    def version(self) -> str:
        """For cache keys: changes with anything a page shows of the types and the places left.

        The number left is shown if it is 'few', and in the form up to MOST_PLACES.
        """
        shown = []
        for kind in self.types:
            left = self.left.by_type[kind.pk]
            word = _word(left, kind.capacity)
            number = left if word == "few" else min(left, MOST_PLACES + 1)
            shown.append((kind.pk, kind.changed_at.isoformat(), word, number))
        return f"{self.availability} {shown}"

    @property
    def private_kinds(self) -> str:
        """The types that say something about a person, as a list in words; empty without any."""
        names = [f"'{kind.name}'" for kind in self.types if kind.is_private]
        return get_text_list(names, _("or"))

    @property
    def ticket_types(self) -> list[TypeOnOffer]:
        shown = []
        for kind in self.types:
            left = self.left.by_type[kind.pk]
            word = _word(left, kind.capacity)
            number = left if word == "few" else None
            shown.append(TypeOnOffer(kind.name, kind.description, number, word))
        return shown


def on_offer(conference: Conference) -> OnOffer:
    """What can be reserved at a conference now. A hint: only the count under the lock decides."""
    types = list(_COUNTED.filter(conference=conference))
    return OnOffer(types, places_left(conference.capacity, types))


def _word(places: int, capacity: int) -> Word:
    if places == 0:
        return "full"
    return "few" if places <= max(min(FEW_PLACES, capacity // 2), capacity // 10) else "plenty"
