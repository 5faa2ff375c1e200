"""Whoever was told yes has a ticket, once, whatever is killed while they book."""

import pytest
from django.db import connection

from tests.chaos.drill import Outcome, drill
from tests.chaos.plan import Plan

SHORT = Plan(seconds=30, bookings=60, seed=8)


@pytest.fixture(scope="module")
def outcome(django_db_setup: None) -> Outcome:
    """What a short drill came to, on a database of its own of the kind that the tests run on."""
    return drill(SHORT, connection.vendor)


@pytest.mark.django_db
def test_nothing_is_lost_or_doubled_while_parts_are_killed(outcome: Outcome) -> None:
    assert {fault: cases for fault, cases in outcome.faults.items() if cases} == {}
    assert outcome.figures["asked"] == SHORT.bookings
