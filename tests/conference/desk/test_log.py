"""The audit log at the desk."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conference.audit import record
from conference.desk import words
from conference.models import AuditEntry, Conference, User
from tests.factories import make_order
from tickets import actions

pytestmark = pytest.mark.django_db


def test_audit_log_tells_what_was_done_in_words(
    desk: Client, conference: Conference, organiser: User
) -> None:
    order = make_order(conference, names=("Ada", "Grace"), gift_pence=1500)
    record("something new", "elsewhere", now=timezone.now(), by=organiser, why="because")
    rows = [(verb, detail) for _, verb, detail in desk.get("/desk/audit/").context["rows"]]
    assert rows == [("something new", "why: because"), ("Reserved", "places: 2, £15")]
    assert f'href="/desk/orders/{order.reference}/"' in desk.get("/desk/audit/").content.decode()


def test_audit_log_by_staff_leaves_out_everybody_else(
    desk: Client, conference: Conference, organiser: User
) -> None:
    order = make_order(conference)
    actions.resend(order=order, by=organiser, now=timezone.now())
    response = desk.get("/desk/audit/?by=staff")
    assert [verb for _, verb, _ in response.context["rows"]] == ["Tickets sent again"]
    assert "Olive" in response.content.decode()


def test_audit_log_comes_in_pages_of_fifty(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now = timezone.now()
    record("reserved", "AAAA-BBBB", now=now)
    with django_assert_max_num_queries(8) as one:
        desk.get("/desk/audit/")
    for _ in range(50):
        record("reserved", "AAAA-BBBB", now=now)
    with django_assert_max_num_queries(8) as many:
        first = desk.get("/desk/audit/")
    assert len(one) == len(many)
    second = desk.get("/desk/audit/?page=2")
    assert [len(page.context["rows"]) for page in (first, second)] == [50, 1]


def test_every_verb_of_the_actions_has_words(conference: Conference, organiser: User) -> None:
    order = make_order(conference, names=("Ada", "Grace"))
    now = timezone.now()
    first, second = order.tickets.all()
    actions.correct_name(ticket=first, attendee_name="A", by=organiser, now=now)
    actions.reissue(ticket=first, by=organiser, now=now)
    actions.cancel_ticket(ticket=second, by=organiser, now=now)
    actions.resend(order=order, by=organiser, now=now)
    actions.cancel_order(order=order, by=organiser, now=now)
    written = set(AuditEntry.objects.values_list("verb", flat=True))
    assert written - set(words.VERBS) == set()
