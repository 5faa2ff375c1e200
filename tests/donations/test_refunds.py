"""Giving money back, with everything that can go wrong at Stripe."""

from collections.abc import Callable

import pytest

import donations.actions
from donations import refunds, stripe_api
from donations.models import Donation, Payment, Refund
from donations.settlement import settle
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.factories import make_order
from tests.payments import at_stripe, begun_refund, paid
from tickets import actions

pytestmark = pytest.mark.django_db

Work = Callable[[], int]


def test_refund_with_its_answer_lost_is_made_once(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    begun_refund(paid(stripe, clock), clock)
    stripe.faults.add_call("commit_cut", path="/v1/refunds", times=2)
    work()
    assert Refund.objects.get().status == Refund.Status.BEGUN
    donations.actions.sweep(clock.advance(minutes=31))
    work()
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert len(at_stripe(stripe, "refunds")) == 1


@pytest.mark.parametrize("fault", ["500", "commit_500"])
def test_refund_after_an_error_on_stripes_side_is_made_once(
    stripe: Sandbox, clock: Clock, work: Work, fault: str
) -> None:
    begun_refund(paid(stripe, clock), clock)
    stripe.faults.add_call(fault, path="/v1/refunds", method="POST")
    work()
    assert Refund.objects.get().status == Refund.Status.BEGUN
    donations.actions.sweep(clock.advance(minutes=31))
    work()
    refund = Refund.objects.get()
    assert (refund.status, refund.problem) == (Refund.Status.SUCCEEDED, "")
    assert [row["id"] for row in at_stripe(stripe, "refunds")] == [refund.refund_id]


def test_refund_with_its_answer_lost_for_a_day_is_found(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    begun_refund(paid(stripe, clock), clock)
    stripe.faults.add_call("commit_cut", path="/v1/refunds", times=2)
    work()
    donations.actions.sweep(clock.advance(hours=25))
    work()
    refund = Refund.objects.get()
    assert (refund.status, [row["id"] for row in at_stripe(stripe, "refunds")]) == (
        Refund.Status.SUCCEEDED,
        [refund.refund_id],
    )


def test_refund_already_made_by_hand_counts_as_ours(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = paid(stripe, clock)
    begun_refund(payment, clock)
    by_hand = stripe.refund(str(payment.session_id))
    work()
    refund = Refund.objects.get()
    assert (refund.refund_id, refund.status) == (by_hand["id"], Refund.Status.SUCCEEDED)
    assert Donation.objects.get().status == Donation.Status.REFUNDED


def test_second_refund_of_a_sum_is_not_taken_for_the_first_that_was_refused(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    refused = begun_refund(paid(stripe, clock), clock)
    Refund.objects.filter(pk=refused.pk).update(status=Refund.Status.FAILED)
    again = begun_refund(refused.payment, clock)
    stripe.faults.add_call("commit_cut", path="/v1/refunds", times=2)
    work()
    (made,) = at_stripe(stripe, "refunds")
    # Stripe tells of it before its answer is asked for again.
    for state in stripe_api.refunds_of(made["payment_intent"]):
        refunds.book(state, now=clock.now())
    refused.refresh_from_db()
    again.refresh_from_db()
    assert (refused.status, refused.refund_id) == (Refund.Status.FAILED, None)
    assert (again.status, again.refund_id) == (Refund.Status.SUCCEEDED, made["id"])


def test_refund_that_another_worker_is_at_is_left_to_it(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    refund = begun_refund(paid(stripe, clock), clock)
    mine, others = Refund.objects.get(pk=refund.pk), Refund.objects.get(pk=refund.pk)
    refunds.send(refund=others, now=clock.now())
    calls = len(stripe.calls)
    refunds.send(refund=mine, now=clock.now())
    assert len(stripe.calls) == calls


def test_refused_refund_is_left_to_a_person(stripe: Sandbox, clock: Clock, work: Work) -> None:
    payment = paid(stripe, clock)
    begun_refund(payment, clock)
    Donation.objects.update(status=Donation.Status.REFUNDED)
    stripe.dispute(str(payment.session_id))
    work()
    refund = Refund.objects.get()
    assert (refund.status, "charged back" in refund.problem) == (Refund.Status.FAILED, True)
    # The money is not on its way back after all.
    assert Donation.objects.get().status == Donation.Status.RECEIVED


def test_refund_of_what_stripe_does_not_know_is_left_to_a_person(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = paid(stripe, clock)
    begun_refund(payment, clock)
    Payment.objects.update(payment_intent_id="pi_of_another_account")
    work()
    refund = Refund.objects.get()
    assert (refund.status, "pi_of_another_account" in refund.problem) == ("failed", True)


def test_refund_to_a_bank_is_asked_about_until_it_has_arrived(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = actions.start_payment(order=make_order(gift_pence=1500), now=clock.now())
    stripe.pay_later(str(payment.session_id))
    stripe.settle_later(str(payment.session_id))
    payment = settle(str(payment.session_id), now=clock.now()) or payment
    begun_refund(payment, clock)
    work()
    refund = Refund.objects.get()
    assert refund.status == Refund.Status.PENDING
    stripe.settle_refund(str(refund.refund_id))
    donations.actions.sweep(clock.advance(minutes=31))
    work()
    refund.refresh_from_db()
    assert refund.status == Refund.Status.SUCCEEDED


def test_refund_that_is_done_is_not_asked_for_again(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    begun_refund(paid(stripe, clock), clock)
    work()
    calls = len(stripe.calls)
    refunds.send(refund=Refund.objects.get(), now=clock.now())
    assert len(stripe.calls) == calls
