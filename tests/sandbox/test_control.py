"""The control side, by JSON as tests use it and by forms as people do."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from sandbox.control import ACTIONS
from sandbox.server import Sandbox
from tests.sandbox.shop import params

Http = Callable[..., requests.Response]
Checkout = Callable[..., Any]


@pytest.fixture
def post(http: Http) -> Callable[..., Any]:
    """Post JSON to an action; its result, or (status, error)."""

    def call(action: str, **given: Any) -> Any:
        answer = http("POST", f"/control/{action}", json=given)
        body = answer.json()
        return body["result"] if answer.ok else (answer.status_code, body["error"])

    return call


def test_every_action_works_by_json(post: Callable[..., Any], checkout: Checkout) -> None:
    done: dict[str, Any] = {}

    def do(action: str, field: str, **given: Any) -> Any:
        result = post(action, **given)
        done[action] = result[field]
        return result

    def fresh() -> str:
        return checkout().id

    paid = do("pay", "payment_status", session=fresh())["id"]
    do("decline", "status", session=fresh())
    do("expire", "status", session=fresh())
    later = do("pay-later", "payment_status", session=fresh())["id"]
    do("settle-later", "payment_status", session=later, ok=True)
    refund = do("refund", "amount", payment=paid, amount=200)["id"]
    do("refund-fails", "status", refund=refund)
    pending = post("refund", payment=later, pounds="1.50")["id"]
    do("refund-succeeds", "status", refund=pending)
    do("fraud-warning", "actionable", payment=paid)
    payout = do("payout", "status")["id"]
    do("payout-fails", "status", payout=payout)
    dispute = do("dispute", "reason", payment=paid, reason="duplicate")["id"]
    do("dispute-answer", "status", dispute=dispute)
    do("dispute-close", "status", dispute=dispute, won=False)
    do("webhooks", "on", on=False)
    do("fault-in-call", "calls", kind="hang", path="/v1/refunds", seconds=2, times="all")
    do("fault-in-delivery", "deliveries", kind="swap", types="refund.*", times=3)
    do("faults-clear", "calls")
    assert done == {
        "pay": "paid",
        "decline": "open",
        "expire": "expired",
        "pay-later": "unpaid",
        "settle-later": "paid",
        "refund": 200,
        "refund-fails": "failed",
        "refund-succeeds": "succeeded",
        "fraud-warning": True,
        "payout": "paid",
        "payout-fails": "failed",
        "dispute": "duplicate",
        "dispute-answer": "under_review",
        "dispute-close": "lost",
        "webhooks": False,
        "fault-in-call": [
            {
                "kind": "hang",
                "pattern": "/v1/refunds",
                "method": "*",
                "times": None,
                "seconds": 2.0,
            }
        ],
        "fault-in-delivery": [
            {"kind": "swap", "pattern": "refund.*", "method": "*", "times": 3, "seconds": 0.0}
        ],
        "faults-clear": [],
    }
    assert set(ACTIONS) - set(done) == {"clock", "resend"}


def test_clock_is_moved_set_and_reset(post: Callable[..., Any], sandbox: Sandbox) -> None:
    start = sandbox.clock.now()
    assert post("clock", advance=60)["now"] - start in (60, 61)
    assert post("clock", minutes=1)["now"] - start in (120, 121)
    assert post("clock", set=2_000_000_000)["now"] in (2_000_000_000, 2_000_000_001)
    assert post("clock", reset=True)["now"] - start in (0, 1, 2)


def test_resend_sends_again(sending: Sandbox, client_of: Callable[..., Any]) -> None:
    sending.pay(client_of(sending).v1.checkout.sessions.create(params()).id)
    event = sending.events[-1]["id"]
    assert sending.wait_for_webhooks()
    answer = requests.post(
        f"{sending.base_url}/control/resend", json={"event": event}, timeout=5
    ).json()
    assert answer["result"]["status"] == "delivered"
    assert sending.wait_for_webhooks()
    assert len(sending.delivery(event)["attempts"]) == 2
    listed = requests.get(f"{sending.base_url}/control/events", timeout=5).json()["events"]
    assert [each["type"] for each in listed] == [
        "checkout.session.completed",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert listed[0]["delivery"] == sending.delivery(event)


@pytest.mark.parametrize(
    ("action", "given", "error"),
    [
        ("pay", {}, "Fill in session."),
        ("pay", {"session": "cs_test_no"}, "No such checkout.session: 'cs_test_no'"),
        ("refund", {"payment": "pi_no"}, "No such payment_intent: 'pi_no'"),
        ("refund", {"payment": "pi_no", "amount": "x"}, "amount must be a whole number."),
        ("payout", {}, "There is nothing to pay out."),
        ("clock", {"advance": "soon"}, "advance must be a whole number."),
        ("fault-in-call", {"kind": "503"}, "503 is none of"),
        ("resend", {"event": "evt_no"}, "No such event: 'evt_no'"),
    ],
)
def test_action_that_cannot_be_says_why(
    post: Callable[..., Any], action: str, given: dict[str, Any], error: str
) -> None:
    status, message = post(action, **given)
    assert (status, message[: len(error)]) == (400, error)


@pytest.mark.parametrize("pounds", ["7.505", "abc", "1e400000", "NaN"])
def test_pounds_must_be_pounds(post: Callable[..., Any], checkout: Checkout, pounds: str) -> None:
    session = post("pay", session=checkout().id)["id"]
    assert post("refund", payment=session, pounds=pounds)[0] == 400


def test_form_comes_back_to_the_page(
    http: Http, checkout: Checkout, client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    session = sandbox.pay(checkout().id)
    form = {"payment": session["id"], "pounds": "£7.50"}
    answer = http("POST", "/control/refund", data=form)
    assert answer.status_code == 303
    page = http("GET", answer.headers["Location"])
    assert "Done: refund." in page.text
    assert "Refund of £7.50" in page.text
    answer = http("POST", "/control/refund", data={**form, "pounds": "7.51"})
    assert "is greater than" in http("GET", answer.headers["Location"]).text


def test_pages_show_what_happened(http: Http, checkout: Checkout, sandbox: Sandbox) -> None:
    for page in ("/", "/control/"):
        assert "Nothing yet." in http("GET", page).text
    for _ in range(2):
        sandbox.pay(checkout().id)
    sandbox.expire(checkout().id)
    home = http("GET", "/").text
    assert home.count("£15.00") == 3
    assert home.count("checkout.session.completed") == 2
    assert '<a href="/control/">' in home
    assert http("GET", "/control/").text.count("Let it expire") == 0


def test_state_is_shown(http: Http, sandbox: Sandbox) -> None:
    shown = http("GET", "/control/state").json()
    assert shown == {
        "now": shown["now"],
        "offset": 0,
        "webhooks": {"url": None, "on": False},
        "faults": {"calls": [], "deliveries": []},
    }


def test_unknown_action_is_not_found(http: Http) -> None:
    assert http("POST", "/control/nothing", json={}).status_code == 404
    assert (
        http(
            "POST", "/control/pay", data=b"[]", headers={"Content-Type": "application/json"}
        ).status_code
        == 400
    )
