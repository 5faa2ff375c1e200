"""The inbox of Stripe's events: what follows from each of them, in whatever order they come."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from conference.models import Mail
from donations import by_hand, inbox, webhooks
from donations.models import Donation, Payment, Refund, StripeEvent
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.factories import make_user
from tests.payments import open_payment
from tests.webhooks import an_event, deliver, deliver_all, outcomes, post_signed
from tickets.models import Order

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
Outcome = StripeEvent.Outcome


def test_events_in_the_wrong_order_end_the_same(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    stripe.pay_later(str(payment.session_id))
    stripe.settle_later(str(payment.session_id))
    for event in reversed(stripe.events):
        deliver(stripe, event["id"])
        work()
    assert Order.objects.get().status == Order.Status.CONFIRMED
    assert Donation.objects.get().status == Donation.Status.RECEIVED
    assert Mail.objects.count() == 1


def test_news_of_an_end_after_a_payment_changes_nothing(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    about = {"id": payment.session_id, "object": "checkout.session", "status": "expired"}
    event = an_event(type="checkout.session.expired", data={"object": about})
    assert post_signed(event).status_code == 200
    work()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.PAID


def test_unknown_type_is_taken_and_put_aside(work: Work) -> None:
    assert post_signed(an_event()).status_code == 200
    work()
    assert outcomes() == [("customer.created", Outcome.NOT_OURS)]


def test_session_of_another_account_is_put_aside(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    calls = len(stripe.calls)
    about = {"id": "cs_test_foreign", "object": "checkout.session", "payment_status": "paid"}
    post_signed(an_event(type="checkout.session.completed", data={"object": about}))
    work()
    assert outcomes() == [("checkout.session.completed", Outcome.NOT_OURS)]
    payment.refresh_from_db()
    assert (payment.status, len(stripe.calls)) == (Payment.Status.OPEN, calls + 1)


def test_event_that_lies_is_not_believed(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    about = {"id": payment.session_id, "payment_status": "paid", "status": "complete"}
    post_signed(an_event(type="checkout.session.completed", data={"object": about}))
    work()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.OPEN
    assert Order.objects.get().status == Order.Status.RESERVED


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("checkout.session.completed", {}),
        ("checkout.session.completed", None),
    ],
)
def test_event_in_a_shape_that_is_new_is_shown_to_a_person(
    stripe: Sandbox, work: Work, kind: str, about: Any
) -> None:
    assert post_signed(an_event(type=kind, data={"object": about})).status_code == 200
    work()
    assert outcomes() == [(kind, Outcome.ATTENTION)]


def test_refund_of_no_payment_of_ours_is_put_aside(stripe: Sandbox, work: Work) -> None:
    about = {"id": "re_1", "payment_intent": None}
    post_signed(an_event(type="refund.created", data={"object": about}))
    work()
    assert outcomes() == [("refund.created", Outcome.NOT_OURS)]
    assert stripe.calls == []


def test_looking_again_at_an_event_that_is_done_does_nothing(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    deliver(stripe, stripe.events[-1]["id"])
    work()
    calls = len(stripe.calls)
    inbox.process(now=timezone.now())
    assert len(stripe.calls) == calls


def test_one_look_takes_up_all_events_that_wait(stripe: Sandbox, work: Work) -> None:
    for number in range(3):
        post_signed(an_event(id=f"evt_{number}"))
    assert work() == 1
    assert [outcome for _, outcome in outcomes()] == [Outcome.NOT_OURS] * 3


@pytest.mark.parametrize(("most", "seconds", "tasks"), [(2, 60, 3), (200, 0, 3), (5, 60, 1)])
def test_many_events_let_other_work_come_between(
    stripe: Sandbox,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    seconds: int,
    tasks: int,
) -> None:
    monkeypatch.setattr(inbox, "MOST_EVENTS", most)
    ticks = itertools.count()
    monkeypatch.setattr(inbox, "monotonic", lambda: next(ticks) / 4)
    monkeypatch.setattr(inbox, "LONGEST", seconds or 0.5)
    for number in range(5):
        post_signed(an_event(id=f"evt_{number}"))
    assert work() == tasks
    assert [outcome for _, outcome in outcomes()] == [Outcome.NOT_OURS] * 5


@pytest.mark.parametrize("mistake", [KeyError("status"), IntegrityError("one intent twice")])
def test_event_that_trips_us_up_waits_for_a_person_and_keeps_no_other_back(
    stripe: Sandbox, work: Work, monkeypatch: pytest.MonkeyPatch, mistake: Exception
) -> None:
    def trips(intent_id: str) -> None:
        raise mistake

    monkeypatch.setattr(inbox.stripe_api, "refunds_of", trips)
    about = {"id": "re_1", "payment_intent": "pi_1"}
    post_signed(an_event(type="refund.created", data={"object": about}))
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    deliver_all(stripe, "checkout.session.completed")
    work()
    assert outcomes() == [
        ("refund.created", Outcome.ATTENTION),
        ("checkout.session.completed", Outcome.DONE),
    ]
    first = StripeEvent.objects.order_by("pk")[0]
    assert first.problem == f"{type(mistake).__name__}: see the log"


def test_event_waits_while_the_database_is_away(
    stripe: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away(intent_id: str) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(inbox.stripe_api, "refunds_of", is_away)
    about = {"id": "re_1", "payment_intent": "pi_1"}
    post_signed(an_event(type="refund.created", data={"object": about}))
    with pytest.raises(OperationalError):
        inbox.process(now=timezone.now())
    assert outcomes() == [("refund.created", Outcome.WAITING)]


def paid_order(stripe: Sandbox, work: Work) -> Payment:
    """A payment of £15 that has arrived, with its mail out."""
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    deliver_all(stripe, "checkout.session.completed")
    work()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.PAID
    return payment


def test_refund_made_at_stripe_is_written_down(stripe: Sandbox, work: Work) -> None:
    payment = paid_order(stripe, work)
    stripe.refund(str(payment.session_id))
    assert deliver_all(stripe, "refund") == ["refund.created"]
    deliver_all(stripe, "charge.refunded")
    work()
    refund = Refund.objects.get()
    assert (refund.amount_pence, refund.reason, refund.status) == (
        1500,
        Refund.Reason.AT_STRIPE,
        Refund.Status.SUCCEEDED,
    )
    assert Donation.objects.get().status == Donation.Status.REFUNDED
    # Giving money back and taking tickets back are two decisions.
    assert Order.objects.get().status == Order.Status.CONFIRMED


def test_refunds_of_parts_leave_the_gift_until_all_is_back(stripe: Sandbox, work: Work) -> None:
    payment = paid_order(stripe, work)
    seen = []
    for pence in (500, 500, 500):
        stripe.refund(str(payment.session_id), pence)
        deliver_all(stripe, "refund")
        work()
        seen.append((Refund.objects.count(), Donation.objects.get().status))
    assert seen == [(1, "received"), (2, "received"), (3, "refunded")]


def test_refund_that_fails_later_brings_the_gift_back(stripe: Sandbox, work: Work) -> None:
    payment = paid_order(stripe, work)
    made = stripe.refund(str(payment.session_id))
    deliver_all(stripe, "refund")
    work()
    stripe.fail_refund(made["id"])
    deliver_all(stripe, "refund")
    work()
    assert Refund.objects.get().status == Refund.Status.FAILED
    assert Donation.objects.get().status == Donation.Status.RECEIVED
    assert list(Refund.objects.failed_for_good()) == [Refund.objects.get()]


def test_event_that_nothing_follows_from_is_looked_at_once(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = paid_order(stripe, work)
    about = {"id": "ch_1", "object": "charge", "payment_intent": payment.payment_intent_id}
    post_signed(an_event(type="charge.succeeded", data={"object": about}))
    work()
    looked_at = StripeEvent.objects.get(type="charge.succeeded")
    assert looked_at.outcome == Outcome.NOT_OURS
    webhooks.sweep(clock.advance(minutes=3))
    assert StripeEvent.objects.get(pk=looked_at.pk).processed_at == looked_at.processed_at
    assert work() == 0


def test_stripe_telling_late_undoes_nothing_that_was_put_right_by_hand(
    stripe: Sandbox, work: Work
) -> None:
    organiser = make_user()
    payment = paid_order(stripe, work)
    made = stripe.refund(str(payment.session_id))
    stripe.fail_refund(made["id"])
    deliver_all(stripe, "refund.failed")
    work()
    failed = Refund.objects.get()
    by_hand.paid_back_otherwise(refund=failed, by=organiser, now=timezone.now())
    deliver_all(stripe, "refund")
    work()
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert Donation.objects.get().status == Donation.Status.REFUNDED


@pytest.mark.parametrize("first", ["refund.created", "refund.failed", "charge.refunded"])
def test_refund_events_in_any_order_end_the_same(stripe: Sandbox, work: Work, first: str) -> None:
    payment = paid_order(stripe, work)
    made = stripe.refund(str(payment.session_id))
    stripe.fail_refund(made["id"])
    deliver_all(stripe, first)
    work()
    deliver_all(stripe)
    work()
    assert Refund.objects.get().status == Refund.Status.FAILED
    assert Donation.objects.get().status == Donation.Status.RECEIVED


def test_dispute_is_shown_to_a_person(stripe: Sandbox, work: Work) -> None:
    payment = paid_order(stripe, work)
    stripe.dispute(str(payment.session_id))
    deliver_all(stripe, "charge.dispute.")
    work()
    assert outcomes()[1:] == [
        ("charge.dispute.created", Outcome.ATTENTION),
        ("charge.dispute.funds_withdrawn", Outcome.ATTENTION),
    ]


def test_fraud_warning_is_shown_to_a_person(stripe: Sandbox, work: Work) -> None:
    payment = paid_order(stripe, work)
    stripe.warn_of_fraud(str(payment.session_id))
    deliver_all(stripe, "radar.")
    work()
    assert outcomes()[1:] == [("radar.early_fraud_warning.created", Outcome.ATTENTION)]
