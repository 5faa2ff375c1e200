"""One order: what its page tells, and what can be put right, each by its action and on record."""

import uuid
from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conference.models import AuditEntry, Conference, Mail, User
from donations import refunds
from donations.models import Donation, Payment, Refund
from signup.models import Subscriber
from tests.factories import make_gate, make_order
from tests.html import page
from tickets import actions
from tickets.models import Order, Scan, Ticket

pytestmark = pytest.mark.django_db


def _page(order: Order) -> str:
    return f"/desk/orders/{order.reference}/"


def _said(response: HttpResponse) -> list[str]:
    """The newest message; those that no page has shown yet stand before it."""
    return [str(message) for message in get_messages(response.wsgi_request)][-1:]


def _by_staff(organiser: User) -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(by=organiser).order_by("pk")
    return [(entry.verb, entry.subject) for entry in entries]


def _admit(ticket: Ticket, by: User) -> Scan:
    gate = make_gate(ticket.order.conference)
    now = timezone.now()
    return actions.scan(scan_id=uuid.uuid4(), text=ticket.reference, gate=gate, by=by, now=now).scan


def test_order_page_tells_the_whole_history(
    desk: Client, paid_order: Order, organiser: User, work: Callable[[], int]
) -> None:
    first, second = paid_order.tickets.all()
    work()
    now = timezone.now()
    actions.correct_name(ticket=first, attendee_name="Ada King", by=organiser, now=now)
    _admit(first, organiser)
    actions.cancel_ticket(ticket=second, by=organiser, now=timezone.now())
    response = desk.get(_page(paid_order))
    what = [happening.what for happening in response.context["happenings"]]
    assert sorted(what) == sorted(
        [
            *("Reserved", "Payment begun", "Payment arrived", "Confirmed", "Mail written"),
            *("Mail sent", "Name corrected", "Door: Admitted", "Place cancelled"),
            "Mail written",  # of the cancelled place
        ]
    )
    times = [happening.at for happening in response.context["happenings"]]
    assert times == sorted(times)
    ((asked, body),) = response.context["payments"]
    assert (asked.payment.status, asked.refunds) == (Payment.Status.PAID, [])
    assert '"unit_amount": 1500' in body


def test_order_page_shows_no_link_that_opens_the_order(desk: Client, paid_order: Order) -> None:
    assert paid_order.secret not in desk.get(_page(paid_order)).content.decode()


def test_order_page_shows_refunds(desk: Client, paid_order: Order) -> None:
    payment = Payment.objects.get()
    refunds.begin(payment, reason=Refund.Reason.ASKED, now=timezone.now())
    response = desk.get(_page(paid_order))
    assert [happening.detail for happening in response.context["happenings"]][-1] == (
        "£15, Asked for"
    )


