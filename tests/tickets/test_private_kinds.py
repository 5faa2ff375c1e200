"""A kind of ticket that says something about a person: only the organisers see who has it."""

import csv
import io
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from conference.models import AuditEntry, Conference, Mail, MailAttachment, Organisation
from tests.factories import make_conference, make_gate, make_order, make_type, make_user
from tests.html import page, words
from tickets import documents
from tickets.models import Gate, Order, Ticket, TicketType

pytestmark = pytest.mark.django_db

KIND = "Service user or carer"


@pytest.fixture
def conference() -> Conference:
    """A conference with a private kind of ticket and another one."""
    conference = make_conference(types={KIND: 20, "Professional": 20}, slug="2027")
    TicketType.objects.filter(name=KIND).update(is_private=True)
    return conference


@pytest.fixture
def order(conference: Conference) -> Order:
    """Ada's order of a ticket of the private kind."""
    return make_order(conference, ticket_type=conference.ticket_types.get(name=KIND))


@pytest.fixture
def gate(conference: Conference) -> Gate:
    return make_gate(conference)


def logged_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def test_door_does_not_name_it(order: Order, gate: Gate) -> None:
    ticket, door, path = order.tickets.get(), logged_in("organiser"), f"/door/{gate.slug}/"
    found = door.post(f"{path}search/", {"q": "Ada"}).content.decode()
    assert ticket.reference in found
    answers = [found]
    for _ in range(2):  # admitted, and already in
        scan = door.post(f"{path}scan/", {"id": str(uuid.uuid4()), "code": ticket.code})
        assert scan.json()["ticket_type"] == ""
        answers.append(scan.content.decode())
    form = {"form": str(uuid.uuid4()), "code": ticket.reference}
    answers.append(door.post(path, form).content.decode())
    answers.append(door.get(f"{path}counts/").content.decode())
    assert "Ada Lovelace" in answers[-2]
    assert [answer for answer in answers if KIND in answer] == []


def test_scan_of_a_private_kind_asks_the_database_no_more(order: Order, gate: Gate) -> None:
    public = make_order(
        order.conference, ticket_type=order.conference.ticket_types.get(name="Professional")
    )
    door, path = logged_in("volunteer"), f"/door/{gate.slug}/scan/"

    def scan(ticket: Ticket) -> int:
        with CaptureQueriesContext(connection) as counted:
            door.post(path, {"id": str(uuid.uuid4()), "code": ticket.code})
        return len(counted)

    assert scan(public.tickets.get()) == scan(order.tickets.get())


def test_counts_at_the_door_have_private_kinds_as_one(conference: Conference, gate: Gate) -> None:
    private = conference.ticket_types.get(name=KIND)
    make_order(conference, ticket_type=private)
    make_order(conference, ticket_type=conference.ticket_types.get(name="Professional"))
    path, door = f"/door/{gate.slug}/counts/", logged_in("volunteer")
    professional = {"name": "Professional", "in": 0, "expected": 1}
    # A line for the only one would name it.
    assert door.get(path).json() == {"in": 0, "expected": 2, "by_type": [professional]}
    other = make_type(conference, name="Relative", is_private=True)
    make_order(conference, ticket_type=other)
    assert door.get(path).json() == {
        "in": 0,
        "expected": 3,
        "by_type": [professional, {"name": "Other kinds", "in": 0, "expected": 2}],
    }


def test_ticket_mail_and_calendar_do_not_name_it(order: Order, work: Callable[[], int]) -> None:
    work()
    mail = Mail.objects.get()
    assert order.tickets.get().reference in mail.text
    assert [part for part in (mail.subject, mail.text, mail.html) if KIND in part] == []
    pdf, calendar = MailAttachment.objects.order_by("pk")
    printed = PdfReader(io.BytesIO(bytes(pdf.content))).pages[0].extract_text()
    assert "Ada Lovelace" in printed
    assert KIND not in printed
    assert KIND not in bytes(calendar.content).decode()
    assert [file.name for file in (pdf, calendar)] == [
        f"tickets-{order.reference}.pdf",
        "conference.ics",
    ]


