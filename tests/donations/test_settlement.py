"""The one place where money becomes 'paid': what it believes, and what it leaves to a person."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

import donations.actions
from conference.models import AuditEntry, Mail
from donations import refunds, stripe_api
from donations.models import Donation, Payment, Refund
from donations.settlement import book, settle
from donations.stripe_api import Session
from sandbox.server import Sandbox
from tests.between import between
from tests.clock import Clock
from tests.factories import make_conference, make_order
from tests.payments import open_payment
from tickets import actions, sweep
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db

Work = Callable[[], int]


def state() -> tuple[str, str, str]:
    """How the only order, donation and payment stand."""
    return (Order.objects.get().status, Donation.objects.get().status, Payment.objects.get().status)


def changed(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Makes every session in Stripe's answers say `value` under `name`."""

    def change(told: dict[str, Any]) -> None:
        if told.get("object") == "checkout.session":
            told[name] = value

    return change


def test_unpaid_session_stays_open(stripe: Sandbox) -> None:
    payment = open_payment()
    assert settle(str(payment.session_id), now=timezone.now()) == payment
    assert state() == ("reserved", "pledged", "open")


def test_declined_card_leaves_the_page_open(stripe: Sandbox) -> None:
    payment = open_payment()
    stripe.decline(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    assert state() == ("reserved", "pledged", "open")


def test_paid_session_is_the_gift(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    now = timezone.now()
    settle(str(payment.session_id), now=now)
    work()
    assert state() == ("confirmed", "received", "paid")
    payment.refresh_from_db()
    assert (payment.paid_at, str(payment.payment_intent_id)[:3]) == (now, "pi_")
    assert Donation.objects.get().received_at == now


def test_paid_session_is_not_asked_about_again(stripe: Sandbox) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    calls = len(stripe.calls)
    settle(str(payment.session_id), now=timezone.now())
    assert len(stripe.calls) == calls


def test_foreign_session_is_none_of_ours(stripe: Sandbox) -> None:
    assert settle("cs_test_foreign", now=timezone.now()) is None
    assert stripe.calls == []


def test_stripe_out_of_reach_changes_nothing(stripe: Sandbox) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    stripe.stop()
    with pytest.raises(stripe_api.Unavailable):
        settle(str(payment.session_id), now=timezone.now())
    assert state() == ("reserved", "pledged", "open")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("amount_total", 100, "The session is over 100p."),
        ("amount_total", 15, "The session is over 15p."),
        ("currency", "usd", "The session is in usd."),
        ("livemode", True, "The session belongs to Stripe's other mode."),
        ("payment_intent", None, "The session is paid without a payment intent."),
    ],
)
def test_words_that_differ_from_ours_are_left_to_a_person(
    stripe: Sandbox,
    settings: LazySettings,
    work: Work,
    name: str,
    value: Any,
    problem: str,
) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    with between(stripe, changed(name, value)) as address:
        settings.STRIPE_API_BASE = address
        settle(str(payment.session_id), now=timezone.now())
    work()
    assert state() == ("reserved", "pledged", "parked")
    assert Payment.objects.get().problem == problem
    assert AuditEntry.objects.filter(verb="payment parked").count() == 1
    assert Mail.objects.count() == 0


def test_parked_payment_keeps_its_places_and_takes_no_second_one(
    stripe: Sandbox, settings: LazySettings, clock: Clock
) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    with between(stripe, changed("currency", "eur")) as address:
        settings.STRIPE_API_BASE = address
        settle(str(payment.session_id), now=clock.now())
    settings.STRIPE_API_BASE = stripe.base_url
    settle(str(payment.session_id), now=clock.now())
    order = Order.objects.get()
    with pytest.raises(donations.actions.WithTheBank):
        actions.start_payment(order=order, now=clock.now())
    sweep.sweep(clock.advance(hours=2))
    assert state() == ("reserved", "pledged", "parked")


def test_session_that_stripe_does_not_know_is_left_to_a_person(stripe: Sandbox) -> None:
    payment = open_payment()
    Payment.objects.update(session_id="cs_test_of_another_account")
    settle("cs_test_of_another_account", now=timezone.now())
    assert state() == ("reserved", "pledged", "parked")
    with pytest.raises(donations.actions.WithTheBank):
        actions.take_without_gift(order=payment.donation.order, now=timezone.now())


