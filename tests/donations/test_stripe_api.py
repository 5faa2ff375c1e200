"""How Stripe's answers and silences become words of our own."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from donations import stripe_api
from donations.stripe_api import BadEvent, Broken, Refused, Unavailable
from sandbox import events, server
from sandbox.server import Sandbox
from tests.between import between


def body(reference: str = "R", **changes: Any) -> dict[str, Any]:
    """The parameters of a session of £15."""
    item = {
        "quantity": 1,
        "price_data": {
            "currency": "gbp",
            "unit_amount": 1500,
            "product_data": {"name": "Donation"},
        },
    }
    return {
        "mode": "payment",
        "line_items": [item],
        "client_reference_id": reference,
        "success_url": "http://site.test/thanks",
    } | changes


def test_session_is_told_in_our_words(stripe: Sandbox) -> None:
    made = stripe_api.create_session(body(), key="k")
    assert made == stripe_api.Session(
        id=made.id,
        url=f"{stripe.base_url}/c/pay/{made.id}",
        status="open",
        payment_status="unpaid",
        amount_pence=1500,
        currency="gbp",
        is_live=False,
        payment_intent_id=None,
        created_at=made.created_at,
    )
    assert abs((timezone.now() - made.created_at).total_seconds()) < 60
    assert (made.is_paid, made.has_failed) == (False, False)


def test_same_key_gives_the_same_session(stripe: Sandbox) -> None:
    made = [stripe_api.create_session(body(), key="k") for _ in range(2)]
    assert made[0] == made[1]


def test_same_key_with_another_body_is_refused(stripe: Sandbox) -> None:
    stripe_api.create_session(body(), key="k")
    with pytest.raises(Refused):
        stripe_api.create_session(body("other"), key="k")


def test_paid_session_names_its_intent(stripe: Sandbox) -> None:
    made = stripe_api.create_session(body(), key="k")
    stripe.pay(made.id, "maya@example.org")
    now = stripe_api.retrieve_session(made.id)
    assert (now.is_paid, now.has_failed, now.intent_status) == (True, False, "succeeded")
    assert str(now.payment_intent_id).startswith("pi_")
    assert now.url == ""


def test_session_with_the_bank_is_neither_paid_nor_failed(stripe: Sandbox) -> None:
    made = stripe_api.create_session(body(), key="k")
    stripe.pay_later(made.id, "maya@example.org")
    now = stripe_api.retrieve_session(made.id)
    assert (now.status, now.is_paid, now.has_failed) == ("complete", False, False)
    stripe.settle_later(made.id, ok=False)
    now = stripe_api.retrieve_session(made.id)
    assert (now.status, now.is_paid, now.has_failed) == ("complete", False, True)


def test_ending_what_is_not_open_is_refused(stripe: Sandbox) -> None:
    made = stripe_api.create_session(body(), key="k")
    assert stripe_api.expire_session(made.id).status == "expired"
    with pytest.raises(Refused):
        stripe_api.expire_session(made.id)


def test_session_is_found_among_many(stripe: Sandbox) -> None:
    since = timezone.now() - timedelta(minutes=5)
    ids = [stripe_api.create_session(body(f"R{n}"), key=f"k{n}").id for n in range(120)]
    found = stripe_api.find_session("R3", since=since)
    assert found is not None
    assert found.id == ids[3]
    assert stripe_api.find_session("R999", since=since) is None


def _create() -> object:
    return stripe_api.create_session(body(), key="k")


def _retrieve() -> object:
    return stripe_api.retrieve_session("cs_test_x")


def _refund() -> object:
    return stripe_api.create_refund(
        payment_intent_id="pi_x", amount_pence=100, key="k", our_mark="1", reason="asked"
    )


CALLS = [_create, _retrieve, _refund]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("500", Broken),
        ("429", Unavailable),
        ("409", Unavailable),
        ("hang", Unavailable),
    ],
)
def test_trouble_at_stripe_is_no_refusal(
    stripe: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[], object],
    fault: str,
    error: type[Exception],
) -> None:
    if fault == "hang":
        monkeypatch.setattr(stripe_api, "_TIMEOUT", (1, 0.2))
    # A call that hangs does so until this test is over.
    stripe.faults.add_call(fault, times=None, seconds=600)
    with pytest.raises(Unavailable) as caught:
        call()
    assert type(caught.value) is error


def test_cut_line_is_no_refusal(stripe: Sandbox) -> None:
    stripe.faults.add_call("commit_cut", times=None)
    with pytest.raises(Unavailable) as caught:
        _create()
    assert type(caught.value) is Unavailable


@pytest.mark.parametrize("call", CALLS)
def test_nobody_there_is_no_refusal(stripe: Sandbox, call: Callable[[], object]) -> None:
    stripe.stop()
    with pytest.raises(Unavailable) as caught:
        call()
    assert type(caught.value) is Unavailable


def test_wrong_key_is_no_refusal(stripe: Sandbox, settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = "sk_live_somebody"
    with pytest.raises(Unavailable) as caught:
        _create()
    assert "sk_live_somebody" not in str(caught.value)


@pytest.mark.parametrize("call", [_retrieve, _refund])
def test_what_stripe_does_not_know_is_refused(stripe: Sandbox, call: Callable[[], object]) -> None:
    with pytest.raises(Refused):
        call()


def test_answer_that_is_no_json_is_no_refusal(stripe: Sandbox, settings: LazySettings) -> None:
    settings.STRIPE_API_BASE = f"{stripe.base_url}/control"
    with pytest.raises(Unavailable):
        _create()


def test_refund_is_known_by_our_mark(stripe: Sandbox) -> None:
    made = stripe_api.create_session(body(), key="k")
    intent = str(stripe.pay(made.id, "maya@example.org")["payment_intent"])
    ours = stripe_api.create_refund(
        payment_intent_id=intent, amount_pence=500, key="r", our_mark="7", reason="asked"
    )
    stripe.refund(made.id, 300)
    told = [(r.amount_pence, r.our_mark) for r in stripe_api.refunds_of(intent)]
    assert told == [(300, ""), (500, "7")]
    assert stripe_api.retrieve_refund(ours.id) == ours


def signed(**changes: Any) -> tuple[bytes, str]:
    """An event and its signature."""
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "refund.created",
        "livemode": False,
        "data": {"object": {"id": "re_1", "object": "refund", "payment_intent": "pi_1"}},
    } | changes
    payload = json.dumps(event).encode()
    return payload, events.signature(payload, "whsec_local", int(time.time()))


def test_event_is_told_in_our_words() -> None:
    told = {"id": "evt_1", "type": "refund.created", "is_live": False}
    assert stripe_api.read_event(*signed()) == stripe_api.Event(
        **told, about_id="re_1", payment_intent_id="pi_1"
    )
    intent = {"object": {"id": "pi_2", "object": "payment_intent"}}
    assert stripe_api.read_event(*signed(data=intent)) == stripe_api.Event(
        **told, about_id="pi_2", payment_intent_id="pi_2"
    )
    assert stripe_api.read_event(*signed(data={"object": {"object": "balance"}})) == (
        stripe_api.Event(**told, about_id="", payment_intent_id="")
    )


def test_event_signed_for_somebody_else_is_bad(settings: LazySettings) -> None:
    payload, signature = signed()
    settings.STRIPE_WEBHOOK_SECRET = "whsec_other"
    with pytest.raises(BadEvent):
        stripe_api.read_event(payload, signature)


def test_undelivered_events_are_listed(settings: LazySettings) -> None:
    with server.start(webhook_url="http://127.0.0.1:9/", webhook_secret="s") as stripe:
        stripe.deliver_webhooks(False)
        settings.STRIPE_API_BASE = stripe.base_url
        made = stripe_api.create_session(body(), key="k")
        stripe.pay(made.id, "maya@example.org")
        stripe.refund(made.id)
        lost = stripe_api.undelivered_events(
            ["refund.created"], since=timezone.now() - timedelta(days=1)
        )
        (event,) = list(lost)
    assert (event.type, event.is_live) == ("refund.created", False)
    assert (event.about_id[:3], event.payment_intent_id[:3]) == ("re_", "pi_")


@pytest.fixture
def kept_calls(stripe: Sandbox, settings: LazySettings) -> Iterator[list[dict[str, Any]]]:
    """Every answer of Stripe's, as it was."""
    answers: list[dict[str, Any]] = []
    with between(stripe, answers.append) as address:
        settings.STRIPE_API_BASE = address
        yield answers


def test_stripe_is_asked_at_the_address_of_the_settings(
    kept_calls: list[dict[str, Any]],
) -> None:
    made = stripe_api.create_session(body(), key="k")
    assert [answer["id"] for answer in kept_calls] == [made.id]
