"""The webhook's inbox: what is taken, what is refused, and what follows from it."""

import itertools
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, OperationalError, connection
from django.test import Client
from django.utils import timezone

from conference.models import Mail
from donations import by_hand, webhooks
from donations.models import Donation, Payment, Refund, StripeEvent
from donations.settlement import settle
from sandbox import events, server
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.factories import make_order, make_user
from tests.webhooks import deliver, deliver_all, post, post_signed
from tickets import actions
from tickets.models import Order

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
SECRET = "whsec_local"
Outcome = StripeEvent.Outcome


def an_event(**changes: Any) -> dict[str, Any]:
    """An event as Stripe shapes it, about nothing of ours."""
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_800_000_000,
        "data": {"object": {"id": "cus_1", "object": "customer"}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "customer.created",
    } | changes


def open_page(**fields: Any) -> Payment:
    """A payment of £15 whose page at Stripe is open."""
    return actions.start_payment(order=make_order(gift_pence=1500, **fields), now=timezone.now())


def outcomes() -> list[tuple[str, str]]:
    """The type and outcome of every event in the inbox."""
    return list(StripeEvent.objects.order_by("pk").values_list("type", "outcome"))


def test_signed_event_is_thanked_for_before_anything_follows(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    answer = deliver(stripe, stripe.events[-1]["id"])
    assert (answer.status_code, answer.content) == (200, b"Thank you")
    order = Order.objects.get()
    assert order.status == Order.Status.RESERVED
    work()
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
    assert outcomes() == [("checkout.session.completed", Outcome.DONE)]
    assert Mail.objects.count() == 1


def test_event_delivered_twice_is_one_event(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    event_id = stripe.events[-1]["id"]
    assert [deliver(stripe, event_id).status_code for _ in range(2)] == [200, 200]
    work()
    assert deliver(stripe, event_id).status_code == 200
    work()
    assert StripeEvent.objects.count() == Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_event_delivered_by_several_at_once_is_one_event(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    event_id = stripe.events[-1]["id"]

    def receive(number: int) -> int:
        try:
            return deliver(stripe, event_id).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as together:
        assert list(together.map(receive, range(12))) == [200] * 12
    assert StripeEvent.objects.count() == 1
    work()
    assert Mail.objects.count() == 1


def test_events_in_the_wrong_order_end_the_same(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    stripe.pay_later(str(payment.session_id))
    stripe.settle_later(str(payment.session_id))
    for event in reversed(stripe.events):
        deliver(stripe, event["id"])
        work()
    assert Order.objects.get().status == Order.Status.CONFIRMED
    assert Donation.objects.get().status == Donation.Status.RECEIVED
    assert Mail.objects.count() == 1


def test_news_of_an_end_after_a_payment_changes_nothing(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    about = {"id": payment.session_id, "object": "checkout.session", "status": "expired"}
    event = an_event(type="checkout.session.expired", data={"object": about})
    assert post_signed(event).status_code == 200
    work()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.PAID


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "t=1,v1=00",
        "v1=00",
        "t=later,v1=00",
        "nonsense",
    ],
)
def test_bad_signature_is_refused(signature: str | None) -> None:
    answer = post(json.dumps(an_event()).encode(), signature)
    assert (answer.status_code, answer.content) == (400, b"Not signed")
    assert StripeEvent.objects.count() == 0


def test_signature_by_another_secret_is_refused() -> None:
    body = json.dumps(an_event()).encode()
    assert post(body, events.signature(body, "whsec_other", int(time.time()))).status_code == 400


def test_changed_body_is_refused() -> None:
    body = json.dumps(an_event()).encode()
    signature = events.signature(body, SECRET, int(time.time()))
    assert post(body.replace(b"evt_1", b"evt_2"), signature).status_code == 400


def test_old_signature_is_refused() -> None:
    body = json.dumps(an_event()).encode()
    assert post(body, events.signature(body, SECRET, int(time.time()) - 301)).status_code == 400


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not JSON",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b"{}",
        json.dumps(an_event(data=None)).encode(),
        json.dumps(an_event(data={})).encode(),
        json.dumps({k: v for k, v in an_event().items() if k != "livemode"}).encode(),
        json.dumps({"object": "v2.core.event", "id": "evt_1", "type": "v1.x"}).encode(),
    ],
)
def test_signed_nonsense_is_refused(payload: bytes) -> None:
    assert post_signed(payload).status_code == 400
    assert StripeEvent.objects.count() == 0


def test_a_megabyte_is_too_large() -> None:
    answer = post_signed(an_event(padding="x" * 1024 * 1024))
    assert (answer.status_code, answer.content) == (413, b"Too large")
    assert StripeEvent.objects.count() == 0


def test_length_that_is_no_number_is_refused() -> None:
    answer = Client().post("/stripe/webhook/", b"{}", "application/json", CONTENT_LENGTH="many")
    assert answer.status_code == 413


def test_only_post_is_answered() -> None:
    assert Client().get("/stripe/webhook/").status_code == 405


def test_unknown_type_is_taken_and_put_aside(work: Work) -> None:
    assert post_signed(an_event()).status_code == 200
    work()
    assert outcomes() == [("customer.created", Outcome.NOT_OURS)]


def test_foreign_session_is_put_aside_without_asking_stripe(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    calls = len(stripe.calls)
    about = {"id": "cs_test_foreign", "object": "checkout.session", "payment_status": "paid"}
    post_signed(an_event(type="checkout.session.completed", data={"object": about}))
    work()
    assert outcomes() == [("checkout.session.completed", Outcome.NOT_OURS)]
    payment.refresh_from_db()
    assert (payment.status, len(stripe.calls)) == (Payment.Status.OPEN, calls)


def test_event_that_lies_is_not_believed(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    about = {"id": payment.session_id, "payment_status": "paid", "status": "complete"}
    post_signed(an_event(type="checkout.session.completed", data={"object": about}))
    work()
    payment.refresh_from_db()
    assert payment.status == Payment.Status.OPEN
    assert Order.objects.get().status == Order.Status.RESERVED


def test_event_of_the_other_mode_is_shown_to_a_person(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    assert post_signed(stripe.events[-1] | {"livemode": True}).status_code == 200
    work()
    event = StripeEvent.objects.get()
    assert (event.outcome, event.problem) == (
        Outcome.ATTENTION,
        "It comes from Stripe's other mode.",
    )
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


def test_event_waits_while_stripe_is_down(stripe: Sandbox, clock: Clock, work: Work) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    deliver(stripe, stripe.events[-1]["id"])
    stripe.faults.add_call("429", times=1)
    work()
    event = StripeEvent.objects.get()
    assert event.outcome == Outcome.WAITING
    webhooks.sweep(clock.advance(minutes=3))
    work()
    event.refresh_from_db()
    assert event.outcome == Outcome.DONE
    assert Order.objects.get().status == Order.Status.CONFIRMED


def test_events_that_wait_keep_no_worker_busy_while_stripe_is_down(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = open_page()
    for number in range(3):
        about = {"id": payment.session_id}
        kind = "checkout.session.completed"
        post_signed(an_event(id=f"evt_{number}", type=kind, data={"object": about}))
    stripe.faults.add_call("429", times=None)
    work()
    calls = len(stripe.calls)
    webhooks.sweep(clock.advance(minutes=3))
    # One question about what waits, and one for what got lost.
    assert (work(), len(stripe.calls) - calls) == (0, 2)
    stripe.faults.clear()
    webhooks.sweep(clock.advance(minutes=1))
    work()
    assert {outcome for _, outcome in outcomes()} == {Outcome.DONE}


def test_looking_again_at_an_event_that_is_done_does_nothing(stripe: Sandbox, work: Work) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    deliver(stripe, stripe.events[-1]["id"])
    work()
    calls = len(stripe.calls)
    webhooks.process_inbox(now=timezone.now())
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
    monkeypatch.setattr(webhooks, "INBOX_EVENTS", most)
    ticks = itertools.count()
    monkeypatch.setattr(webhooks, "monotonic", lambda: next(ticks) / 4)
    monkeypatch.setattr(webhooks, "INBOX_FOR", seconds or 0.5)
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

    monkeypatch.setattr(webhooks.stripe_api, "refunds_of", trips)
    about = {"id": "re_1", "payment_intent": "pi_1"}
    post_signed(an_event(type="refund.created", data={"object": about}))
    payment = open_page()
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

    monkeypatch.setattr(webhooks.stripe_api, "refunds_of", is_away)
    about = {"id": "re_1", "payment_intent": "pi_1"}
    post_signed(an_event(type="refund.created", data={"object": about}))
    with pytest.raises(OperationalError):
        webhooks.process_inbox(now=timezone.now())
    assert outcomes() == [("refund.created", Outcome.WAITING)]


def paid_order(stripe: Sandbox, work: Work) -> Payment:
    """A payment of £15 that has arrived, with its mail out."""
    payment = open_page()
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


def test_refund_that_is_heard_of_before_its_payment_is_taken_up_again(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = open_page()
    stripe.pay(str(payment.session_id))
    stripe.refund(str(payment.session_id), 500)
    deliver_all(stripe, "refund")
    deliver_all(stripe, "charge.refunded")
    work()
    assert {outcome for _, outcome in outcomes()} == {Outcome.NOT_OURS}
    settle(str(payment.session_id), now=clock.now())
    for minutes in (3, 1):
        webhooks.sweep(clock.advance(minutes=minutes))
        work()
    assert {outcome for _, outcome in outcomes()} == {Outcome.DONE}
    assert Refund.objects.get().amount_pence == 500


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


def test_events_that_never_came_are_fetched(
    settings: LazySettings, clock: Clock, work: Work
) -> None:
    with server.start(webhook_url="http://127.0.0.1:9/", webhook_secret=SECRET) as stripe:
        stripe.deliver_webhooks(False)
        settings.STRIPE_API_BASE = stripe.base_url
        payment = open_page()
        stripe.pay(str(payment.session_id))
        settle(str(payment.session_id), now=clock.now())
        stripe.refund(str(payment.session_id), 500)
        stripe.dispute(str(payment.session_id))
        for minutes in (11, 11):
            webhooks.sweep(clock.advance(minutes=minutes))
            work()
    assert sorted(outcomes()) == [
        ("charge.dispute.created", Outcome.ATTENTION),
        ("charge.dispute.funds_withdrawn", Outcome.ATTENTION),
        ("charge.refunded", Outcome.DONE),
        ("refund.created", Outcome.DONE),
    ]
    assert Refund.objects.get().amount_pence == 500
