"""The desk's first page: its numbers are those of the database, of one conference."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conference.desk import figures
from conference.desk.open_matters import open_matters
from conference.health import beat
from conference.models import Conference, Mail, User
from donations import refunds
from donations.models import Payment, Refund
from sandbox.server import Sandbox
from tests.conference.desk.conftest import pay
from tests.factories import make_conference, make_gate, make_order
from tickets import actions
from tickets.models import Order

pytestmark = pytest.mark.django_db


def test_places_of_each_type_and_all_together(conference: Conference, organiser: User) -> None:
    professional, online = conference.ticket_types.all()
    make_order(conference, names=("A", "B"), ticket_type=professional)
    make_order(conference, names=("C",), ticket_type=online, gift_pence=500)
    gone = make_order(conference, names=("D",), ticket_type=online)
    actions.cancel_order(order=gone, by=organiser, now=timezone.now())
    assert figures.places(conference) == [
        figures.Places("Professional", 50, taken=2, kept=0, left=48),
        figures.Places("Online", 20, taken=0, kept=1, left=19),
        figures.Places("All together", 70, taken=2, kept=1, left=67),
    ]


def test_places_are_bounded_by_the_conference(conference: Conference) -> None:
    Conference.objects.filter(pk=conference.pk).update(capacity=5)
    conference.refresh_from_db()
    make_order(conference, names=("A", "B"))
    assert [(row.capacity, row.left) for row in figures.places(conference)] == [
        (50, 3),
        (20, 3),
        (5, 3),
    ]


@pytest.mark.parametrize(
    ("capacity", "taken", "kept", "bar"),
    [(50, 25, 5, (500, 100)), (0, 0, 0, (0, 0)), (0, 3, 1, (750, 250)), (3, 1, 1, (333, 333))],
)
def test_bar_shows_shares_of_a_thousand(
    capacity: int, taken: int, kept: int, bar: tuple[int, int]
) -> None:
    assert figures.Places("", capacity, taken, kept, 0).bar == bar


def test_gifts_count_what_stays(conference: Conference, paid_order: Order, stripe: Sandbox) -> None:
    pay(make_order(conference, gift_pence=1000), stripe)
    make_order(conference, gift_pence=700)
    make_order(make_conference(), gift_pence=9900)
    assert figures.gifts(conference) == figures.Gifts(2, 2500, 1, 700, 0, 0)
    assert figures.gifts(conference).average_pence == 1250
    payment = Payment.objects.get(amount_pence=1000)
    refund = refunds.begin(payment, reason=Refund.Reason.ASKED, now=timezone.now())
    Refund.objects.update(amount_pence=400)
    assert figures.gifts(conference) == figures.Gifts(2, 2100, 1, 700, 1, 400)
    Refund.objects.filter(pk=refund.pk).update(status="failed")
    assert figures.gifts(conference) == figures.Gifts(2, 2500, 1, 700, 0, 0)


def test_average_gift_is_rounded_to_the_penny() -> None:
    assert figures.Gifts(3, 1000, 0, 0, 0, 0).average_pence == 333
    assert figures.Gifts(3, 1001, 0, 0, 0, 0).average_pence == 334
    assert figures.Gifts(0, 0, 0, 0, 0, 0).average_pence is None


def test_bulletin_counts_who_asked_and_who_confirmed(conference: Conference) -> None:
    make_order(conference, bulletin_wording="Please send me the Bulletin.")
    make_order(conference)
    make_order(make_conference(), email="b@example.org", bulletin_wording="Please.")
    assert figures.bulletin(conference) == {"asked": 1, "pending": 2, "confirmed": 0}


def test_glance_shows_who_is_in(desk: Client, conference: Conference, organiser: User) -> None:
    order = make_order(conference, names=("A", "B"))
    gate = make_gate(conference)
    text = order.tickets.all()[0].reference
    actions.scan(scan_id=uuid.uuid4(), text=text, gate=gate, by=organiser, now=timezone.now())
    entries = desk.get("/desk/").context["entries"]
    assert (entries["in"], entries["expected"]) == (1, 2)


def test_glance_shows_the_current_conference_and_any_other(
    desk: Client, conference: Conference
) -> None:
    make_conference(slug="draft", is_published=False)
    old = make_conference(
        slug="2020",
        starts_at=timezone.now() - timedelta(days=400),
        ends_at=timezone.now() - timedelta(days=399),
    )
    response = desk.get("/desk/")
    assert response.context["conference"] == conference
    assert {other.slug for other in response.context["conferences"]} == {"draft", "2020"}
    response = desk.get("/desk/?conference=2020")
    assert response.context["conference"] == old
    assert 'href="/desk/orders/?conference=2020"' in response.content.decode()


def test_glance_asks_as_much_for_much_as_for_little(
    desk: Client, conference: Conference, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for _ in range(2):
        make_order(conference, names=("A", "B"), gift_pence=500)
        with django_assert_max_num_queries(26) as asked:
            desk.get("/desk/")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_open_matters_know_a_silent_worker(db: None) -> None:
    now = timezone.now()
    assert len(open_matters(now).silent) == 2
    beat("worker", now=now)
    beat("sweep", now=now)
    assert open_matters(now).is_empty
    assert len(open_matters(now + timedelta(minutes=2)).silent) == 1
    assert len(open_matters(now + timedelta(minutes=6)).silent) == 2
    assert len(open_matters(now - timedelta(hours=2)).silent) == 2  # seen in the future


def test_open_matters_count_late_and_failed_mails(conference: Conference) -> None:
    now = timezone.now()
    for number, status in enumerate(("failed", "queued", "sent")):
        Mail.objects.create(
            key=str(number),
            to="a@example.org",
            sender="b@example.org",
            subject="s",
            text="t",
            status=status,
            next_try_at=now,
            created_at=now - timedelta(minutes=20),
        )
    matters = open_matters(now)
    assert (matters.failed_mails, matters.late_mails, matters.money) == (1, 1, 0)
    Mail.objects.update(created_at=now + timedelta(days=2))  # by a clock that was ahead
    assert open_matters(now).late_mails == 1
    Mail.objects.update(created_at=now)
    assert open_matters(now).late_mails == 0
