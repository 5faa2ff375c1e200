"""Somebody types, where a name is asked for, what a page, a mail, a sheet or a database obeys.

It stays a name: every page has the very elements that it has with harmless names, every mail the
very headers and one recipient, no cell is a formula, and the door still reads the ticket.
"""

import csv
import io
import re
import uuid
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from django.db import transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from icalendar import Calendar
from pypdf import PdfReader

from conference.errors import unavailable
from conference.models import Conference, Mail, Organisation
from signup.models import Edition
from tests.attacks.texts import EVERYWHERE, MARKDOWN, NAMES, ON_ONE_LINE
from tests.factories import (
    make_conference,
    make_gate,
    make_order,
    make_organisation,
    make_user,
)
from tests.html import page, skeleton, words
from tests.mails import MailServer
from tests.queue import run_queue
from tests.tickets.views.filled import filled, send
from tickets.models import Gate, Order, Ticket, TicketType
from tickets.tasks import mail_tickets

pytestmark = pytest.mark.django_db

HARMLESS = dict.fromkeys(NAMES, "Ada Lovelace")


@dataclass(frozen=True)
class Site:
    """A conference whose every text is hostile, or none."""

    conference: Conference
    gate: Gate
    orders: list[Order]

    @property
    def tickets(self) -> list[Ticket]:
        return list(Ticket.objects.filter(order__in=self.orders))


def a_site(names: dict[str, str], *, text: str, line: str) -> Site:
    """The conference of the day, with the names sent by the form as visitors send them.

    Its organisers have put `text` into every text of theirs, and `line` where that is one line.
    """
    Conference.objects.update(is_published=False)
    make_organisation()
    Organisation.objects.update(name=line, introduction=text, address=text)
    conference = make_conference(
        name=line, tagline=line, venue=line, address=text, picture_alt=line, types={line: 500}
    )
    TicketType.objects.update(description=line)
    gate = make_gate(conference, name=line)
    make_gate(conference, name=line)
    Edition.objects.update_or_create(
        number=1, defaults={"title": line, "summary": line, "published_on": date(2026, 1, 1)}
    )
    visitor, rows = Client(), list(names.values())
    orders = []
    for start in range(0, len(rows), 10):
        ten = rows[start : start + 10]
        email = f"visitor{start}@{conference.slug}.example.org"
        sent = filled(visitor, conference, names=ten, name=ten[-1], email=email)
        answer = send(visitor, conference, sent)
        assert answer.status_code == 302, words(page(answer))
        orders.append(Order.objects.latest("pk"))
    make_order(conference, names=(rows[0],), gift_pence=500)
    return Site(conference, gate, orders)


def hostile_site() -> Site:
    return a_site(NAMES, text=EVERYWHERE, line=ON_ONE_LINE)


def harmless_site() -> Site:
    return a_site(HARMLESS, text="A text", line="A line")


def logged_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role, may_configure=role == "organiser"))
    return client


# -- pages ----------------------------------------------------------------------------------------


def visitors_pages(site: Site, typed: str) -> dict[str, HttpResponse]:
    """What visitors see: the pages about orders, and every form that gives back what was typed."""
    visitor, conference = Client(), site.conference
    pages = {path: visitor.get(path) for path in ("/", "/bulletin/", "/bulletin/1/", "/privacy/")}
    pages["conference"] = visitor.get(f"/{conference.slug}/")
    for number, order in enumerate(site.orders):
        pages[f"order {number}"] = visitor.get(f"/orders/{order.secret}/")
    order, ticket = site.orders[0], site.tickets[0]
    own = f"/orders/{order.secret}/{ticket.reference}"
    pages["give back"] = visitor.get(f"{own}/cancel/")
    bad = {"attendee_name": typed, "attendee_email": typed}
    pages["correct"] = visitor.post(f"{own}/name/", bad)
    pages["reserve"] = send(
        visitor, conference, filled(visitor, conference, names=[typed] * 3, name=typed, email=typed)
    )
    another_row = filled(visitor, conference, names=[typed], name=typed, add="") | {"gift": typed}
    pages["another row"] = send(visitor, conference, another_row)
    pages["lost link"] = visitor.post("/orders/", {"email": typed})
    bulletin = {"first_name": typed, "last_name": typed, "email": typed, "source": typed}
    pages["sign up"] = visitor.post("/bulletin/", bulletin)
    pages["log in"] = visitor.post("/login/", {"username": typed, "password": "x"})
    stranger = Client(enforce_csrf_checks=True)
    pages["no cookie"] = stranger.post("/bulletin/", {"first_name": typed, typed: typed})
    busy = RequestFactory().post("/bulletin/", {"first_name": typed, typed: typed})
    pages["too busy"] = unavailable(busy)
    return pages