def test_ticket_is_made_anew_when_the_mark_changes(order: Order) -> None:
    def fingerprint() -> str:
        return documents.fingerprint(list(order.tickets.to_print()))

    private = fingerprint()
    TicketType.objects.filter(name=KIND).update(is_private=False)
    assert fingerprint() != private


def test_export_leaves_it_out_unless_it_is_asked_for(order: Order) -> None:
    make_order(
        order.conference,
        names=("Grace",),
        ticket_type=order.conference.ticket_types.get(name="Professional"),
    )
    desk = logged_in("organiser")

    def kinds(**wanted: str) -> list[str]:
        answer = desk.post("/desk/attendees.csv", wanted)
        assert answer["Content-Disposition"] == 'attachment; filename="attendees-2027.csv"'
        rows = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"), newline=""))
        return [row[2] for row in rows]

    assert kinds() == ["Kind of ticket", "", "Professional"]
    assert kinds(private_kinds="1") == ["Kind of ticket", KIND, "Professional"]
    details = AuditEntry.objects.filter(verb="attendees exported").order_by("pk")
    assert [entry.detail for entry in details] == [
        {"file": "csv", "chosen_by": []},
        {"file": "csv", "chosen_by": [], "private_kinds": True},
    ]
    log = words(page(desk.get("/desk/audit/")))
    assert "file: csv, with private kinds of ticket" in log


def test_export_asks_about_private_kinds_only_where_there_are_any(order: Order) -> None:
    desk = logged_in("organiser")
    box = './/input[@name="private_kinds"]'
    assert page(desk.get("/desk/attendees/")).find(box) is not None
    assert page(desk.get("/desk/orders/")).find(box) is None
    TicketType.objects.update(is_private=False)
    assert page(desk.get("/desk/attendees/")).find(box) is None


def test_organisers_see_it_at_the_desk_and_its_holder_on_their_page(order: Order) -> None:
    desk = logged_in("organiser")
    for path in ("/desk/", "/desk/attendees/", f"/desk/orders/{order.reference}/"):
        assert KIND in words(page(desk.get(path))), path
    assert KIND in words(page(Client().get(order.get_absolute_url())))


def test_reservation_form_says_who_sees_it(conference: Conference, client: Client) -> None:
    path = "/2027/reserve/"
    said = f"Apart from you, only the organisers see who chose '{KIND}'."
    assert said in words(page(client.get(path)))
    private = make_type(conference, name="Relative", is_private=True, position=9)
    assert f"'{KIND}' or 'Relative'." in words(page(client.get(path)))
    for kind in (private, conference.ticket_types.get(name=KIND)):
        kind.is_private = False
        kind.save()
    assert "only the organisers see who chose" not in words(page(client.get(path)))


@pytest.mark.parametrize(
    ("basis", "on_the_page", "on_the_form"),
    [
        ("", "The end of this page may say which one we rely on", False),
        ("consent", "with your explicit consent (Article 9(2)(a))", True),
        ("not for profit", "as a not-for-profit body", False),
    ],
)
def test_condition_that_the_organisation_chose_is_said(
    conference: Conference, client: Client, basis: str, on_the_page: str, *, on_the_form: bool
) -> None:
    Organisation.objects.update(special_category_basis=basis)
    privacy = words(page(client.get("/privacy/")))
    assert "The law calls this special category data" in privacy
    conditions = (
        "The end of this page may say which one we rely on",
        "with your explicit consent (Article 9(2)(a))",
        "as a not-for-profit body",
    )
    assert [said for said in conditions if said in privacy] == [on_the_page]
    form = words(page(client.get("/2027/reserve/")))
    assert ("By sending this form you agree that Open Dialogue keeps this" in form) is on_the_form
    assert ("You can withdraw your consent at any time" in form) is on_the_form