def test_order_page_asks_as_much_for_three_tickets_as_for_one(
    desk: Client,
    conference: Conference,
    organiser: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    counts = []
    for names in (("A",), ("A", "B", "C")):
        order = make_order(conference, names=names)
        for ticket in order.tickets.all():
            _admit(ticket, organiser)
        with django_assert_max_num_queries(10) as asked:
            desk.get(_page(order))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_order_page_escapes_names(desk: Client, conference: Conference) -> None:
    name = "<script>alert(1)</script>"
    order = make_order(conference, names=(name,), name=name)
    content = desk.get(_page(order)).content.decode()
    assert name not in content
    assert "&lt;script&gt;" in content


def test_resend_mails_the_tickets_again(
    desk: Client, conference: Conference, organiser: User, work: Callable[[], int]
) -> None:
    order = make_order(conference)
    work()
    response = desk.post(f"{_page(order)}resend/")
    assert (response.url, _said(response)) == (
        _page(order),
        ["The tickets are on their way again."],
    )
    work()
    assert Mail.objects.filter(about=order.reference, status="sent").count() == 2
    assert _by_staff(organiser) == [("tickets sent again", order.reference)]


def test_resend_of_a_reserved_order_is_refused(desk: Client, conference: Conference) -> None:
    order = make_order(conference, gift_pence=500)
    response = desk.post(f"{_page(order)}resend/")
    assert _said(response) == ["Only a confirmed order has tickets to send."]


def test_correct_name_keeps_the_code(desk: Client, conference: Conference, organiser: User) -> None:
    order = make_order(conference, names=("Ada", "Garce"))
    second = order.tickets.all()[1]
    address = f"{_page(order)}2/name/"
    assert desk.get(address).context["form"].initial["attendee_name"] == "Garce"
    response = desk.post(address, {"attendee_name": " Grace  Hopper "})
    assert _said(response) == ["That is changed. A printed ticket stays good."]
    now = Ticket.objects.get(pk=second.pk)
    assert (now.attendee_name, now.number) == ("Grace Hopper", second.number)
    assert _by_staff(organiser) == [("name corrected", order.reference)]


def test_correct_name_to_nothing_says_what_to_do(desk: Client, conference: Conference) -> None:
    order = make_order(conference)
    response = desk.post(f"{_page(order)}1/name/", {"attendee_name": " "})
    assert response.context["form"].errors == {"attendee_name": ["Enter the name for this ticket."]}


def test_cancel_ticket_asks_first(desk: Client, conference: Conference, organiser: User) -> None:
    order = make_order(conference, names=("Ada", "Grace"))
    address = f"{_page(order)}1/cancel/"
    assert desk.get(address).status_code == 200
    assert order.tickets.valid().count() == 2
    response = desk.post(address)
    assert _said(response) == ["The place is cancelled and free for somebody else."]
    assert [ticket.status for ticket in order.tickets.all()] == ["cancelled", "valid"]
    assert _by_staff(organiser) == [("place cancelled", order.reference)]
    assert _said(desk.post(address)) == [
        "Only a valid ticket that has not come in can be cancelled."
    ]


def test_cancel_ticket_of_somebody_who_is_in_is_refused(
    desk: Client, conference: Conference, organiser: User
) -> None:
    order = make_order(conference)
    _admit(order.tickets.all()[0], organiser)
    response = desk.post(f"{_page(order)}1/cancel/")
    assert _said(response) == ["Only a valid ticket that has not come in can be cancelled."]
    assert order.tickets.valid().count() == 1


def _offered(desk: Client, order: Order) -> list[str]:
    """What the order's page leads to of the order's own, in its order; 'POST' before a button."""
    links = []
    for element in page(desk.get(_page(order))).iter():
        address = element.get("href", element.get("action", ""))
        if address.startswith(_page(order)):
            posts = "POST " if element.tag == "form" else ""
            links.append(posts + address.removeprefix(_page(order)))
    return links


def test_order_page_offers_what_is_accepted_and_the_other_pages_lead_back(
    desk: Client, conference: Conference, organiser: User
) -> None:
    order = make_order(conference, names=("Ada", "Grace"), gift_pence=500)
    of_one = ["1/name/", "1/replace/"]
    of_two = ["2/name/", "2/replace/", "2/cancel/"]
    ada, grace = order.tickets.all()

    def offered() -> list[str]:
        """What is offered, after a look at whether each page is what it says, or leads back."""
        found = _offered(desk, order)
        pages = [what for what in found if not what.startswith("POST")]
        every = ["email/", "cancel/", *of_one, "1/cancel/", *of_two]
        opened = [what for what in every if desk.get(_page(order) + what).status_code == 200]
        assert opened == pages
        return found

    assert offered() == ["email/"]
    actions.take_without_gift(order=order, now=timezone.now())
    assert offered() == [
        *("email/", "POST resend/", "cancel/", *of_one, "1/cancel/", *of_two),
    ]
    entry = _admit(ada, organiser)
    assert offered() == ["email/", "POST resend/", *of_one, *of_two]
    actions.cancel_ticket(ticket=grace, by=organiser, now=timezone.now())
    assert offered() == ["email/", "POST resend/", *of_one]
    actions.undo(scan_id=entry.pk, by=organiser, now=timezone.now())
    assert offered() == ["email/", "POST resend/", "cancel/", *of_one, "1/cancel/"]
    actions.cancel_order(order=order, by=organiser, now=timezone.now())
    assert offered() == []


def test_cancel_order_of_which_somebody_came_in_meanwhile_is_refused(
    desk: Client, conference: Conference, organiser: User
) -> None:
    order = make_order(conference, names=("Ada", "Grace"))
    assert "cancel/" in _offered(desk, order)
    _admit(order.tickets.all()[0], organiser)
    assert _said(desk.post(f"{_page(order)}cancel/")) == [
        "Only a confirmed order of which nobody has come in can be cancelled as a whole."
    ]
    assert order.tickets.valid().count() == 2


def test_cancel_order_asks_first(desk: Client, paid_order: Order, organiser: User) -> None:
    address = f"{_page(paid_order)}cancel/"
    content = desk.get(address).content.decode()
    assert "The donation of £15 stays." in content
    assert paid_order.tickets.valid().count() == 2
    assert _said(desk.post(address)) == ["The order is cancelled and its places are free."]
    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.tickets.valid().count()) == ("cancelled", 0)
    assert _by_staff(organiser) == [("order cancelled", paid_order.reference)]
    assert _said(desk.post(address)) == [
        "Only a confirmed order of which nobody has come in can be cancelled as a whole."
    ]


