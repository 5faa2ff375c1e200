"""The order's own page and what its holder can do there."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from icalendar import Calendar
from pytest_django import DjangoAssertNumQueries

from conference.models import Conference, Mail
from signup.models import Subscriber
from tests.factories import make_conference, make_gate, make_order, make_user
from tests.html import fields, heading, notices, page, summary, words
from tests.tickets.views.filled import filled, send
from tickets import actions
from tickets.models import Order, Ticket
from tickets.views import orders

pytestmark = pytest.mark.django_db


def path(order: Order, rest: str = "") -> str:
    return f"/orders/{order.secret}/{rest}"


def begin_the_day(conference: Conference) -> None:
    """Let the conference have begun a minute ago."""
    conference.starts_at = timezone.now() - timedelta(minutes=1)
    conference.save()


def admit(ticket: Ticket) -> None:
    """Let somebody in at the door with this ticket."""
    gate = make_gate(ticket.order.conference)
    volunteer = make_user("volunteer")
    now = timezone.now()
    actions.scan(scan_id=uuid.uuid4(), text=ticket.code, gate=gate, by=volunteer, now=now)


# -- the page -------------------------------------------------------------------------------------


def test_confirmed_order_shows_its_tickets_and_what_can_be_done(client: Client) -> None:
    order = make_order(names=("Ada Lovelace", "محمد"))
    shown = client.get(path(order))
    assert heading(shown) == "Your tickets"
    tree = page(shown)
    assert [words(e) for e in tree.iterfind(".//h2[@class='ticket-name']")] == [
        "Ada Lovelace",
        "محمد",
    ]
    text = words(tree)
    for ticket in order.tickets.all():
        assert f"{ticket.ticket_type.name} · code {ticket.reference}" in text
    links = {e.get("href") for e in tree.iter("a")}
    wanted = {path(order, "tickets.pdf"), path(order, "conference.ics")}
    wanted |= {path(order, f"{t.reference}.pdf") for t in order.tickets.all()}
    assert wanted <= links


@pytest.mark.parametrize("count", [1, 3])
def test_order_page_takes_the_same_statements_for_any_number(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    order = make_order(names=tuple(f"Person {n}" for n in range(count)))
    with django_assert_num_queries(2):
        assert client.get(path(order)).status_code == 200


def test_order_page_shown_again_is_the_same(client: Client) -> None:
    order = make_order(names=("Ada", "Grace"))
    pages = [client.get(path(order)).content.decode() for _ in range(2)]
    tokens = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert tokens.sub("", pages[0]) == tokens.sub("", pages[1])


def test_bulletin_is_confirmed_by_the_mail_alone(client: Client) -> None:
    conference = make_conference()
    order = send(client, conference, filled(client, conference, bulletin="on"))
    shown = client.get(order["Location"])
    assert "One more step for the Bulletin" in words(page(shown))
    assert "/bulletin/confirm/" not in shown.content.decode()
    assert Subscriber.objects.get().status == Subscriber.Status.PENDING


def test_order_page_tells_nobody_whether_an_address_is_on_the_list(client: Client) -> None:
    conference = make_conference()
    shown = set()
    for status in ("", *Subscriber.Status.values):
        Subscriber.objects.all().delete()
        if status:
            Subscriber.objects.create(
                email="ada@example.org", status=status, requested_at=timezone.now()
            )
        sent = filled(client, conference, email="ada@example.org", bulletin="on")
        text = words(page(client.get(send(client, conference, sent)["Location"])))
        shown.add("One more step for the Bulletin" in text)
    assert shown == {True}


def test_times_are_those_of_the_conference(client: Client) -> None:
    conference = make_conference(
        starts_at=timezone.datetime(2027, 7, 3, 8, tzinfo=timezone.get_fixed_timezone(0)),
        ends_at=timezone.datetime(2027, 7, 3, 15, tzinfo=timezone.get_fixed_timezone(0)),
        closes_at=timezone.datetime(2027, 7, 3, 8, tzinfo=timezone.get_fixed_timezone(0)),
        timezone="Europe/Paris",
    )
    text = words(page(client.get(path(make_order(conference)))))
    assert "Saturday 3 July 2027" in text
    assert "10:00 to 17:00 CEST" in text


# -- mail again -----------------------------------------------------------------------------------


def test_resend_mails_again_and_is_limited(
    client: Client, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "RESENDS_A_DAY", 2)
    order = make_order()
    work()
    said = [notices(client.post(path(order, "resend/"), follow=True)) for _ in range(3)]
    assert said == [
        ["We are sending the tickets again."],
        ["We are sending the tickets again."],
        [
            (
                "The tickets were sent several times today. Look in the spam folder, or download "
                "them here."
            )
        ],
    ]
    work()
    # Asked for twice before the worker came to it: one mail has both.
    assert Mail.objects.count() == 2


# -- a name corrected -----------------------------------------------------------------------------


def test_name_is_corrected_and_the_code_stays(client: Client) -> None:
    order = make_order()
    ticket = order.tickets.get()
    where = path(order, f"{ticket.reference}/name/")
    typed = {"attendee_name": " Łucja\u202e  Nowak ", "attendee_email": "Lucja@Example.org"}
    shown = client.post(where, typed, follow=True)
    assert notices(shown) == [
        (
            "That is changed. Tickets you have printed stay valid. To mail the tickets with the "
            "change, press 'Send the e-mail again'."
        )
    ]
    code = ticket.code
    ticket.refresh_from_db()
    assert (ticket.attendee_name, ticket.code) == ("Łucja Nowak", code)
    assert ticket.attendee_email == "lucja@example.org"


def test_each_ticket_has_its_own_form_for_its_name(client: Client) -> None:
    order = make_order(names=("Ada", "Grace"))
    shown = client.get(path(order))
    for ticket in order.tickets.all():
        sent = fields(shown, action=path(order, f"{ticket.reference}/name/"))
        assert sent == {"attendee_name": ticket.attendee_name, "attendee_email": ""}
    ids = [element.get("id") for element in page(shown).iter() if element.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter the name for this ticket."),
        ("\u200b", "Enter the name for this ticket."),
        ("W" * 1000, "Shorten the name to 200 characters. It has 1000."),
    ],
)
def test_name_that_cannot_be_taken_is_kept_in_the_form(
    client: Client, typed: str, said: str
) -> None:
    order = make_order()
    ticket = order.tickets.get()
    answer = client.post(path(order, f"{ticket.reference}/name/"), {"attendee_name": typed})
    assert (heading(answer), summary(answer)) == ("Correct a name", [said])
    assert fields(answer) == {"attendee_name": typed, "attendee_email": ""}
    ticket.refresh_from_db()
    assert ticket.attendee_name == "Ada Lovelace"


def test_name_stays_as_it_is_once_the_day_has_begun(client: Client) -> None:
    order = make_order()
    ticket = order.tickets.get()
    begin_the_day(order.conference)
    assert "Correct the name or address" not in words(page(client.get(path(order))))
    where = path(order, f"{ticket.reference}/name/")
    shown = client.post(where, {"attendee_name": "Grace"}, follow=True)
    assert notices(shown) == ["This ticket cannot be changed any more. Ask us at the desk."]
    ticket.refresh_from_db()
    assert ticket.attendee_name == "Ada Lovelace"


# -- a place given back ---------------------------------------------------------------------------


def test_place_is_given_back_after_asking_once(client: Client) -> None:
    order = make_order(names=("Ada", "Grace"))
    ada, grace = order.tickets.all()
    where = path(order, f"{ada.reference}/cancel/")
    assert heading(client.get(where)) == "Give this place back?"
    assert Ticket.objects.valid().count() == 2
    shown = client.post(where, follow=True)
    assert notices(shown) == ["The place is free for somebody else. Thank you."]
    assert list(Ticket.objects.valid()) == [grace]
    assert [words(e) for e in page(shown).iterfind(".//span") if words(e) == "Cancelled"] == [
        "Cancelled"
    ]


@pytest.mark.parametrize("method", ["get", "post"])
def test_place_given_back_twice_leads_to_the_order(client: Client, method: str) -> None:
    order = make_order()
    where = path(order, f"{order.tickets.get().reference}/cancel/")
    client.post(where)
    again = getattr(client, method)(where, follow=True)
    assert (again.status_code, heading(again)) == (200, "This booking is cancelled")


@pytest.mark.parametrize("method", ["get", "post"])
def test_place_cannot_be_given_back_once_the_day_has_begun(client: Client, method: str) -> None:
    order = make_order()
    begin_the_day(order.conference)
    where = path(order, f"{order.tickets.get().reference}/cancel/")
    shown = getattr(client, method)(where, follow=True)
    assert notices(shown) == ["This place cannot be given back any more. Write to us."]
    assert Ticket.objects.valid().count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_place_of_somebody_who_is_in_is_not_offered_and_cannot_be_given_back(
    client: Client, method: str
) -> None:
    order = make_order(names=("Ada", "Grace"))
    ada, grace = order.tickets.all()
    admit(ada)
    text = words(page(client.get(path(order))))
    assert "Give this place back: Grace" in text
    assert "Give this place back: Ada" not in text
    assert "Correct the name or address: Ada" in text
    shown = getattr(client, method)(path(order, f"{ada.reference}/cancel/"), follow=True)
    assert notices(shown) == ["This place cannot be given back any more. Write to us."]
    assert list(Ticket.objects.valid()) == [ada, grace]


def test_name_of_somebody_who_came_in_early_can_be_corrected(client: Client) -> None:
    order = make_order()
    ticket = order.tickets.get()
    admit(ticket)
    client.post(path(order, f"{ticket.reference}/name/"), {"attendee_name": "Grace"})
    ticket.refresh_from_db()
    assert ticket.attendee_name == "Grace"


def test_freed_place_can_be_reserved_by_somebody_else(client: Client) -> None:
    conference = make_conference(types={"Professional": 1})
    order = make_order(conference)
    assert "All places are taken." in words(page(client.get(f"/{conference.slug}/reserve/")))
    client.post(path(order, f"{order.tickets.get().reference}/cancel/"))
    assert send(client, conference, filled(client, conference)).status_code == 302


# -- PDF and calendar -----------------------------------------------------------------------------


def test_pdf_is_made_by_a_worker_and_then_opened(client: Client, work: Callable[[], int]) -> None:
    order = make_order(names=("Ada", "Grace"))
    waiting = client.get(path(order, "tickets.pdf"))
    assert (waiting.status_code, heading(waiting)) == (202, "Your tickets are being drawn")
    work()
    pdf = client.get(path(order, "tickets.pdf"))
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
    assert pdf["Content-Disposition"] == f'inline; filename="tickets-{order.reference}.pdf"'
    assert pdf.content.startswith(b"%PDF-")


def test_calendar_entry_has_time_zone_place_and_link(client: Client) -> None:
    order = make_order()
    answer = client.get(path(order, "conference.ics"))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    event = Calendar.from_ical(answer.content).walk("VEVENT")[0]
    conference = order.conference
    assert event.start == conference.starts_at.replace(microsecond=0)
    assert event.start.tzinfo.key == "Europe/London"
    assert event["LOCATION"] == "Mill Lane Hall, Mill Lane, Leeds"
    assert event["URL"].endswith(f"/{conference.slug}/")


# -- a lost link ----------------------------------------------------------------------------------


def test_lost_link_answers_every_address_alike_and_mails_only_known_ones(
    client: Client, work: Callable[[], int]
) -> None:
    order = make_order(email="ada@example.org")
    work()
    Mail.objects.all().delete()
    answers = [
        client.post("/orders/", {"email": address}).content.decode()
        for address in ("ADA@example.org", "nobody@example.org")
    ]
    tokens = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert tokens.sub("", answers[0]) == tokens.sub("", answers[1])
    work()
    mail = Mail.objects.get()
    assert mail.to == "ada@example.org"
    assert path(order) in mail.text


def test_lost_link_asked_for_too_often_waits_in_line(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "LINKS_OF_A_NETWORK", 2)
    monkeypatch.setattr(orders, "LONGEST_WAIT", timedelta(minutes=45))
    answers = [client.post("/orders/", {"email": f"{n}@example.org"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429]
    assert ["some hours" in answer.content.decode() for answer in answers] == [
        *(False, False, True, False),
    ]
    assert heading(answers[-1]) == "Please wait a little"
    assert DBTaskResult.objects.ready().count() == 2
    assert DBTaskResult.objects.count() == 3


def test_lost_link_is_mailed_three_times_an_hour_at_most(
    client: Client, work: Callable[[], int]
) -> None:
    make_order(email="ada@example.org")
    work()
    Mail.objects.all().delete()
    shown = {heading(client.post("/orders/", {"email": "ada@example.org"})) for _ in range(5)}
    assert shown == {"Look in your e-mail"}
    work()
    assert Mail.objects.count() <= 3


@pytest.mark.parametrize("typed", ["", "ada", "ada@", "müller@example.org"])
def test_lost_link_with_a_wrong_address_keeps_it(client: Client, typed: str) -> None:
    answer = client.post("/orders/", {"email": typed})
    assert len(summary(answer)) == 1
    assert fields(answer) == {"email": typed}


def test_organiser_has_tickets_sent_again_to_an_address_that_has_had_many(
    client: Client, work: Callable[[], int]
) -> None:
    conference = make_conference()
    for _ in range(12):
        order = make_order(conference, email="ada@example.org")
    work()
    assert Mail.objects.count() == 10
    client.force_login(make_user())
    client.post(f"/desk/orders/{order.reference}/resend/")
    work()
    assert Mail.objects.filter(about=order.reference).count() == 1


def test_names_are_corrected_and_pdfs_made_only_so_often(
    client: Client, monkeypatch: pytest.MonkeyPatch, work: Callable[[], int]
) -> None:
    monkeypatch.setattr(orders, "CHANGES_AN_HOUR", 5)
    monkeypatch.setattr(orders, "PDFS_AN_HOUR", 3)
    monkeypatch.setattr(orders, "MOST_DOCUMENTS", 2)
    order = make_order()
    path = f"/orders/{order.secret}"
    reference = order.tickets.get().reference
    changed, asked = [], []
    for number in range(6):
        new = {"attendee_name": "A" + "b" * number, "attendee_email": ""}
        changed.append(client.post(f"{path}/{reference}/name/", new).status_code)
        asked.append(client.get(f"{path}/tickets.pdf").status_code)
    assert changed == [302] * 5 + [429]
    assert asked == [202] * 3 + [429] * 3
    assert order.documents.count() == 2
    assert client.get(f"{path}/").status_code == 200
