"""Checkout Sessions by the real SDK: what they look like in every state, and what is refused."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.errors import Refusal
from sandbox.server import Sandbox

Refused = Callable[..., tuple[Any, ...]]
INVALID = (400, "invalid_request_error")


def test_session_is_open_and_unpaid_when_created(
    checkout: Callable[..., Any], sandbox: Sandbox
) -> None:
    session = checkout()
    assert session.id.startswith("cs_test_")
    assert session.url == f"{sandbox.base_url}/c/pay/{session.id}"
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency) == (1500, "gbp")
    assert (session.payment_intent, session.customer) == (None, None)
    assert (session.livemode, session.ui_mode) == (False, "hosted_page")
    assert session.expires_at == session.created + 24 * 60 * 60
    assert session.metadata.to_dict() == {"order": "A1"}
    assert "line_items" not in session


def test_session_keeps_what_it_was_given(checkout: Callable[..., Any], sandbox: Sandbox) -> None:
    soon = sandbox.clock.now() + 31 * 60
    session = checkout(
        adaptive_pricing={"enabled": False},
        client_reference_id="ref-1",
        expires_at=soon,
        locale="en-GB",
        submit_type="book",
    )
    assert session.adaptive_pricing.enabled is False
    assert session.client_reference_id == "ref-1"
    assert (session.expires_at, session.locale, session.submit_type) == (soon, "en-GB", "book")


def test_pay_completes_session_and_its_payment(
    checkout: Callable[..., Any], client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    session_id = checkout().id
    sandbox.pay(session_id)
    session = client.v1.checkout.sessions.retrieve(
        session_id, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    )
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert session.customer is None
    assert session.customer_details.email == "maya@example.org"
    intent = session.payment_intent
    assert (intent.status, intent.amount_received) == ("succeeded", 1500)
    assert intent.metadata.to_dict() == {"order": "A1"}
    charge = intent.latest_charge
    assert (charge.status, charge.paid, charge.amount_refunded) == ("succeeded", True, 0)
    assert charge.metadata.to_dict() == {"order": "A1"}
    booked = charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net) == (1500, 43, 1457)
    assert [event["type"] for event in sandbox.events] == [
        "payment_intent.succeeded",
        "charge.succeeded",
        "checkout.session.completed",
    ]


def test_pay_happens_once(checkout: Callable[..., Any], sandbox: Sandbox) -> None:
    session = checkout()
    sandbox.pay(session.id)
    with pytest.raises(Refusal, match="This Checkout Session is complete"):
        sandbox.pay(session.id)


def test_guest_without_address_gives_it_when_paying(
    checkout: Callable[..., Any], sandbox: Sandbox
) -> None:
    session = checkout(customer_email=None)
    assert (session.customer_email, session.customer_details) == (None, None)
    paid = sandbox.pay(session.id, "guest@example.org")
    assert paid["customer_details"]["email"] == "guest@example.org"
    assert paid["customer_email"] is None


def test_decline_leaves_session_open_for_another_attempt(
    checkout: Callable[..., Any], client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    session_id = checkout().id
    sandbox.decline(session_id)
    session = client.v1.checkout.sessions.retrieve(session_id)
    assert (session.status, session.payment_intent) == ("open", None)
    (intent,) = client.v1.payment_intents.list().data
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == "card_declined"
    paid = sandbox.pay(session_id)
    assert paid["payment_intent"] == intent.id
    charges = client.v1.charges.list({"payment_intent": intent.id}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


@pytest.mark.parametrize(
    ("ok", "status", "event"),
    [
        (True, "paid", "checkout.session.async_payment_succeeded"),
        (False, "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_pay_later_completes_unpaid_until_the_bank_answers(
    checkout: Callable[..., Any],
    client: stripe.StripeClient,
    sandbox: Sandbox,
    ok: bool,
    status: str,
    event: str,
) -> None:
    session_id = checkout().id
    sandbox.pay_later(session_id)
    session = client.v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]})
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert session.payment_intent.status == "processing"
    assert session.payment_intent.latest_charge.startswith("py_")
    assert [e["type"] for e in sandbox.events] == ["checkout.session.completed"]
    sandbox.settle_later(session_id, ok=ok)
    session = client.v1.checkout.sessions.retrieve(session_id)
    assert (session.status, session.payment_status) == ("complete", status)
    assert sandbox.events[-1]["type"] == event
    with pytest.raises(Refusal, match=r"waits for the bank|already refused"):
        sandbox.settle_later(session_id)


def test_expire_closes_open_session(
    checkout: Callable[..., Any], client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    session = client.v1.checkout.sessions.expire(checkout().id)
    assert (session.status, session.url) == ("expired", None)
    (event,) = sandbox.events
    assert event["type"] == "checkout.session.expired"
    assert event["request"]["id"].startswith("req_")


@pytest.mark.parametrize("state", ["complete", "expired"])
def test_expire_refuses_session_that_is_not_open(
    checkout: Callable[..., Any],
    client: stripe.StripeClient,
    sandbox: Sandbox,
    refused: Refused,
    state: str,
) -> None:
    session = checkout()
    end = sandbox.pay if state == "complete" else sandbox.expire
    end(session.id)
    assert refused(client.v1.checkout.sessions.expire, session.id) == (
        *INVALID,
        None,
        None,
        (
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{state}`."
        ),
    )


def test_clock_expires_sessions_whose_time_has_passed(
    checkout: Callable[..., Any], client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    soon = checkout(expires_at=sandbox.clock.now() + 31 * 60).id
    later = checkout(expires_at=sandbox.clock.now() + 60 * 60).id
    sandbox.advance(31 * 60)
    states = [client.v1.checkout.sessions.retrieve(each).status for each in (soon, later)]
    assert states == ["expired", "open"]
    assert [(e["type"], e["data"]["object"]["id"]) for e in sandbox.events] == [
        ("checkout.session.expired", soon)
    ]
    sandbox.reset_clock()
    assert client.v1.checkout.sessions.retrieve(later).status == "open"


def item(**price: Any) -> list[dict[str, Any]]:
    data = {"currency": "gbp", "unit_amount": 1500, "product_data": {"name": "Gift"}, **price}
    kept = {name: value for name, value in data.items() if value is not None}
    return [{"price_data": kept, "quantity": 1}]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        (
            {"line_items": item(custom_unit_amount={"enabled": True})},
            "parameter_unknown",
            "line_items[0][price_data][custom_unit_amount]",
        ),
        (
            {"payment_intent_data": {"metadate": {"a": "b"}}},
            "parameter_unknown",
            "payment_intent_data[metadate]",
        ),
        ({"wallet_options": {"link": {}}, "mode": "pay"}, None, "mode"),
        ({"automatic_tax": {"enabled": True}}, "parameter_unknown", "automatic_tax"),
        ({"mode": None}, "parameter_missing", "mode"),
        ({"line_items": None}, "parameter_missing", "line_items"),
        ({"success_url": None}, "parameter_missing", "success_url"),
        (
            {"line_items": item(currency=None)},
            "parameter_missing",
            "line_items[0][price_data][currency]",
        ),
        (
            {"line_items": item(unit_amount=None)},
            "parameter_missing",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            {"line_items": item(product_data=None)},
            "parameter_missing",
            "line_items[0][price_data][product_data]",
        ),
        ({"line_items": item(currency="usd")}, None, "line_items[0][price_data][currency]"),
        (
            {"line_items": item(unit_amount="15.00")},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        (
            {"line_items": item(unit_amount=-1)},
            "parameter_invalid_integer",
            "line_items[0][price_data][unit_amount]",
        ),
        ({"line_items": item(unit_amount=29)}, "amount_too_small", "line_items"),
        ({"line_items": item(unit_amount=0)}, "amount_too_small", "line_items"),
        ({"line_items": item(unit_amount=100_000_000)}, "amount_too_large", "line_items"),
        ({"cancel_url": ""}, "parameter_invalid_empty", "cancel_url"),
        ({"cancel_url": "javascript:alert(1)"}, "url_invalid", "cancel_url"),
        ({"customer_email": "maya"}, "email_invalid", "customer_email"),
        ({"client_reference_id": "x" * 201}, None, "client_reference_id"),
        ({"metadata": {"a": "x" * 501}}, None, "metadata[a]"),
        ({"metadata": {"a" * 41: "x"}}, None, f"metadata[{'a' * 41}]"),
        ({"metadata": {str(n): "x" for n in range(51)}}, None, "metadata"),
        ({"locale": "en-XX"}, None, "locale"),
        ({"submit_type": "give"}, None, "submit_type"),
    ],
)
def test_create_refuses(
    client: stripe.StripeClient,
    session_params: Callable[..., dict[str, Any]],
    refused: Refused,
    changes: dict[str, Any],
    code: str | None,
    param: str,
) -> None:
    answer = refused(client.v1.checkout.sessions.create, session_params(**changes))
    assert answer[:4] == (*INVALID, code, param)
    assert client.v1.checkout.sessions.list().data == []


@pytest.mark.parametrize("unit_amount", [30, 99_999_999])
def test_create_takes_the_least_and_the_most(
    checkout: Callable[..., Any], unit_amount: int
) -> None:
    assert checkout(line_items=item(unit_amount=unit_amount)).amount_total == unit_amount


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-60, "at least 30 minutes"),
        (30 * 60 - 5, "at least 30 minutes"),
        (24 * 60 * 60 + 60, "less than 24 hours"),
    ],
)
def test_create_refuses_expiry_out_of_bounds(
    client: stripe.StripeClient,
    session_params: Callable[..., dict[str, Any]],
    refused: Refused,
    sandbox: Sandbox,
    seconds: int,
    words: str,
) -> None:
    given = session_params(expires_at=sandbox.clock.now() + seconds)
    answer = refused(client.v1.checkout.sessions.create, given)
    assert answer[:4] == (*INVALID, None, "expires_at")
    assert words in answer[4]


def test_retrieve_refuses_unknown_session(client: stripe.StripeClient, refused: Refused) -> None:
    assert refused(client.v1.checkout.sessions.retrieve, "cs_test_no") == (
        404,
        "invalid_request_error",
        "resource_missing",
        "session",
        "No such checkout.session: 'cs_test_no'",
    )


def test_session_is_paid_once_by_many_at_once(
    checkout: Callable[..., Any], client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    session_id = checkout().id
    outcomes: list[str] = []

    def pay() -> None:
        try:
            outcomes.append(sandbox.pay(session_id)["status"])
        except Refusal as refusal:
            outcomes.append(refusal.message)

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["This Checkout Session is complete."] * 7 + ["complete"]
    assert len(client.v1.balance_transactions.list().data) == 1