def test_bank_that_takes_its_time_keeps_the_places(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = open_payment()
    stripe.pay_later(str(payment.session_id))
    settle(str(payment.session_id), now=clock.now())
    assert state() == ("reserved", "pledged", "processing")
    for _ in range(3):
        donations.actions.sweep(clock.advance(days=1))
        sweep.sweep(clock.now())
    assert state() == ("reserved", "pledged", "processing")
    stripe.settle_later(str(payment.session_id))
    donations.actions.sweep(clock.advance(hours=1))
    work()
    assert state() == ("confirmed", "received", "paid")
    assert Mail.objects.count() == 1


def test_bank_that_refuses_lets_the_places_go_and_tells_the_payer(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = open_payment()
    stripe.pay_later(str(payment.session_id))
    settle(str(payment.session_id), now=clock.now())
    stripe.settle_later(str(payment.session_id), ok=False)
    donations.actions.sweep(clock.advance(hours=1))
    assert state() == ("reserved", "pledged", "closed")
    sweep.sweep(clock.now())
    assert state() == ("expired", "pledged", "closed")
    assert [mail.key.split(":")[0] for mail in Mail.objects.all()] == ["released"]


def told(payment: Payment, **words: Any) -> Session:
    """Stripe's word about a payment's session, open unless it says otherwise."""
    session = Session(
        id=str(payment.session_id),
        url=payment.session_url,
        status="open",
        payment_status="unpaid",
        amount_pence=1500,
        currency="gbp",
        is_live=False,
        payment_intent_id=None,
        created_at=payment.created_at,
    )
    return replace(session, **words)


@pytest.mark.parametrize("late", [{}, {"status": "complete"}])
def test_old_word_of_stripe_does_not_open_what_has_ended(
    stripe: Sandbox, late: dict[str, str]
) -> None:
    payment = open_payment()
    order = Order.objects.get()
    actions.set_gift(order=order, gift_pence=500, now=timezone.now())
    order.refresh_from_db()
    second = actions.start_payment(order=order, now=timezone.now())
    book(payment, told(payment, **late), now=timezone.now())
    payment.refresh_from_db()
    second.refresh_from_db()
    assert (payment.status, second.status) == (Payment.Status.CLOSED, Payment.Status.OPEN)


def test_old_word_of_stripe_does_not_take_a_payment_from_the_bank(stripe: Sandbox) -> None:
    payment = open_payment()
    stripe.pay_later(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    book(payment, told(payment), now=timezone.now())
    assert state() == ("reserved", "pledged", "processing")


def test_what_is_paid_stays_paid(stripe: Sandbox) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    book(payment, told(payment, status="expired"), now=timezone.now())
    assert state() == ("confirmed", "received", "paid")


def test_gift_that_arrives_after_it_was_withdrawn_is_kept(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    order = Order.objects.get()
    Payment.objects.update(status=Payment.Status.CLOSED)
    actions.take_without_gift(order=order, now=timezone.now())
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    work()
    assert state() == ("confirmed", "received", "paid")
    assert Mail.objects.count() == 1


def gone_and_paid_late(stripe: Sandbox) -> Order:
    """An order without a gift any more: paid after its only place went to somebody quicker."""
    conference = make_conference(types={"Only": 1})
    order = make_order(conference, gift_pence=1500)
    payment = actions.start_payment(order=order, now=timezone.now())
    # As if Stripe had said that the page was closed, and somebody paid all the same.
    Order.objects.update(status=Order.Status.EXPIRED)
    Ticket.objects.update(status=Ticket.Status.RELEASED)
    quicker = make_order(conference, names=("Quicker",), email="quick@example.org")
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    actions.cancel_order(order=quicker, now=timezone.now())
    order.refresh_from_db()
    return order


def test_gift_that_went_back_can_be_promised_anew(stripe: Sandbox, work: Work) -> None:
    order = gone_and_paid_late(stripe)
    work()
    actions.retake(order=order, now=timezone.now())
    order = Order.objects.select_related("donation").get(pk=order.pk)
    assert order.donation is not None
    assert (order.status, order.donation.status) == ("reserved", "pledged")
    payment = actions.start_payment(order=order, now=timezone.now())
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=timezone.now())
    order.refresh_from_db()
    order.donation.refresh_from_db()
    assert (order.status, order.donation.status) == ("confirmed", "received")
    assert [refund.payment_id == payment.pk for refund in Refund.objects.all()] == [False]


def test_places_taken_again_after_a_refund_are_let_go_again(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    order = gone_and_paid_late(stripe)
    work()
    actions.retake(order=order, now=clock.now())
    sweep.sweep(clock.advance(hours=1))
    order.refresh_from_db()
    assert (order.status, order.tickets.get().status) == ("expired", "released")


def test_places_are_given_where_the_gift_could_not_go_back(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    order = gone_and_paid_late(stripe)
    work()
    stripe.fail_refund(str(Refund.objects.get().refund_id))
    refund = Refund.objects.get()
    refunds.book(stripe_api.retrieve_refund(str(refund.refund_id)), now=clock.now())
    actions.retake(order=order, now=clock.now())
    order = Order.objects.select_related("donation").get(pk=order.pk)
    assert order.donation is not None
    assert (order.status, order.donation.status) == ("confirmed", "received")


@pytest.mark.django_db(transaction=True)
def test_everybody_at_once_settles_once(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    errors: list[Exception] = []
    together = threading.Barrier(6)

    def hear() -> None:
        together.wait()
        try:
            settle(str(payment.session_id), now=timezone.now() + timedelta(seconds=1))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=hear) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()
    assert errors == []
    assert state() == ("confirmed", "received", "paid")
    assert AuditEntry.objects.filter(verb="confirmed").count() == 1
    assert Mail.objects.count() == 1
