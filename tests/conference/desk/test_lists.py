"""The lists of orders and attendees: what they find, and how little they ask the database."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conference.models import Conference, User
from tests.factories import make_conference, make_gate, make_order
from tests.html import page, words
from tickets import actions
from tickets.models import Order, Scan, Ticket

pytestmark = pytest.mark.django_db

LISTS = ["/desk/orders/", "/desk/attendees/"]


def _search(desk: Client, address: str, **wanted: Any) -> list[Any]:
    """The rows that the list shows for a search."""
    response = desk.post(address, wanted)
    assert response.status_code == 302
    return list(desk.get(response.url).context["rows"])


def _names(desk: Client, **wanted: Any) -> list[str]:
    return [ticket.attendee_name for ticket in _search(desk, "/desk/attendees/", **wanted)]


def _check_in(order: Order, organiser: User) -> None:
    gate = make_gate(order.conference)
    text = order.tickets.all()[0].reference
    actions.scan(scan_id=uuid.uuid4(), text=text, gate=gate, by=organiser, now=timezone.now())


@pytest.mark.parametrize("address", LISTS)
def test_list_asks_as_much_for_three_rows_as_for_one(
    desk: Client,
    conference: Conference,
    address: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    counts = []
    for rows in (1, 3):
        while Order.objects.count() < rows:
            make_order(conference, names=("Ada", "Grace"), gift_pence=500)
        with django_assert_num_queries(QUERIES[address]) as asked:
            response = desk.get(address)
        assert len(response.context["rows"]) == rows * (2 if "attendees" in address else 1)
        counts.append(len(asked))
    assert counts[0] == counts[1]


QUERIES = {"/desk/orders/": 7, "/desk/attendees/": 7}


@pytest.mark.parametrize("address", LISTS)
def test_list_shows_fifty_rows_a_page(desk: Client, conference: Conference, address: str) -> None:
    for _ in range(5):
        make_order(conference, names=("Ada",) * 10)
    for _ in range(46 if "orders" in address else 1):
        make_order(conference, ticket_type=conference.ticket_types.get(name="Online"))
        conference.ticket_types.update(capacity=100)
    assert [len(desk.get(address, {"page": page}).context["rows"]) for page in (1, 2)] == [50, 1]


@pytest.mark.parametrize("address", LISTS)
def test_list_shows_one_conference_only(desk: Client, conference: Conference, address: str) -> None:
    other = make_conference(slug="2028", is_published=True)
    make_order(conference)
    make_order(other)
    for slug in ("2027", "2028"):
        rows = desk.get(address, {"conference": slug}).context["rows"]
        orders = {getattr(row, "order", row) for row in rows}
        assert {order.conference.slug for order in orders} == {slug}


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize(
    "find",
    [
        lambda order: "Lovelace",
        lambda order: "ADA lovelace",
        lambda order: "booker@",
        lambda order: order.reference,
        lambda order: order.tickets.all()[0].reference.lower().replace("-", " "),
        lambda order: order.tickets.all()[0].code,
        lambda order: "łucja",
        lambda order: "ŁUCJA",
        lambda order: "محمد",
    ],
)
def test_search_finds_by_name_mail_and_code(
    desk: Client, conference: Conference, address: str, find: Callable[[Order], str]
) -> None:
    order = make_order(
        conference, names=("Ada Lovelace",), name="Łucja محمد", email="booker@example.com"
    )
    make_order(conference, names=("Grace Hopper",), name="Grace", email="grace@example.org")
    found = _search(desk, address, words=find(order))
    assert [getattr(row, "order", row) for row in found] == [order]


@pytest.mark.parametrize("address", LISTS)
def test_search_finds_by_a_replaced_code_once(
    desk: Client, conference: Conference, organiser: User, address: str
) -> None:
    order = make_order(conference)
    old = order.tickets.all()[0].reference
    for _ in range(2):
        actions.reissue(ticket=order.tickets.all()[0], by=organiser, now=timezone.now())
    assert len(_search(desk, address, words=old)) == 1
    assert len(_search(desk, address, words="Ada")) == 1


def test_search_words_stand_in_no_address(desk: Client, conference: Conference) -> None:
    make_order(conference)
    address = desk.post("/desk/orders/?conference=2027", {"words": "Ada Lovelace"}).url
    path, _, query = address.partition("?")
    assert path == "/desk/orders/"
    assert query.startswith("conference=2027&search=")
    assert "ada" not in query.lower().removeprefix("conference=2027&search=")[9:]
    assert desk.get(address).context["form"]["words"].value() == "Ada Lovelace"


def test_search_of_another_log_in_finds_everything(
    desk: Client, conference: Conference, organiser: User
) -> None:
    make_order(conference, names=("Ada",))
    make_order(conference, names=("Grace",))
    address = desk.post("/desk/orders/", {"words": "Ada"}).url
    elsewhere = Client()
    elsewhere.force_login(organiser)
    assert len(elsewhere.get(address).context["rows"]) == 2


def test_search_without_words_shows_all_at_the_plain_address(
    desk: Client, conference: Conference
) -> None:
    assert desk.post("/desk/orders/", {"words": " ", "status": ""}).url == "/desk/orders/"


def test_orders_are_filtered_by_state(desk: Client, conference: Conference) -> None:
    confirmed = make_order(conference)
    reserved = make_order(conference, gift_pence=500)
    assert _search(desk, "/desk/orders/", status="confirmed") == [confirmed]
    assert _search(desk, "/desk/orders/", status="reserved") == [reserved]
    assert _search(desk, "/desk/orders/", status="nonsense") == [reserved, confirmed]


def test_attendees_are_filtered(desk: Client, conference: Conference, organiser: User) -> None:
    professional, online = conference.ticket_types.all()
    _check_in(make_order(conference, names=("Ada",)), organiser)
    make_order(conference, names=("Bo",), ticket_type=online, gift_pence=500)
    gone = make_order(conference, names=("Cy",))
    actions.cancel_order(order=gone, by=organiser, now=timezone.now())
    assert _names(desk) == ["Ada", "Bo"]
    assert _names(desk, status="any") == ["Ada", "Bo", "Cy"]
    assert _names(desk, status="held") == ["Bo"]
    assert _names(desk, status="cancelled") == ["Cy"]
    assert _names(desk, ticket_type=online.pk) == ["Bo"]
    assert _names(desk, ticket_type=professional.pk, entry="in") == ["Ada"]
    assert _names(desk, entry="not in") == ["Bo"]
    assert _names(desk, ticket_type=10**9, entry="in") == ["Ada"]


def test_attendee_whose_entry_was_undone_is_not_in(
    desk: Client, conference: Conference, organiser: User
) -> None:
    order = make_order(conference, names=("Ada",))
    _check_in(order, organiser)
    scan = Ticket.objects.get().scans.get()
    actions.undo(scan_id=scan.pk, by=organiser, now=timezone.now())
    _check_in(order, organiser)
    assert _names(desk, entry="in") == ["Ada"]
    second = Ticket.objects.get().scans.get(undone_at=None)
    actions.undo(scan_id=second.pk, by=organiser, now=timezone.now())
    assert _names(desk, entry="not in") == ["Ada"]
    assert _names(desk, entry="in") == []


def _narrow(desk: Client, address: str) -> list[str]:
    """What a list repeats under its first column, where a screen has no room for the others."""
    lines = page(desk.get(address)).iterfind(".//*[@class='under narrow']")
    return [words(line) for line in lines]


def test_narrow_screens_lack_nothing(desk: Client, conference: Conference, organiser: User) -> None:
    order = make_order(conference, names=("Ada", "Grace"), gift_pence=1500)
    at = timezone.localtime(order.created_at, conference.zone)
    assert _narrow(desk, "/desk/orders/") == [
        "2 places: Ada, Grace",
        "donation £15, Not paid yet",
        f"reserved {at.day} {at:%b %Y %H:%M}",
    ]
    actions.take_without_gift(order=order, now=timezone.now())
    _check_in(order, organiser)
    entered = timezone.localtime(Scan.objects.get().at, conference.zone)
    assert _narrow(desk, "/desk/attendees/") == [
        "Professional",
        f"in since {entered.day} {entered:%b %H:%M}, Main door",
        "ordered by Ada, ada@example.org",
        "Professional",
        "ordered by Ada, ada@example.org",
    ]
    assert _narrow(desk, "/desk/audit/") == []
    actions.resend(order=order, by=organiser, now=timezone.now())
    assert _narrow(desk, "/desk/audit/") == ["by Olive"]
