"""The audit log at the desk."""

import ast
from collections.abc import Iterator
from pathlib import Path

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


def _recorded() -> Iterator[tuple[str, set[str]]]:
    """Every verb that the code writes down itself, with the names of what it adds."""
    root = Path(words.__file__).parents[2]
    for folder in ("conference", "signup", "donations", "tickets"):
        for path in (root / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if not isinstance(call, ast.Call) or not call.args:
                    continue
                name = call.func.id if isinstance(call.func, ast.Name) else ""
                if name in ("record", "_record") and isinstance(call.args[0], ast.Constant):
                    yield call.args[0].value, {str(more.arg) for more in call.keywords}


def test_every_verb_and_detail_of_the_code_has_words() -> None:
    written = list(_recorded())
    assert {verb for verb, _ in written} - set(words.VERBS) == set()
    details = set().union(*(names for _, names in written)) - {"now", "by"}
    plain = {name for name in details if not name.endswith("_pence")}
    assert plain - {"ticket", "places"} - set(words.DETAILS) == set()


def test_sums_and_names_of_details_are_in_words() -> None:
    written = {"amount_pence": 1550, "file": "csv", "chosen_by": ["entry", "words"]}
    assert words.detail(written) == "£15.50, file: csv, chosen by: entry, words"
    assert words.detail({"problem": "Too late", "type": "x"}) == "problem: Too late, type: x"
