"""The payment page, used as a browser without JavaScript would."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import stripe

from sandbox.server import Sandbox

Http = Callable[..., requests.Response]
Checkout = Callable[..., Any]


def path(session: Any) -> str:
    return urlsplit(session.url).path


def state(client: stripe.StripeClient, session: Any) -> tuple[str, str]:
    found = client.v1.checkout.sessions.retrieve(session.id)
    return found.status, found.payment_status


def test_page_shows_what_is_paid_and_by_whom(http: Http, checkout: Checkout) -> None:
    page = http("GET", path(checkout()))
    assert page.status_code == 200
    text = page.text
    assert "<strong>Local Stripe</strong>: no real money" in text
    assert re.findall(r"<(?:h1|dt|dd)[^>]*>([^<]*)", text) == ["£15.00", "Gift", "£15.00"]
    assert "maya@example.org" in text
    assert 'href="http://site.test/back"' in text
    assert re.findall(r'<button[^>]*id="([^"]*)"', text) == ["pay", "decline", "pay-later"]


def test_page_runs_and_loads_nothing_foreign(http: Http, checkout: Checkout) -> None:
    page = http("GET", path(checkout()))
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert " style=" not in page.text
    style = http("GET", "/style.css")
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


def test_page_escapes_what_others_wrote(http: Http, checkout: Checkout) -> None:
    price = {"currency": "gbp", "unit_amount": 100, "product_data": {"name": "<script>x</script>"}}
    page = http("GET", path(checkout(line_items=[{"price_data": price, "quantity": 1}])))
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


def test_pay_leads_to_the_success_address(
    http: Http, checkout: Checkout, client: stripe.StripeClient
) -> None:
    session = checkout()
    for _ in range(2):  # a double click ends the same
        answer = http("POST", f"{path(session)}/pay")
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"http://site.test/thanks?session={session.id}"
    assert state(client, session) == ("complete", "paid")
    assert "This payment of £15.00 is complete" in http("GET", path(session)).text


def test_pay_takes_the_address_of_a_guest(
    http: Http, checkout: Checkout, client: stripe.StripeClient
) -> None:
    session = checkout(customer_email=None)
    assert 'name="email"' in http("GET", path(session)).text
    http("POST", f"{path(session)}/pay", data={"email": "guest@example.org"})
    found = client.v1.checkout.sessions.retrieve(session.id)
    assert found.customer_details.email == "guest@example.org"


def test_decline_says_so_and_lets_try_again(
    http: Http, checkout: Checkout, client: stripe.StripeClient
) -> None:
    session = checkout()
    answer = http("POST", f"{path(session)}/decline")
    assert answer.headers["Location"] == f"{path(session)}?declined=1"
    assert "The card was declined" in http("GET", answer.headers["Location"]).text
    assert state(client, session) == ("open", "unpaid")


@pytest.mark.parametrize(
    ("action", "status", "words"),
    [
        ("bank-confirms", "paid", "is complete"),
        ("bank-refuses", "unpaid", "The bank refused this payment"),
    ],
)
def test_pay_later_waits_for_the_bank(
    http: Http,
    checkout: Checkout,
    client: stripe.StripeClient,
    action: str,
    status: str,
    words: str,
) -> None:
    session = checkout()
    answer = http("POST", f"{path(session)}/pay-later")
    assert answer.headers["Location"] == f"http://site.test/thanks?session={session.id}"
    assert state(client, session) == ("complete", "unpaid")
    assert "The bank has not yet answered" in http("GET", path(session)).text
    assert http("POST", f"{path(session)}/{action}").headers["Location"] == path(session)
    assert state(client, session) == ("complete", status)
    assert words in http("GET", path(session)).text


def test_expired_page_takes_nothing(http: Http, checkout: Checkout, sandbox: Sandbox) -> None:
    session = checkout()
    sandbox.expire(session.id)
    assert http("POST", f"{path(session)}/pay").headers["Location"] == path(session)
    page = http("GET", path(session))
    assert "This page has expired" in page.text
    assert 'href="http://site.test/back"' in page.text


@pytest.mark.parametrize("way", ["/c/pay/cs_test_no", "/c/pay", "/nothing"])
def test_unknown_page_is_not_found(http: Http, way: str) -> None:
    assert http("GET", way).status_code == 404