def test_reissue_asks_first_and_gives_a_new_code(
    desk: Client, conference: Conference, organiser: User, work: Callable[[], int]
) -> None:
    order = make_order(conference)
    work()
    before = order.tickets.all()[0]
    address = f"{_page(order)}1/replace/"
    assert desk.get(address).status_code == 200
    assert _said(desk.post(address)) == [
        "The ticket has a new code, which is on its way by e-mail."
    ]
    after = Ticket.objects.get()
    assert after.number != before.number
    assert [row.number for row in after.replaced_codes.all()] == [before.number]
    work()
    assert Mail.objects.filter(about=order.reference).count() == 2
    assert _by_staff(organiser) == [("code replaced", order.reference)]
    actions.cancel_order(order=order, by=organiser, now=timezone.now())
    assert _said(desk.post(address)) == ["Only a valid ticket can get a new code."]


def test_address_corrected_sends_the_tickets_there_under_a_new_link(
    desk: Client, paid_order: Order, organiser: User, work: Callable[[], int]
) -> None:
    work()
    old = paid_order.get_absolute_url()
    response = desk.post(f"{_page(paid_order)}email/", {"email": "Right@Example.org"})
    assert response.status_code == 302
    work()
    paid_order.refresh_from_db()
    assert paid_order.email == "right@example.org"
    assert [desk.get(url).status_code for url in (old, paid_order.get_absolute_url())] == [404, 200]
    newest = Mail.objects.order_by("created_at").last()
    assert newest is not None
    assert (newest.to, newest.key) == ("right@example.org", f"tickets:{paid_order.pk}:2")
    assert paid_order.secret in newest.text
    assert _by_staff(organiser) == [("address corrected", paid_order.reference)]


def test_what_waits_for_the_old_address_does_not_go_there(desk: Client, paid_order: Order) -> None:
    now = timezone.now()
    for key, status in (("a", "failed"), ("b", "queued")):
        mail = Mail.objects.create(
            key=key,
            about=paid_order.reference,
            to=paid_order.email,
            sender="tickets@example.org",
            subject="Your tickets",
            created_at=now,
            next_try_at=now,
        )
        Mail.objects.filter(pk=mail.pk).update(status=status)
    waiting = Mail.objects.filter(about=paid_order.reference, to=paid_order.email)
    desk.post(f"{_page(paid_order)}email/", {"email": "right@example.org"})
    assert not waiting.exists()
    assert Donation.objects.get().email == "right@example.org"


def test_corrected_address_of_an_order_that_is_not_paid_keeps_its_link_and_is_sent_it(
    desk: Client, conference: Conference, work: Callable[[], int]
) -> None:
    order = make_order(conference, gift_pence=1500, bulletin_wording="Yes")
    desk.post(f"{_page(order)}email/", {"email": "right@example.org"})
    work()
    secret = order.secret
    order.refresh_from_db()
    assert (order.email, order.secret) == ("right@example.org", secret)
    mail = Mail.objects.get(to="right@example.org")
    assert secret in mail.text
    assert Subscriber.objects.filter(email="right@example.org", status="pending").exists()


def test_attendees_address_can_be_corrected(desk: Client, paid_order: Order) -> None:
    first = paid_order.tickets.all()[0]
    sent = {"attendee_name": "Ada King", "attendee_email": "Ada@Example.org"}
    desk.post(f"{_page(paid_order)}1/name/", sent)
    first.refresh_from_db()
    assert (first.attendee_name, first.attendee_email) == ("Ada King", "ada@example.org")


def test_address_that_is_none_is_asked_for_again(desk: Client, paid_order: Order) -> None:
    response = desk.post(f"{_page(paid_order)}email/", {"email": "nobody"})
    assert response.status_code == 200
    assert response.context["form"].errors == {
        "email": ["Enter an e-mail address like name@example.org."]
    }


def test_cancelling_at_the_desk_is_written_to_the_holder(desk: Client, paid_order: Order) -> None:
    first = paid_order.tickets.all()[0]
    desk.post(f"{_page(paid_order)}1/cancel/")
    desk.post(f"{_page(paid_order)}cancel/")
    mails = Mail.objects.filter(key__startswith="cancelled:").order_by("created_at")
    assert [mail.to for mail in mails] == [paid_order.email] * 2
    assert f"- {first.attendee_name}\n" in mails[0].text
    assert f"- {first.attendee_name}\n" not in mails[1].text
