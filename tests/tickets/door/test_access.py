"""Which conference the door belongs to."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from conference.models import Conference
from tests import factories
from tickets.door.access import gates_now

NOW = datetime(2027, 6, 1, 12, tzinfo=timezone.get_default_timezone())


def held(start: int, days: int = 1, *, is_published: bool = True) -> Conference:
    """A conference with a gate that starts so many days from NOW."""
    starts_at = NOW + timedelta(days=start)
    conference = factories.make_conference(
        starts_at=starts_at, ends_at=starts_at + timedelta(days=days), is_published=is_published
    )
    factories.make_gate(conference)
    return conference


@pytest.mark.django_db
@pytest.mark.parametrize(
    "starts", [(-1, 5), (5, -1), (-400, -30), (-30, -400), (0, 1), (2, 1), (-3, 3, 300)]
)
def test_gates_are_those_of_the_current_conference(starts: tuple[int, ...]) -> None:
    held(1, is_published=False)
    for start in starts:
        held(start)
    current = Conference.objects.current(NOW)
    assert current is not None
    assert [gate.conference for gate in gates_now(NOW)] == [current]


@pytest.mark.django_db
def test_gates_of_no_conference_are_none() -> None:
    assert list(gates_now(NOW)) == []
