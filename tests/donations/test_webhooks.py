"""The webhook: which events are stored, which are refused, and what the sweep makes up for."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from conference.models import Mail
from donations import webhooks
from donations.models import Refund, StripeEvent
from donations.settlement import settle
from sandbox import events, server
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.payments import open_payment
from tests.webhooks import an_event, deliver, deliver_all, outcomes, post, post_signed
from tickets.models import Order

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
SECRET = "whsec_local"
Outcome = StripeEvent.Outcome


def test_signed_event_is_thanked_for_before_anything_follows(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
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
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    event_id = stripe.events[-1]["id"]
    assert [deliver(stripe, event_id).status_code for _ in range(2)] == [200, 200]
    work()
    assert deliver(stripe, event_id).status_code == 200
    work()
    assert StripeEvent.objects.count() == Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_event_delivered_by_several_at_once_is_one_event(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
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


def test_event_sent_as_a_form_with_files_is_refused() -> None:
    answer = Client().post("/stripe/webhook/", {"a": "b"}, headers={"Stripe-Signature": "t=1,v1=x"})
    assert (answer.status_code, answer.content) == (400, b"Not signed")


def test_a_megabyte_is_too_large() -> None:
    answer = post_signed(an_event(padding="x" * 1024 * 1024))
    assert (answer.status_code, answer.content) == (413, b"Too large")
    assert StripeEvent.objects.count() == 0


def test_length_that_is_no_number_is_refused() -> None:
    answer = Client().post("/stripe/webhook/", b"{}", "application/json", CONTENT_LENGTH="many")
    assert answer.status_code == 413


def test_only_post_is_answered() -> None:
    assert Client().get("/stripe/webhook/").status_code == 405


def test_event_of_the_other_mode_is_shown_to_a_person(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    assert post_signed(stripe.events[-1] | {"livemode": True}).status_code == 200
    work()
    event = StripeEvent.objects.get()
    assert (event.outcome, event.problem) == (
        Outcome.ATTENTION,
        "It comes from Stripe's other mode.",
    )
    assert Order.objects.get().status == Order.Status.RESERVED


def test_event_waits_while_stripe_is_down(stripe: Sandbox, clock: Clock, work: Work) -> None:
    payment = open_payment()
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
    payment = open_payment()
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


def test_refund_that_is_heard_of_before_its_payment_is_taken_up_again(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    payment = open_payment()
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


def test_events_that_never_came_are_fetched(
    settings: LazySettings, clock: Clock, work: Work
) -> None:
    with server.start(webhook_url="http://127.0.0.1:9/", webhook_secret=SECRET) as stripe:
        stripe.deliver_webhooks(False)
        settings.STRIPE_API_BASE = stripe.base_url
        payment = open_payment()
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