def staff_pages(site: Site, typed: str) -> dict[str, HttpResponse]:
    """What organisers and volunteers see."""
    desk, door, conference = logged_in("organiser"), logged_in("volunteer"), site.conference
    paths = ["/desk/", "/desk/orders/", "/desk/attendees/", "/desk/attendees/?page=2"]
    paths += ["/desk/mails/?status=queued", "/desk/attention/", "/outbox/"]
    paths += ["/admin/conference/conference/", "/admin/conference/organisation/"]
    pages = {path: desk.get(path) for path in paths}
    setting = f"/admin/conference/conference/{conference.pk}"
    pages |= {f"setting {what}": desk.get(f"{setting}/{what}/") for what in ("change", "history")}
    order = f"/desk/orders/{site.orders[0].reference}"
    for what in ("/", "/email/", "/cancel/", "/1/name/", "/1/cancel/", "/1/replace/"):
        pages[f"desk's order {what}"] = desk.get(order + what)
    bad = {"attendee_name": typed, "attendee_email": typed}
    pages["desk corrects"] = desk.post(f"{order}/1/name/", bad)
    pages["desk looks for"] = desk.post("/desk/orders/", {"words": "nobody " + typed}, follow=True)
    desk.post("/desk/orders.csv")
    pages["audit"] = desk.get("/desk/audit/?by=staff")
    for mail in Mail.objects.filter(about=site.orders[0].reference):
        pages["outbox mail"] = desk.get(f"/outbox/{mail.pk}/")
    pages["gates"] = door.get("/door/")
    at = f"/door/{site.gate.slug}/"
    for number, ticket in enumerate(site.tickets[:20]):
        form = {"code": ticket.reference, "form": str(uuid.uuid4())}
        pages[f"door {number}"] = door.post(at, form)
        pages[f"door again {number}"] = door.post(at, form | {"form": str(uuid.uuid4())})
    pages["door"] = door.get(at)
    pages["door finds"] = desk.post(f"{at}search/", {"q": site.tickets[0].attendee_name})
    return pages


def all_pages(site: Site, typed: str) -> dict[str, HttpResponse]:
    mail_tickets.call(site.orders[0].pk)
    return visitors_pages(site, typed) | staff_pages(site, typed)


def test_page_has_the_same_elements_whatever_people_are_called() -> None:
    with transaction.atomic():
        harmless = all_pages(harmless_site(), "Ada Lovelace")
        transaction.set_rollback(True)
    hostile = all_pages(hostile_site(), ON_ONE_LINE)
    assert harmless.keys() == hostile.keys()
    assert {name for name, answer in hostile.items() if answer.status_code >= 500} == {"too busy"}
    # How many people are found depends on their names.
    found = [
        set(skeleton(pages.pop("door finds").content.decode())) for pages in (harmless, hostile)
    ]
    assert found[0] >= found[1] >= {("bdi", ())}
    for name, answer in hostile.items():
        expected = skeleton(harmless[name].content.decode())
        assert skeleton(answer.content.decode()) == expected, name
        assert answer["Content-Type"] == "text/html; charset=utf-8", name


def test_names_are_shown_as_they_were_typed() -> None:
    site, desk = hostile_site(), logged_in("organiser")
    shown = " ".join(
        words(page(answer))
        for order in site.orders
        for answer in (
            Client().get(f"/orders/{order.secret}/"),
            desk.get(f"/desk/orders/{order.reference}/"),
        )
    )
    typed = [" ".join(ticket.attendee_name.split()) for ticket in site.tickets]
    assert [name for name in typed if name not in shown] == []
    assert len(set(typed)) > len(NAMES) - 10  # some differ only in what nobody sees


