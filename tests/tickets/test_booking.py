"""Places: reserved, confirmed, let go, taken again; with the real SDK and a local Stripe."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

import donations.actions
from conference.models import Mail
from donations.models import Donation, Payment, Refund
from donations.settlement import settle
from sandbox.server import Sandbox
from tests.factories import make_conference, make_order
from tickets import actions
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db


def test_reserve_without_gift_confirms_and_mails(work: Callable[[], int]) -> None:
    order = make_order(names=("Ada", "Grace"))
    assert order.status == Order.Status.CONFIRMED
    assert [t.status for t in order.tickets.all()] == ["valid", "valid"]
    work()
    mail = Mail.objects.get()
    assert (mail.to, mail.status, mail.attachments.count()) == ("ada@example.org", "sent", 2)
    order.refresh_from_db()
    assert order.mailed_at is not None


def test_reserve_same_submission_makes_one_order() -> None:
    conference = make_conference()
    kind = conference.ticket_types.get()
    submission = uuid.uuid4()
    orders = {
        actions.reserve(
            conference=conference,
            name="Ada",
            email="ada@example.org",
            places=[actions.Place(kind.pk, "Ada")],
            gift_pence=0,
            submission=submission,
            now=timezone.now(),
        ).pk
        for _ in range(2)
    }
    assert len(orders) == Order.objects.count() == Ticket.objects.count() == 1


def test_reserve_sold_out_says_what_is_left() -> None:
    conference = make_conference(types={"A": 3, "B": 5}, capacity=6)
    a, b = conference.ticket_types.all()
    make_order(conference, names=("1", "2"), ticket_type=a)
    with pytest.raises(actions.SoldOut) as caught:
        make_order(conference, names=("3", "4"), ticket_type=a)
    assert caught.value.left == actions.PlacesLeft({a.pk: 1, b.pk: 4}, 4)


@pytest.mark.parametrize("capacity", [None, 4, 9])
def test_places_are_counted_alike_under_lock_and_on_pages(capacity: int | None) -> None:
    conference = make_conference(types={"A": 5, "B": 5, "C": 0}, capacity=capacity)
    a, b, _ = conference.ticket_types.all()
    make_order(conference, names=("1", "2"), ticket_type=a)
    make_order(conference, names=("3",), ticket_type=b, gift_pence=500)
    gone = make_order(conference, names=("4",), ticket_type=b)
    actions.cancel_order(order=gone, now=timezone.now())
    late = make_order(conference, names=("5",), ticket_type=b, gift_pence=500)
    actions.expire(order=late, now=late.expires_at)
    assert set(Ticket.objects.values_list("status", flat=True)) == set(Ticket.Status)
    with pytest.raises(actions.SoldOut) as caught:
        make_order(conference, names=("6",) * 6, ticket_type=a)
    types = list(conference.ticket_types.counting_places())
    assert [kind.taken for kind in types] == [2, 1, 0]
    assert caught.value.left == actions.places_left(capacity, types)


def test_reserve_holds_the_conference_capacity_over_types() -> None:
    conference = make_conference(types={"A": 3, "B": 3}, capacity=4)
    a, b = conference.ticket_types.all()
    places = [actions.Place(kind.pk, "X") for kind in (a, a, a, b, b)]
    with pytest.raises(actions.SoldOut):
        actions.reserve(
            conference=conference,
            name="Ada",
            email="ada@example.org",
            places=places,
            gift_pence=0,
            submission=uuid.uuid4(),
            now=timezone.now(),
        )
    assert Ticket.objects.count() == 0


@pytest.mark.parametrize("status", Ticket.Status.values)
def test_places_taken_are_those_of_tickets_that_hold_one(status: str) -> None:
    order = make_order(names=("1", "2", "3"))
    order.tickets.filter(attendee_name="2").update(status=status)
    (kind,) = order.conference.ticket_types.counting_places()
    assert kind.taken == Ticket.objects.holding_places().count()


def test_serials_run_on_by_type_past_refusals_and_places_given_back() -> None:
    conference = make_conference(types={"A": 3, "B": 3})
    a, b = conference.ticket_types.all()
    first = make_order(conference, names=("1", "2"), ticket_type=a)
    with pytest.raises(actions.SoldOut):
        make_order(conference, names=("3", "4"), ticket_type=a)
    actions.cancel_order(order=first, by=None, now=timezone.now())
    make_order(conference, names=("5", "6", "7"), ticket_type=a)
    make_order(conference, names=("8",), ticket_type=b)
    with pytest.raises(actions.SoldOut):
        make_order(conference, names=("9",), ticket_type=a)
    serials = Ticket.objects.values_list("ticket_type__name", "serial")
    assert list(serials) == [("A", 1), ("A", 2), ("A", 3), ("A", 4), ("A", 5), ("B", 1)]


def test_no_two_tickets_of_a_type_have_one_serial() -> None:
    order = make_order(names=("1", "2"))
    with pytest.raises(IntegrityError):
        order.tickets.update(serial=1)


def test_reserve_outside_its_times_is_closed() -> None:
    conference = make_conference()
    for moment in (conference.opens_at - timedelta(seconds=1), conference.closes_at):
        with pytest.raises(actions.Closed):
            make_order(conference, now=moment)
    assert make_order(conference, now=conference.opens_at).status == Order.Status.CONFIRMED


def test_paid_gift_confirms_and_mails_once(stripe: Sandbox, work: Callable[[], int]) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    assert order.status == Order.Status.RESERVED
    payment = actions.start_payment(order=order, now=now)
    stripe.pay(str(payment.session_id))
    for _ in range(3):
        settle(str(payment.session_id), now=now)
    work()
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
    assert Donation.objects.get().status == Donation.Status.RECEIVED
    assert Mail.objects.count() == 1


def test_start_payment_again_gives_the_same_page(stripe: Sandbox) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    first = actions.start_payment(order=order, now=now)
    second = actions.start_payment(order=order, now=now + timedelta(minutes=5))
    assert (first.pk, first.session_url) == (second.pk, second.session_url)


def test_changed_gift_ends_the_page_and_opens_another(stripe: Sandbox) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    first = actions.start_payment(order=order, now=now)
    actions.set_gift(order=order, gift_pence=500, now=now)
    order.refresh_from_db()
    second = actions.start_payment(order=order, now=now)
    first.refresh_from_db()
    assert first.status == Payment.Status.CLOSED
    assert (second.status, second.amount_pence) == (Payment.Status.OPEN, 500)


def test_take_without_gift_ends_the_page_and_confirms(stripe: Sandbox) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    actions.start_payment(order=order, now=now)
    actions.take_without_gift(order=order, now=now)
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
    assert Payment.objects.get().status == Payment.Status.CLOSED
    assert Donation.objects.get().status == Donation.Status.WITHDRAWN


def test_take_without_gift_after_paying_keeps_the_gift(stripe: Sandbox) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=now)
    stripe.pay(str(payment.session_id))
    with pytest.raises(donations.actions.AlreadyReceived):
        actions.take_without_gift(order=order, now=now)
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
    assert Donation.objects.get().status == Donation.Status.RECEIVED


def test_late_payment_is_honoured_while_places_last(
    stripe: Sandbox, work: Callable[[], int]
) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=now)
    # As if Stripe had said 'expired' and somebody paid all the same.
    Order.objects.filter(pk=order.pk).update(status=Order.Status.EXPIRED)
    order.tickets.update(status=Ticket.Status.RELEASED)
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=now)
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
    assert [t.status for t in order.tickets.all()] == ["valid"]


def test_late_payment_without_places_goes_back(stripe: Sandbox, work: Callable[[], int]) -> None:
    now = timezone.now()
    conference = make_conference(types={"Only": 1})
    order = make_order(conference, gift_pence=1500)
    payment = actions.start_payment(order=order, now=now)
    Order.objects.filter(pk=order.pk).update(status=Order.Status.EXPIRED)
    order.tickets.update(status=Ticket.Status.RELEASED)
    make_order(conference, names=("Quicker",), email="quick@example.org")
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=now)
    work()
    refund = Refund.objects.get()
    assert (refund.status, refund.reason) == (Refund.Status.SUCCEEDED, Refund.Reason.NO_PLACES)
    assert Donation.objects.get().status == Donation.Status.REFUNDED
    assert Mail.objects.filter(key__startswith="refunded:").count() == 1
    assert Mail.objects.filter(key=f"tickets:{order.pk}:1").count() == 0


def test_expire_asks_stripe_and_writes_to_who_walked_away(
    stripe: Sandbox, work: Callable[[], int]
) -> None:
    now = timezone.now()
    order = make_order(gift_pence=1500)
    actions.start_payment(order=order, now=now)
    order.refresh_from_db()
    actions.expire(order=order, now=order.expires_at)
    order.refresh_from_db()
    assert order.status == Order.Status.EXPIRED
    assert [t.status for t in order.tickets.all()] == ["released"]
    assert Mail.objects.get().key.startswith("released:")
    actions.retake(order=order, now=now)
    order.refresh_from_db()
    assert (order.status, order.tickets.get().status) == ("reserved", "held")


def test_expire_of_a_paid_order_confirms_it(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=timezone.now())
    stripe.pay(str(payment.session_id))
    order.refresh_from_db()
    actions.expire(order=order, now=order.expires_at)
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED


def test_expire_while_stripe_is_down_keeps_the_places(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500)
    actions.start_payment(order=order, now=timezone.now())
    stripe.stop()
    order.refresh_from_db()
    with pytest.raises(donations.actions.CannotPayNow):
        actions.expire(order=order, now=order.expires_at)
    order.refresh_from_db()
    assert (order.status, order.tickets.get().status) == ("reserved", "held")
