"""Lists: order, pages and filters."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from sandbox.server import Sandbox

Refused = Callable[..., tuple[Any, ...]]


def test_list_is_newest_first_and_paged(
    client: stripe.StripeClient, checkout: Callable[..., Any]
) -> None:
    made = [checkout().id for _ in range(5)][::-1]
    sessions = client.v1.checkout.sessions
    first = sessions.list({"limit": 2})
    assert ([s.id for s in first.data], first.has_more) == (made[:2], True)
    last = sessions.list({"limit": 3, "starting_after": made[1]})
    assert ([s.id for s in last.data], last.has_more) == (made[2:], False)
    assert [s.id for s in sessions.list({"limit": 2}).auto_paging_iter()] == made


def test_list_without_limit_has_ten(
    client: stripe.StripeClient, checkout: Callable[..., Any]
) -> None:
    for _ in range(11):
        checkout()
    page = client.v1.checkout.sessions.list()
    assert (len(page.data), page.has_more, page.url) == (10, True, "/v1/checkout/sessions")


def test_list_filters_sessions(
    client: stripe.StripeClient, sandbox: Sandbox, checkout: Callable[..., Any]
) -> None:
    paid, other, expired = (checkout().id for _ in range(3))
    intent = sandbox.pay(paid)["payment_intent"]
    sandbox.expire(expired)
    now = sandbox.clock.now()

    def ids(**filters: Any) -> list[str]:
        return [each.id for each in client.v1.checkout.sessions.list(filters).data]

    assert ids(status="complete") == [paid]
    assert ids(status="open") == [other]
    assert ids(payment_intent=intent) == [paid]
    assert ids(created={"gte": now - 60, "lt": now + 60}) == [expired, other, paid]
    assert ids(created={"gt": now + 60}) == []
    span = {"gte": now - 60, "lt": now + 60}
    assert ids(created=span, status="complete", limit=100) == [paid]
    assert ids(created={"gte": now - 60, "lt": now - 30}, status="complete") == []


def test_list_filters_refunds_and_transactions(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    first, second = paid(), paid()
    refund = sandbox.refund(first, 100)
    sandbox.refund(second, 200)
    assert [r.id for r in client.v1.refunds.list({"payment_intent": first}).data] == [refund["id"]]
    booked = client.v1.balance_transactions
    assert [b.net for b in booked.list({"type": "refund"}).data] == [-200, -100]
    assert [b.net for b in booked.list({"source": refund["id"]}).data] == [-100]


def test_list_filters_events(
    client: stripe.StripeClient, sandbox: Sandbox, paid: Callable[..., str]
) -> None:
    intent = paid()
    sandbox.refund(intent)

    def types(**filters: Any) -> list[str]:
        return [event.type for event in client.v1.events.list(filters).data]

    assert types(types=["refund.created", "charge.refunded"]) == [
        "refund.created",
        "charge.refunded",
    ]
    sandbox.advance(31 * 24 * 60 * 60)
    assert types() == []  # Stripe keeps them for 30 days


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"limit": 0}, "parameter_invalid_integer", "limit"),
        ({"limit": 101}, "parameter_invalid_integer", "limit"),
        ({"starting_after": "cs_test_no"}, "resource_missing", "starting_after"),
        ({"status": "paid"}, None, "status"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"created": {"after": 1}}, "parameter_unknown", "created[after]"),
        ({"expand": ["payment_intent"]}, None, "expand"),
    ],
)
def test_list_refuses(
    client: stripe.StripeClient,
    refused: Refused,
    given: dict[str, Any],
    code: str | None,
    param: str,
) -> None:
    answer = refused(client.v1.checkout.sessions.list, given)
    assert answer[:4] == (400, "invalid_request_error", code, param)