# -- mails, tickets, calendars --------------------------------------------------------------------

HEADERS = ["Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID"]
PARTS = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
PARTS += ["application/pdf", "text/calendar"]
DPI = 150
MARGIN = 10  # mm around a page in which nothing is printed, but for the bar on top


def content_of(message: EmailMessage, kind: str) -> Any:
    return next(p.get_content() for p in message.walk() if p.get_content_type() == kind)


def test_mail_has_its_own_headers_and_one_recipient(smtp: MailServer) -> None:
    harmless_site()
    run_queue()
    expected = [skeleton(content_of(message, "text/html")) for message in smtp.messages]
    smtp.messages.clear()
    smtp.recipients.clear()
    site = hostile_site()
    run_queue()
    assert smtp.recipients == [[order.email] for order in site.orders]
    assert [skeleton(content_of(message, "text/html")) for message in smtp.messages] == expected
    for order, message in zip(site.orders, smtp.messages, strict=True):
        assert sorted(message.keys()) == sorted(HEADERS)
        assert message["To"] == order.email
        assert [part.get_content_type() for part in message.walk()] == PARTS
        files = [file.get_filename() for file in message.iter_attachments()]
        assert files == [f"tickets-{order.reference}.pdf", "conference.ics"]
        text = content_of(message, "text/plain")
        assert [t.attendee_name for t in order.tickets.all() if t.attendee_name not in text] == []
        check_tickets(list(order.tickets.all()), content_of(message, "application/pdf"))
    check_calendar(site, content_of(smtp.messages[0], "text/calendar"))


def check_tickets(tickets: list[Ticket], content: bytes) -> None:
    """A page for each, with its name as plain text, a readable code, and nothing at the edges."""
    document = PdfReader(io.BytesIO(content))
    assert len(document.pages) == len(tickets)
    catalogue = document.trailer["/Root"]
    assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & catalogue.keys()
    edge = round(MARGIN / 25.4 * DPI)
    assert not any("/Annots" in page_ for page_ in document.pages)
    with pypdfium2.PdfDocument(content) as drawn:
        for ticket, image in zip(tickets, drawn, strict=True):
            printed = without_spaces(image.get_textpage().get_text_range())
            assert without_spaces(f"Booking {ticket.order.reference}") in printed
            if ticket.attendee_name.isascii():  # else letters may be read in another order
                assert without_spaces(ticket.attendee_name) in printed
            grey = image.render(scale=DPI / 72, grayscale=True).to_numpy()
            assert [code.text for code in zxingcpp.read_barcodes(grey)] == [ticket.code]
            for outside in (grey[edge:, :edge], grey[edge:, -edge:], grey[-edge:, :]):
                assert np.min(outside) == 255, ticket.attendee_name


def without_spaces(text: str) -> str:
    return "".join(text.split())


def check_calendar(site: Site, content: bytes | str) -> None:
    """One event with the properties that it always has, and nothing that sends or rings."""
    parsed = Calendar.from_ical(content)
    inside = Counter(part.name for part in parsed.walk())
    assert inside["VEVENT"] == 1
    assert inside.keys() == {"VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT"}
    (event,) = parsed.walk("VEVENT")
    assert event.keys() == {
        *("UID", "DTSTAMP", "SEQUENCE", "SUMMARY", "DTSTART", "DTEND"),
        *("LOCATION", "DESCRIPTION", "URL", "STATUS"),
    }
    assert " ".join(event["SUMMARY"].split()) == " ".join(site.conference.name.split())


# -- sheets ---------------------------------------------------------------------------------------

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# How a spreadsheet's formula begins, once it has dropped what nobody sees.
FORMULA = re.compile(r"[\s\ufeff\u200b\u200c\u2060\u00ad]*[=+\-@＝＋－＠﹦﹢﹣﹫]")


