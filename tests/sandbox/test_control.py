"""The pages for people, and the forms of the control page."""

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

from sandbox.control import ACTIONS
from sandbox.faults import Fault
from sandbox.server import Sandbox
from tests.sandbox.shop import params

Http = Callable[..., requests.Response]
Checkout = Callable[..., Any]


@pytest.fixture
def post(http: Http) -> Callable[..., str]:
    """Post a form to an action; what the control page says then."""

    def call(action: str, **form: str) -> str:
        answer = http("POST", f"/control/{action}", data=form)
        assert answer.status_code == 303
        (said,) = parse_qs(urlsplit(answer.headers["Location"]).query)["said"]
        assert escape(said) in http("GET", answer.headers["Location"]).text
        return said

    return call


def test_every_action_works(post: Callable[..., str], checkout: Checkout, sandbox: Sandbox) -> None:
    done = set()

    def do(action: str, **form: str) -> None:
        assert post(action, **form) == f"Done: {action.replace('-', ' ')}."
        done.add(action)

    def row(table: str) -> dict[str, Any]:
        return next(sandbox.account.store.table(table).newest_first())

    do("expire", session=checkout().id)
    assert row("sessions")["status"] == "expired"
    later = sandbox.pay_later(checkout().id)["id"]
    do("settle-later", session=later, ok="yes")
    assert row("sessions")["payment_status"] == "paid"
    do("refund", payment=later, pounds="£1.50")
    do("refund-succeeds", refund=row("refunds")["id"])
    assert (row("refunds")["amount"], row("refunds")["status"]) == (150, "succeeded")
    do("refund-fails", refund=row("refunds")["id"])
    assert row("refunds")["status"] == "failed"
    do("fraud-warning", payment=later)
    assert row("fraud_warnings")["actionable"] is True
    do("payout")
    do("payout-fails", payout=row("payouts")["id"])
    assert row("payouts")["status"] == "failed"
    do("dispute", payment=later, reason="duplicate")
    do("dispute-answer", dispute=row("disputes")["id"])
    assert (row("disputes")["reason"], row("disputes")["status"]) == ("duplicate", "under_review")
    do("dispute-close", dispute=row("disputes")["id"], won="no")
    assert row("disputes")["status"] == "lost"
    do("fault-in-call", kind="hang", path="/v1/refunds", seconds="2", times="all")
    do("fault-in-delivery", kind="delay", types="refund.*", seconds="1.5", times="3")
    assert sandbox.faults.waiting() == [
        Fault("hang", "/v1/refunds", times=None, seconds=2),
        Fault("delay", "refund.*", times=3, seconds=1.5),
    ]
    do("faults-clear")
    assert sandbox.faults.waiting() == []
    do("clock", minutes="2")
    assert sandbox.clock.offset == 120
    do("clock", reset="yes")
    assert sandbox.clock.offset == 0
    assert set(ACTIONS) - done == {"resend", "webhooks"}


def test_webhooks_are_switched_off_and_sent_again(
    sending: Sandbox, client_of: Callable[..., Any]
) -> None:
    def post(action: str, **form: str) -> None:
        requests.post(f"{sending.base_url}/control/{action}", form, timeout=5)

    post("webhooks", on="no")
    sending.pay(client_of(sending).v1.checkout.sessions.create(params()).id)
    event = sending.events[-1]["id"]
    assert sending.delivery(event)["status"] == "withheld"
    post("webhooks", on="yes")
    assert sending.courier.is_on
    post("resend", event=event)
    assert sending.wait_for_webhooks()
    assert sending.delivery(event)["status"] == "delivered"


@pytest.mark.parametrize(
    ("action", "form", "error"),
    [
        ("expire", {}, "Fill in session."),
        ("expire", {"session": "cs_test_no"}, "No such checkout.session: 'cs_test_no'"),
        ("refund", {"payment": "pi_no"}, "No such payment_intent: 'pi_no'"),
        ("payout", {}, "There is nothing to pay out."),
        ("clock", {"minutes": "soon"}, "minutes must be a whole number."),
        (
            "fault-in-call",
            {"kind": "503", "path": "*", "times": "1"},
            "503 is none of 500, 409, 429, hang, commit_500, commit_cut",
        ),
        ("resend", {"event": "evt_no"}, "No such event: 'evt_no'"),
    ],
)
def test_action_that_cannot_be_says_why(
    post: Callable[..., str], action: str, form: dict[str, str], error: str
) -> None:
    assert post(action, **form) == error


@pytest.mark.parametrize("pounds", ["7.505", "abc", "1e400000", "NaN"])
def test_pounds_must_be_pounds(
    post: Callable[..., str], checkout: Checkout, sandbox: Sandbox, pounds: str
) -> None:
    session = sandbox.pay(checkout().id)["id"]
    said = post("refund", payment=session, pounds=pounds)
    assert said == "Write the amount in pounds, for instance 7.50."


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


def test_unknown_action_is_not_found(http: Http) -> None:
    assert http("POST", "/control/nothing").status_code == 404
