"""Lists as files: what they hold, that no cell is a formula, and how fast they come."""

import csv
import io
import time
import tracemalloc
import uuid
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from conference.desk import sheets, tables
from conference.models import AuditEntry, Conference, User
from tests.factories import make_gate, make_order
from tickets import actions
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _csv(desk: Client, address: str, **wanted: Any) -> list[list[str]]:
    response = desk.post(address, wanted)
    assert response.status_code == 200
    assert response.streaming
    content = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _xlsx(desk: Client, address: str) -> list[list[str]]:
    """The texts and numbers of the sheet's cells, row by row."""
    book = zipfile.ZipFile(io.BytesIO(desk.post(address).getvalue()))
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert list(sheet.iter(f"{SHEET}f")) == []  # no formulas
    return [
        ["".join(cell.itertext()) for cell in row.iter(f"{SHEET}c")]
        for row in sheet.iter(f"{SHEET}row")
    ]


def test_attendees_as_csv(desk: Client, conference: Conference, organiser: User) -> None:
    summer = datetime(2026, 7, 1, 9, 5, tzinfo=UTC)
    Conference.objects.update(
        opens_at=summer - timedelta(days=1),
        closes_at=summer + timedelta(days=1),
        starts_at=summer + timedelta(days=1),
        ends_at=summer + timedelta(days=2),
    )
    conference.refresh_from_db()
    order = make_order(
        conference, names=("محمد", "Łucja"), name="Nguyễn", email="n@example.org", now=summer
    )
    first = order.tickets.all()[0]
    scanned = summer + timedelta(days=1, minutes=25)
    gate = make_gate(conference)
    actions.scan(scan_id=uuid.uuid4(), text=first.reference, gate=gate, by=organiser, now=scanned)
    rows = _csv(desk, "/desk/attendees.csv")
    by = [order.reference, "Nguyễn", "n@example.org", "2026-07-01 10:05"]
    references = [ticket.reference for ticket in order.tickets.all()]
    assert rows == [
        "Attendee,Attendee's e-mail,Kind of ticket,State,Checked in,Gate,Ticket,"
        "Order,Ordered by,E-mail,Confirmed".split(","),
        ["Łucja", "", "Professional", "Valid", "", "", references[1], *by],
        [
            "محمد",
            "",
            "Professional",
            "Valid",
            "2026-07-02 10:30",
            "Main door",
            references[0],
            *by,
        ],
    ]


def test_orders_as_csv(desk: Client, conference: Conference, paid_order: Order) -> None:
    make_order(conference, name="Grace", gift_pence=1050, bulletin_wording="Yes.")
    header, newest, oldest = _csv(desk, "/desk/orders.csv")
    assert len(header) == len(newest) == len(oldest)
    assert newest[1:8] == [
        "Reserved",
        "Grace",
        "ada@example.org",
        "1",
        "10.50",
        "Not paid yet",
        "yes",
    ]
    assert oldest[1:8] == [
        "Confirmed",
        "Ada Lovelace",
        "ada@example.org",
        "2",
        "15.00",
        "Received",
        "no",
    ]
    assert newest[9:] == ["", ""]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "＝1"])
def test_export_defuses_formulas(desk: Client, conference: Conference, name: str) -> None:
    make_order(conference, names=(name,), email="=cmd@example.org")
    row = _csv(desk, "/desk/attendees.csv")[1]
    assert (row[0], row[8], row[9]) == (f"'{name}", f"'{name}", "'=cmd@example.org")
    assert _xlsx(desk, "/desk/attendees.xlsx")[1][0] == f"'{name}"
    assert _csv(desk, "/desk/orders.csv")[1][2] == f"'{name}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("", ""),
        ("a=1", "a=1"),
        ("07700 900000", "07700 900000"),
        ("\ufeff=1", "'\ufeff=1"),
        (" \u3000\u200b=1", "' \u3000\u200b=1"),
        ("﹦1", "'﹦1"),
        ("a;=1; +1;b", "a;'=1;' +1;b"),
        ("\u200b", "\u200b"),
        ("a\ufffe", "a\ufffd"),
        ("'", "'"),
    ],
)
def test_harmless_adds_an_apostrophe_only_where_needed(text: str, shown: str) -> None:
    assert sheets.harmless(text) == shown


def test_export_quotes_commas_quotes_and_lines(desk: Client, conference: Conference) -> None:
    name = 'Ada, "Countess"'
    make_order(conference, names=(name,))
    assert _csv(desk, "/desk/attendees.csv")[1][0] == name


def test_attendees_as_xlsx(desk: Client, conference: Conference, paid_order: Order) -> None:
    rows = _xlsx(desk, "/desk/attendees.xlsx")
    assert [row[0] for row in rows] == ["Attendee", "Ada Lovelace", "Charles Babbage"]
    assert _xlsx(desk, "/desk/orders.xlsx")[1][4:6] == ["2", "15.00"]


def test_export_holds_what_was_looked_for(desk: Client, conference: Conference) -> None:
    make_order(conference, names=("Ada",))
    make_order(conference, names=("Grace", "Heather"), name="Grace")
    search = desk.post("/desk/attendees/", {"words": "heather"}).url.partition("search=")[2]
    rows = _csv(desk, "/desk/attendees.csv", search=search)
    assert [row[0] for row in rows] == ["Attendee", "Heather"]
    search = desk.post("/desk/orders/", {"words": "heather"}).url.partition("search=")[2]
    assert [row[2] for row in _csv(desk, "/desk/orders.csv", search=search)] == ["Name", "Grace"]


def test_export_is_in_the_audit_log(desk: Client, conference: Conference, organiser: User) -> None:
    search = desk.post("/desk/orders/", {"words": "Ada"}).url.partition("search=")[2]
    desk.post("/desk/orders.csv", {"search": search})
    desk.post("/desk/attendees.xlsx")
    entries = AuditEntry.objects.filter(by=organiser).order_by("pk")
    assert [(entry.verb, entry.subject, entry.detail) for entry in entries] == [
        ("orders exported", "2027", {"file": "csv", "chosen_by": ["words"]}),
        ("attendees exported", "2027", {"file": "xlsx", "chosen_by": []}),
    ]


def test_export_is_an_attachment_by_post_only(desk: Client, conference: Conference) -> None:
    for kind in ("csv", "xlsx"):
        response = desk.post(f"/desk/attendees.{kind}?conference=2027")
        assert response["Content-Disposition"] == f'attachment; filename="attendees-2027.{kind}"'
        assert desk.get(f"/desk/attendees.{kind}").status_code == 405
    assert desk.post("/desk/attendees.pdf").status_code == 404


def test_export_of_many_attendees_is_fast_and_flat(conference: Conference) -> None:
    kind = conference.ticket_types.all()[0]
    order = make_order(conference, ticket_type=kind)
    # Written directly: ten thousand reservations would take longer than what is tested.
    Ticket.objects.bulk_create(
        Ticket(order=order, ticket_type=kind, serial=n, attendee_name=f"Person {n}", status="valid")
        for n in range(2, 10_001)
    )
    started = time.process_time()
    count = _lines(conference)
    assert count == 10_001
    assert time.process_time() - started < 1
    tracemalloc.start()
    _lines(conference)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def _lines(conference: Conference) -> int:
    return sum(chunk.count(b"\n") for chunk in sheets.csv_chunks(tables.attendees(conference, {})))