def test_no_cell_is_a_formula_and_each_name_is_one_cell() -> None:
    hostile_site()
    desk = logged_in("organiser")
    for what, column in (("attendees", 0), ("orders", 2)):
        file = desk.post(f"/desk/{what}.csv").getvalue().decode("utf-8-sig")
        # Where a system's language is not English, cells are often parted by semicolons.
        for mark in ",;":
            rows = list(csv.reader(io.StringIO(file, newline=""), delimiter=mark))
            assert [cell for row in rows for cell in row if FORMULA.match(cell)] == []
        rows = list(csv.reader(io.StringIO(file, newline="")))
        assert {len(row) for row in rows} == {11}
        book = zipfile.ZipFile(io.BytesIO(desk.post(f"/desk/{what}.xlsx").getvalue()))
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
        assert list(sheet.iter(f"{SHEET}f")) == list(sheet.iter(f"{SHEET}hyperlink")) == []
        in_book = [
            "".join(cell.itertext()) for cell in sheet.iter(f"{SHEET}c") if cell.get("t") != "n"
        ]
        assert [text for text in in_book if FORMULA.match(text)] == []
        # Nothing is lost but apostrophes and what is no character.
        stored = {"attendees": Ticket, "orders": Order}[what].objects.all()
        field = {"attendees": "attendee_name", "orders": "name"}[what]
        names = [re.sub("[\ufffe\uffff]", "\ufffd", getattr(row, field)) for row in stored]
        in_file = [row[column].replace("'", "") for row in rows[1:]]
        assert sorted(in_file) == sorted(name.replace("'", "") for name in names)


# -- search ---------------------------------------------------------------------------------------


def test_search_finds_who_is_called_so_and_nobody_by_a_trick() -> None:
    site, desk = hostile_site(), logged_in("organiser")
    missed = []
    for ticket in site.tickets:
        name = ticket.attendee_name
        answer = desk.post("/desk/attendees/", {"words": name}, follow=True)
        assert answer.status_code == 200, name
        if ticket.reference not in {row.reference for row in answer.context["rows"]}:
            missed.append(name)
        # Some are longer than the door's field, or have too few letters for it.
        answer = desk.post(f"/door/{site.gate.slug}/search/", {"q": name[:100]})
        assert answer.status_code in (200, 429), name
    assert missed == []
    for trick in ("' OR ''='", "nobody%", "nobody' UNION SELECT password FROM conference_user --"):
        answer = desk.post("/desk/attendees/", {"words": trick + " nobody"}, follow=True)
        assert list(answer.context["rows"]) == [], trick


# -- Markdown -------------------------------------------------------------------------------------

HARMLESS_SCHEMES = {"", "http", "https", "mailto", "tel"}


def test_markdown_of_organisers_and_editors_runs_and_loads_nothing() -> None:
    conference = make_conference(
        programme=MARKDOWN, access_information=MARKDOWN, gift_explanation=MARKDOWN
    )
    Organisation.objects.update(introduction=MARKDOWN, data_protection=MARKDOWN)
    for row in (*Organisation.objects.all(), conference):
        row.introduction = row.data_protection = MARKDOWN
        row.save()
    Edition.objects.create(number=1, title="One", body=MARKDOWN, published_on=date(2026, 1, 1))
    address = f"/{conference.slug}/"
    for path in ("/", "/privacy/", "/bulletin/1/", address, f"{address}reserve/"):
        answer = Client().get(path)
        assert "alert(1)" in answer.content.decode() or path == "/bulletin/", path
        for element in page(answer).iter():
            assert [name for name in element.attrib if name.startswith("on")] == [], path
            assert "style" not in element.attrib, path
            assert str(element.tag) not in ("style", "iframe", "object", "embed", "base"), path
            if element.tag == "script":
                assert element.get("src", "").startswith("/static/"), path
            for link in ("href", "src", "action", "formaction"):
                assert urlsplit(element.get(link, "")).scheme in HARMLESS_SCHEMES, path
            if element.tag in ("img", "script", "link", "source"):
                assert not re.match("(https?:)?//", element.get("src") or element.get("href", ""))
