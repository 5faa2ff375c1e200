"""A person who asks to be forgotten."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

import signup.actions
from conference.models import AuditEntry, Conference, Mail
from donations.models import Donation
from donations.settlement import settle
from sandbox.server import Sandbox
from signup.models import Consent, Suppression
from tests.factories import make_conference, make_order, make_subscriber, make_user
from tests.remains import places_of
from tickets import actions
from tickets.models import ERASED_EMAIL, Order, Ticket
from tickets.tasks import mail_links

pytestmark = pytest.mark.django_db


def test_erased_person_is_nowhere_in_the_database(
    stripe: Sandbox, work: Callable[[], int], client: Client, desk_search: Client
) -> None:
    now = timezone.now()
    conference = make_conference()
    order = make_order(
        conference,
        names=("Zebedee Quill", "Quilla Zeb"),
        email="zebedee@example.org",
        gift_pence=1500,
        bulletin_wording="Yes",
    )
    payment = actions.start_payment(order=order, now=now)
    stripe.pay(str(payment.session_id))
    for event in stripe.events:
        body, signature = stripe.signed(event["id"])
        client.post(
            "/stripe/webhook/",
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
    settle(str(payment.session_id), now=now)
    work()
    client.get(f"{order.get_absolute_url()}tickets.pdf")
    work()
    desk_search.post("/desk/orders/", {"words": "zebedee"})
    places = places_of("zebedee", "quill")
    assert {"tickets_order.email", "donations_donation.email", "conference_mail.to"} < set(places)
    assert "django_session, unpacked" in places
    # What Stripe tells of people is not written down in the first place.
    assert not [place for place in places if place.startswith("donations_stripeevent.")]
    with pytest.raises(CommandError):
        call_command("erase", "zebedee@example.org")
    conference.ends_at = now
    conference.starts_at = now - timedelta(hours=7)
    conference.save()
    call_command("erase", "Zebedee@Example.org")
    assert places_of("zebedee", "quill") == []
    assert Donation.objects.get().amount_pence == 1500
    assert Ticket.objects.count() == 2


def test_somebody_booked_by_another_is_nowhere_either(work: Callable[[], int]) -> None:
    now = timezone.now()
    conference = make_conference()
    places = [
        actions.Place(conference.ticket_types.all()[0].pk, "Al Ibi"),
        actions.Place(conference.ticket_types.all()[0].pk, "Zebedee Quill", "zebedee@example.org"),
    ]
    order = actions.reserve(
        conference=conference,
        name="Al Ibi",
        email="al@example.org",
        places=places,
        gift_pence=0,
        submission=uuid.uuid4(),
        now=now,
    )
    mail_links.enqueue("zebedee@example.org")
    work()
    conference.ends_at = now
    conference.starts_at = now - timedelta(hours=7)
    conference.save()
    assert len(places_of("zebedee")) > 3
    call_command("erase", "zebedee@example.org")
    assert places_of("zebedee", "quill") == []
    order.refresh_from_db()
    assert (order.name, order.email) == ("Al Ibi", "al@example.org")


def test_erased_address_is_never_signed_up_again() -> None:
    now = timezone.now()
    make_subscriber()
    actions.erase_person(email="ada@example.org", now=now)
    subscriber = signup.actions.request(
        email="Ada@example.org",
        source=Consent.Source.HOME_PAGE,
        agreed_to="Yes",
        now=now,
    )
    assert subscriber is None


@pytest.mark.parametrize("whom", ["zebedee@exmaple.org", "4XKM-7Q2P"])
def test_nobody_of_this_address_or_code_is_said_and_nothing_is_written(whom: str) -> None:
    order = make_past_order("Zebedee Quill", "zebedee@example.org")
    before = everything()
    with pytest.raises(CommandError, match=f"Nobody here has {whom}"):
        call_command("erase", whom)
    assert everything() == before
    assert (Suppression.objects.count(), order.tickets.count()) == (0, 1)


def test_what_stands_in_place_of_an_address_is_nobodys() -> None:
    make_past_order("Zebedee Quill", "zebedee@example.org")
    call_command("erase", "zebedee@example.org", stdout=StringIO())
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("erase", ERASED_EMAIL)


def test_word_that_is_neither_address_nor_code_is_explained() -> None:
    with pytest.raises(CommandError, match="Give an e-mail address, or the short code"):
        call_command("erase", "Zebedee")


def test_one_ticket_is_erased_alone(
    work: Callable[[], int], client: Client, desk_search: Client
) -> None:
    order = make_past_order("Al Ibi", "al@example.org", "Zebedee Quill", work=work)
    client.get(f"{order.get_absolute_url()}tickets.pdf")
    desk_search.post("/desk/attendees/", {"words": "zebedee"})
    ticket = order.tickets.get(attendee_name="Zebedee Quill")
    assert "django_session, unpacked" in places_of("zebedee")
    said = StringIO()
    call_command("erase", ticket.reference.lower().replace("-", " "), stdout=said)
    assert places_of("zebedee", "quill") == []
    assert f"name and address on ticket {ticket.reference}" in said.getvalue()
    order.refresh_from_db()
    assert (order.name, order.email) == ("Al Ibi", "al@example.org")
    assert order.tickets.filter(attendee_name="Al Ibi").count() == 1
    entry = AuditEntry.objects.get(verb="attendee erased")
    assert (entry.subject, entry.detail) == (order.reference, {"ticket": ticket.reference})


def test_ticket_is_found_by_a_code_that_was_replaced() -> None:
    order = make_past_order("Zebedee Quill", "zebedee@example.org")
    ticket = order.tickets.get()
    old = ticket.reference
    actions.reissue(ticket=ticket, by=make_user(), now=timezone.now())
    call_command("erase", old, stdout=StringIO())
    assert order.tickets.get().attendee_name == "Erased"


def test_place_to_come_is_not_erased_by_its_code_either() -> None:
    ticket = make_order().tickets.get()
    with pytest.raises(CommandError, match="Cancel it first"):
        call_command("erase", ticket.reference)
    ticket.refresh_from_db()
    assert ticket.attendee_name == "Ada Lovelace"


def test_payment_that_is_not_settled_comes_first(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500)
    actions.start_payment(order=order, now=timezone.now())
    end(order.conference)
    with pytest.raises(CommandError, match="is not settled"):
        call_command("erase", "ada@example.org")
    order.refresh_from_db()
    assert (order.name, order.is_erased) == ("Ada Lovelace", False)


def test_address_that_was_corrected_since_is_erased_at_its_payment(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500, email="tyop@example.org")
    payment = actions.start_payment(order=order, now=timezone.now())
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    order.refresh_from_db()
    actions.correct_email(order=order, email="ada@example.org", by=make_user(), now=timezone.now())
    end(order.conference)
    assert places_of("tyop") == ["donations_payment.request_body"]
    call_command("erase", "tyop@example.org", stdout=StringIO())
    assert places_of("tyop") == []
    order.refresh_from_db()
    assert order.email == "ada@example.org"


def test_erasing_ann_leaves_the_work_for_joann(work: Callable[[], int]) -> None:
    make_past_order("Ann", "ann@example.org")
    work()
    for address in ("joann@example.org", "ann@example.org"):
        mail_links.enqueue(address)
    call_command("erase", "ann@example.org", stdout=StringIO())
    waiting = DBTaskResult.objects.ready().values_list("args_kwargs", flat=True)
    assert [given["args"] for given in waiting] == [["joann@example.org"]]


def test_what_was_erased_takes_no_new_name_and_is_not_written_to(
    work: Callable[[], int],
) -> None:
    order = make_past_order("Zebedee Quill", "zebedee@example.org")
    call_command("erase", "zebedee@example.org", stdout=StringIO())
    work()
    order.refresh_from_db()
    ticket, by, now = order.tickets.get(), make_user(), timezone.now()
    for change in (
        partial(actions.correct_name, ticket=ticket, attendee_name="Zebedee"),
        partial(actions.correct_email, order=order, email="zebedee@example.org"),
        partial(actions.resend, order=order),
        partial(actions.reissue, ticket=ticket),
        partial(actions.cancel_ticket, ticket=ticket),
        partial(actions.cancel_order, order=order),
    ):
        with pytest.raises(actions.TooLate):
            change(by=by, now=now)
    assert (work(), Mail.objects.count()) == (0, 0)


def test_places_let_go_are_not_taken_again_after_the_erasure(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500, email="zebedee@example.org")
    later = timezone.now() + timedelta(hours=1)
    actions.expire(order=order, now=later)
    call_command("erase", "zebedee@example.org", stdout=StringIO())
    with pytest.raises(actions.Closed):
        actions.retake(order=order, now=timezone.now())
    assert order.tickets.get().status == "released"


def test_erase_says_what_stays_and_where(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500, email="zebedee@example.org", names=("Z", "Q"))
    payment = actions.start_payment(order=order, now=timezone.now())
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    end(order.conference)
    make_user(email="zebedee@example.org")
    said = StringIO()
    call_command("erase", "zebedee@example.org", stdout=said)
    text = " ".join(said.getvalue().split())
    assert "Orders: 1, tickets: 2, donations: 1, copies of mails: 0." in text
    for place in ("keyed hash", "Stays at Stripe", "backups", "printed", "a staff account"):
        assert place in text, place


@pytest.fixture
def desk_search() -> Client:
    """A browser in which an organiser is logged in at the desk."""
    client = Client()
    client.force_login(make_user())
    return client


def end(conference: Conference) -> None:
    """Let the conference be over."""
    now = timezone.now()
    Conference.objects.filter(pk=conference.pk).update(
        ends_at=now, starts_at=now - timedelta(hours=7)
    )


def make_past_order(
    name: str, email: str, *others: str, work: Callable[[], int] | None = None
) -> Order:
    """An order of a conference that is over; its mails are written if `work` is given."""
    order = make_order(names=(name, *others), email=email)
    if work is not None:
        work()
    end(order.conference)
    return Order.objects.get(pk=order.pk)


def everything() -> list[list[dict[str, object]]]:
    """All rows of all our tables."""
    return [list(model.objects.order_by("pk").values()) for model in apps.get_models()]  # type: ignore[attr-defined]
