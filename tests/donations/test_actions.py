"""Going to Stripe with a gift, with everything that can go wrong there."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

import donations.actions
from donations import stripe_api
from donations.actions import CannotPayNow, ask_stripe
from donations.models import Donation, Payment, Refund
from donations.settlement import settle
from sandbox import server
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.factories import make_order
from tests.payments import at_stripe, begun_refund
from tickets import actions
from tickets.models import Order

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
CREATE = "/v1/checkout/sessions"


def sessions(stripe: Sandbox) -> list[dict[str, Any]]:
    return at_stripe(stripe, "checkout/sessions")


def test_answer_lost_on_the_way_keeps_the_reservation_and_leads_to_the_same_page(
    stripe: Sandbox,
) -> None:
    order = make_order(gift_pence=1500)
    stripe.faults.add_call("commit_cut", path=CREATE, times=2)  # the SDK tries twice
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=timezone.now())
    order.refresh_from_db()
    begun = Payment.objects.get()
    assert (order.status, begun.status) == (Order.Status.RESERVED, Payment.Status.BEGUN)
    payment = actions.start_payment(order=order, now=timezone.now())
    # One session: key and body were repeated to the letter.
    assert [row["id"] for row in sessions(stripe)] == [payment.session_id]
    assert (payment.pk, payment.idempotency_key) == (begun.pk, begun.idempotency_key)
    assert payment.request_body == begun.request_body


def test_line_cut_once_is_not_even_noticed(stripe: Sandbox) -> None:
    stripe.faults.add_call("commit_cut", path=CREATE)
    payment = actions.start_payment(order=make_order(gift_pence=1500), now=timezone.now())
    assert [row["url"] for row in sessions(stripe)] == [payment.session_url]


@pytest.mark.parametrize(
    ("fault", "times"), [("429", 1), ("409", 2), ("commit_cut", 2), ("hang", 1), ("500", 1)]
)
def test_stripe_in_trouble_keeps_the_reservation_and_the_next_try_works(
    stripe: Sandbox, monkeypatch: pytest.MonkeyPatch, fault: str, times: int
) -> None:
    if fault == "hang":
        monkeypatch.setattr(stripe_api, "_TIMEOUT", (1, 0.2))
    order = make_order(gift_pence=1500)
    stripe.faults.add_call(fault, path=CREATE, times=times, seconds=600)
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=timezone.now())
    order.refresh_from_db()
    assert (order.status, order.tickets.get().status) == ("reserved", "held")
    stripe.faults.clear()
    monkeypatch.setattr(stripe_api, "_TIMEOUT", (1, 10))
    stripe_api._client_for.cache_clear()
    payment = _patiently(order)
    assert [row["id"] for row in sessions(stripe)] == [payment.session_id]
    assert Payment.objects.live().count() == 1


def _patiently(order: Order) -> Payment:
    """Try until Stripe has done with the call that hung, whose key it keeps until then."""
    for _ in range(100):
        try:
            return actions.start_payment(order=order, now=timezone.now())
        except CannotPayNow:
            time.sleep(0.1)
    raise AssertionError("Stripe never answered")


def test_error_on_stripes_side_after_it_was_done_is_looked_up(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500)
    stripe.faults.add_call("commit_500", path=CREATE)
    payment = actions.start_payment(order=order, now=timezone.now())
    assert [row["id"] for row in sessions(stripe)] == [payment.session_id]
    assert payment.session_url == sessions(stripe)[0]["url"]


def test_stripe_out_of_reach_keeps_the_reservation(stripe: Sandbox, settings: LazySettings) -> None:
    order = make_order(gift_pence=1500)
    stripe.stop()
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=timezone.now())
    order.refresh_from_db()
    assert order.status == Order.Status.RESERVED
    with server.start(webhook_url=None, webhook_secret="whsec_local") as back:
        settings.STRIPE_API_BASE = back.base_url
        payment = actions.start_payment(order=order, now=timezone.now())
        assert [row["id"] for row in sessions(back)] == [payment.session_id]


def test_call_that_never_arrived_is_made_anew_once_its_end_is_too_near(
    stripe: Sandbox, clock: Clock
) -> None:
    order = make_order(gift_pence=1500)
    stripe.faults.add_call("429", path=CREATE)
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=clock.now())
    clock.advance(minutes=3)
    payment = actions.start_payment(order=order, now=clock.now())
    assert [p.status for p in Payment.objects.order_by("pk")] == ["closed", "open"]
    assert [row["id"] for row in sessions(stripe)] == [payment.session_id]


def test_lost_answer_is_learnt_by_the_sweep(stripe: Sandbox, clock: Clock) -> None:
    order = make_order(gift_pence=1500)
    stripe.faults.add_call("commit_cut", path=CREATE, times=2)
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=clock.now())
    donations.actions.sweep(clock.advance(minutes=4))
    payment = Payment.objects.get()
    assert (payment.status, payment.session_id) == ("open", sessions(stripe)[0]["id"])
    assert actions.start_payment(order=order, now=clock.now()).pk == payment.pk


def test_after_a_day_a_lost_answer_is_looked_up(stripe: Sandbox, clock: Clock) -> None:
    order = make_order(gift_pence=1500)
    stripe.faults.add_call("commit_cut", path=CREATE, times=2)
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=clock.now())
    clock.advance(hours=25)
    payment = ask_stripe(payment=Payment.objects.get(), now=clock.now())
    assert (payment.status, payment.session_id) == ("closed", sessions(stripe)[0]["id"])
    assert len(sessions(stripe)) == 1


def test_after_a_day_a_call_that_never_arrived_is_given_up(stripe: Sandbox, clock: Clock) -> None:
    order = make_order(gift_pence=1500)
    stripe.faults.add_call("429", path=CREATE)
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=clock.now())
    clock.advance(hours=25)
    payment = ask_stripe(payment=Payment.objects.get(), now=clock.now())
    assert (payment.status, payment.session_id) == ("closed", None)
    assert payment.problem == "Stripe knows of no such session."


def test_session_near_its_end_gives_way_to_a_new_one(stripe: Sandbox, clock: Clock) -> None:
    order = make_order(gift_pence=1500)
    first = actions.start_payment(order=order, now=clock.now())
    clock.advance(minutes=29)
    second = actions.start_payment(order=order, now=clock.now())
    assert [row["status"] for row in sessions(stripe)] == ["open", "expired"]
    first.refresh_from_db()
    assert (first.status, second.status) == (Payment.Status.CLOSED, Payment.Status.OPEN)


def test_refused_body_is_no_endless_wait(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500, email="not an address")
    with pytest.raises(CannotPayNow):
        actions.start_payment(order=order, now=timezone.now())
    payment = Payment.objects.get()
    assert (payment.status, payment.problem != "") == (Payment.Status.CLOSED, True)


def test_paid_meanwhile_is_booked_instead_of_ended(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=timezone.now())
    stripe.pay(str(payment.session_id))
    with pytest.raises(donations.actions.AlreadyReceived):
        actions.set_gift(order=order, gift_pence=500, now=timezone.now())
    assert (Donation.objects.get().status, Donation.objects.get().amount_pence) == (
        "received",
        1500,
    )


def test_nothing_is_changed_while_the_bank_is_at_work(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=timezone.now())
    stripe.pay_later(str(payment.session_id))
    for change in (
        lambda: actions.set_gift(order=order, gift_pence=500, now=timezone.now()),
        lambda: actions.take_without_gift(order=order, now=timezone.now()),
        lambda: actions.start_payment(order=order, now=timezone.now()),
    ):
        with pytest.raises(donations.actions.WithTheBank):
            change()
    assert Payment.objects.get().status == Payment.Status.PROCESSING


def test_withdrawn_gift_opens_no_page(stripe: Sandbox) -> None:
    order = make_order(gift_pence=1500)
    actions.take_without_gift(order=order, now=timezone.now())
    assert order.donation is not None
    order.donation.refresh_from_db()
    checkout = donations.actions.Checkout("X", "Donation", "http://x.test/a", "http://x.test/b")
    with pytest.raises(donations.actions.AlreadyReceived):
        donations.actions.start_checkout(
            donation=order.donation, checkout=checkout, now=timezone.now()
        )
    assert stripe.calls == []


def test_of_two_paid_sessions_the_second_goes_back(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    order = make_order(gift_pence=1500)
    first = actions.start_payment(order=order, now=clock.now())
    # As if Stripe had said that the first page was closed.
    Payment.objects.update(status=Payment.Status.CLOSED)
    second = actions.start_payment(order=order, now=clock.now())
    for payment in (second, first):
        stripe.pay(str(payment.session_id))
        settle(str(payment.session_id), now=clock.now())
    work()
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.reason, refund.status) == (
        first.pk,
        Refund.Reason.PAID_TWICE,
        Refund.Status.SUCCEEDED,
    )
    assert [row["payment_intent"] for row in at_stripe(stripe, "refunds")] == [
        Payment.objects.get(pk=first.pk).payment_intent_id
    ]
    order.refresh_from_db()
    assert (order.status, Donation.objects.get().status) == ("confirmed", "received")


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_stripe_is_asked(
    stripe: Sandbox, clock: Clock, work: Work, calls_inside_transactions: list[str]
) -> None:
    order = make_order(gift_pence=1500)
    actions.start_payment(order=order, now=clock.now())
    actions.set_gift(order=order, gift_pence=500, now=clock.now())
    order.refresh_from_db()
    payment = actions.start_payment(order=order, now=clock.now())
    donations.actions.sweep(clock.advance(minutes=4))
    stripe.pay(str(payment.session_id))
    settle(str(payment.session_id), now=clock.now())
    payment.refresh_from_db()
    begun_refund(payment, clock)
    work()
    for end in (actions.take_without_gift, actions.expire):
        other = make_order(gift_pence=1500, now=clock.now())
        actions.start_payment(order=other, now=clock.now())
        clock.advance(minutes=41)
        other.refresh_from_db()
        end(order=other, now=clock.now())
    donations.actions.sweep(clock.advance(minutes=4))
    assert calls_inside_transactions == []
    assert {path.rsplit("_", 1)[0] for _, path, _ in stripe.calls} >= {CREATE, "/v1/refunds"}
