"""Sessions at Stripe that bear our marks and are unknown here: told once, others' never."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference.models import Heartbeat
from donations import stripe_api, unknown
from donations.models import Payment, StripeEvent
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.payments import open_payment, paid
from tests.webhooks import deliver_all, outcomes

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
KEY = uuid.UUID(int=7).hex


def pay_elsewhere(stripe: Sandbox, pence: int = 1500, **metadata: str) -> str:
    """Pay a session that nothing here has opened; its id."""
    item = {
        "quantity": 1,
        "price_data": {
            "currency": "gbp",
            "unit_amount": pence,
            "product_data": {"name": "Donation"},
        },
    }
    body: dict[str, Any] = {
        "mode": "payment",
        "line_items": [item],
        "success_url": "http://site.test/thanks",
        "metadata": metadata,
    }
    made = stripe_api.create_session(body, key=str(uuid.uuid4()))
    stripe.pay(made.id, "maya@example.org")
    return made.id


def ours(**changes: str) -> dict[str, str]:
    return {"reference": "ABCD-EFGH", "payment": KEY, "site": unknown.site()} | changes


def told() -> list[tuple[str, str]]:
    """The sessions at the desk and the beginning of what is said of each."""
    found = StripeEvent.objects.filter(outcome="attention").order_by("pk")
    return [(event.event_id, event.problem.partition(", page")[0]) for event in found]


def lists(stripe: Sandbox) -> int:
    """How many pages of sessions were asked for."""
    asked = [(method, path) for method, path, _ in stripe.calls]
    return asked.count(("GET", "/v1/checkout/sessions"))


def test_paid_session_with_our_marks_is_told_once(stripe: Sandbox, clock: Clock) -> None:
    paid(stripe, clock)
    session_id = pay_elsewhere(stripe, **ours())
    for _ in range(3):
        unknown.sweep(clock.advance(minutes=11))
    assert told() == [(session_id, "Booking ABCD-EFGH, £15, paid")]
    assert lists(stripe) == 3


def test_event_of_such_a_session_tells_the_same(stripe: Sandbox, clock: Clock, work: Work) -> None:
    session_id = pay_elsewhere(stripe, **ours())
    deliver_all(stripe, "checkout.session.")
    work()
    assert told() == [(session_id, "Booking ABCD-EFGH, £15, paid")]
    unknown.sweep(clock.advance(minutes=1))
    assert outcomes() == [
        ("checkout.session.completed", "done"),
        ("checkout.session.completed", "attention"),
    ]


@pytest.mark.parametrize(
    ("marks", "is_told"),
    [
        ({"site": ""}, True),  # of a version that did not name the site
        ({"site": "elsewhere.example"}, False),
        ({"reference": ""}, False),
        ({"payment": ""}, False),
        ({"payment": "42"}, False),
        ({}, True),
    ],
)
def test_sessions_of_others_are_left_alone(
    stripe: Sandbox, clock: Clock, work: Work, marks: dict[str, str], is_told: bool
) -> None:
    pay_elsewhere(stripe, **{name: text for name, text in ours(**marks).items() if text})
    deliver_all(stripe, "checkout.session.")
    work()
    unknown.sweep(clock.advance(minutes=1))
    assert len(told()) == is_told


def test_other_site_on_the_same_account_tells_nothing_of_ours(
    stripe: Sandbox, clock: Clock, settings: Settings
) -> None:
    paid(stripe, clock)
    Payment.objects.update(session_id=None)
    settings.BASE_URL = "https://other.example"
    unknown.sweep(clock.advance(minutes=1))
    assert told() == []


def test_payment_that_has_not_learned_its_session_yet_is_known(
    stripe: Sandbox, clock: Clock
) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    Payment.objects.update(session_id=None, status=Payment.Status.BEGUN)
    unknown.sweep(clock.advance(minutes=1))
    assert told() == []
    Payment.objects.update(status=Payment.Status.CLOSED)
    unknown.sweep(clock.advance(minutes=11))
    assert len(told()) == 1


def test_open_and_expired_sessions_are_nothing_to_look_at(stripe: Sandbox, clock: Clock) -> None:
    open_payment()
    ended = open_payment()
    stripe.expire(str(ended.session_id))
    StripeEvent.objects.all().delete()
    Payment.objects.all().delete()
    unknown.sweep(clock.advance(minutes=1))
    assert told() == []


def test_look_comes_every_ten_minutes_and_is_one_page_in_calm_times(
    stripe: Sandbox, clock: Clock
) -> None:
    for _ in range(30):
        unknown.sweep(clock.advance(minutes=1))
    assert lists(stripe) == 3


def test_look_goes_back_to_where_the_last_one_ended(stripe: Sandbox, clock: Clock) -> None:
    unknown.sweep(clock.now())
    session_id = pay_elsewhere(stripe, **ours())
    clock.advance(days=3, hours=2)
    before = lists(stripe)
    for _ in range(6):
        unknown.sweep(clock.advance(minutes=1))
    assert lists(stripe) - before == 4  # a day at a time
    assert [told_of for told_of, _ in told()] == [session_id]


def test_look_is_repeated_while_stripe_is_out_of_reach(stripe: Sandbox, clock: Clock) -> None:
    unknown.sweep(clock.now())
    looked_at = Heartbeat.objects.get(name="stripe sessions").seen_at
    session_id = pay_elsewhere(stripe, **ours())
    stripe.faults.add_call("500", times=None)
    unknown.sweep(clock.advance(minutes=11))
    assert Heartbeat.objects.get(name="stripe sessions").seen_at == looked_at
    stripe.faults.clear()
    unknown.sweep(clock.advance(minutes=1))
    assert [told_of for told_of, _ in told()] == [session_id]


def test_pages_are_read_to_the_end(stripe: Sandbox, clock: Clock) -> None:
    for number in range(101):
        pay_elsewhere(stripe, **ours(payment=uuid.UUID(int=number).hex))
    unknown.sweep(clock.advance(minutes=1))
    assert (len(told()), lists(stripe)) == (101, 2)


def test_look_that_lies_ahead_of_a_clock_set_back_begins_anew(
    stripe: Sandbox, clock: Clock
) -> None:
    unknown.look_back_to(timezone.now() + timedelta(days=2))
    unknown.sweep(clock.now())
    assert lists(stripe) == 1
    assert Heartbeat.objects.get(name="stripe sessions").seen_at <= clock.now()
