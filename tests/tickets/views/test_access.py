"""Links that are not right: changed on the way, somebody else's, past their time."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from signup import links
from signup.models import Consent, Subscriber
from tests.factories import make_order, make_subscriber
from tests.html import fields, heading, path_of
from tickets.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscriber() -> Subscriber:
    return make_subscriber()


# -- orders and tickets ---------------------------------------------------------------------------


def test_order_opens_by_its_exact_secret_alone(client: Client) -> None:
    order = make_order()
    secret = order.secret
    assert client.get(f"/orders/{secret}/").status_code == 200
    last = "A" if secret[-1] != "A" else "B"
    wrong = [secret[:-1], secret[:-1] + last, secret + "A", secret.swapcase(), order.reference]
    wrong += [str(order.pk), "x", "%00", "a" * 5000, "..%2F", "' OR 1=1 --", "Ł"]
    for tried in wrong:
        answer = client.get(f"/orders/{tried}/")
        assert (tried, answer.status_code, heading(answer)) == (tried, 404, "There is no page here")


def test_ticket_of_another_order_leads_to_ones_own(client: Client) -> None:
    mine, other = make_order(), make_order(email="grace@example.org")
    foreign = other.tickets.get()
    for what in (f"{foreign.reference}.pdf", f"{foreign.reference}/cancel/", "nonsense.pdf"):
        assert client.get(f"/orders/{mine.secret}/{what}")["Location"] == mine.get_absolute_url()
    for what in ("cancel", "name"):
        client.post(f"/orders/{mine.secret}/{foreign.reference}/{what}/", {"attendee_name": "Eve"})
    foreign.refresh_from_db()
    assert (foreign.status, foreign.attendee_name) == ("valid", "Ada Lovelace")


@pytest.mark.parametrize("what", ["tickets.pdf", "conference.ics", "{}.pdf"])
def test_unconfirmed_order_gives_out_no_ticket(client: Client, what: str) -> None:
    order = make_order(gift_pence=500)
    path = f"/orders/{order.secret}/{what.format(order.tickets.get().reference)}"
    assert client.get(path)["Location"] == order.get_absolute_url()


def test_unconfirmed_order_has_nothing_to_change(client: Client) -> None:
    order = make_order(gift_pence=500)
    reference = order.tickets.get().reference
    for what in ("resend", f"{reference}/name", f"{reference}/cancel"):
        answer = client.post(f"/orders/{order.secret}/{what}/", {"attendee_name": "Eve"})
        assert answer["Location"] == order.get_absolute_url()
    order.refresh_from_db()
    assert (order.status, order.mailings) == (Order.Status.RESERVED, 1)
    assert order.tickets.get().attendee_name == "Ada Lovelace"


# -- the Bulletin ---------------------------------------------------------------------------------


def test_confirm_link_works_by_its_button_as_often_as_wanted(
    client: Client, subscriber: Subscriber
) -> None:
    path = path_of(links.confirm_url(subscriber))
    assert heading(client.get(path)) == "One more step"
    subscriber.refresh_from_db()
    assert subscriber.status == Subscriber.Status.PENDING
    for _ in range(2):
        assert heading(client.post(path)) == "You receive the Bulletin"
    assert Consent.objects.filter(step=Consent.Step.CONFIRMED).count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("kind", ["changed", "foreign", "expired", "other purpose", "nonsense"])
def test_confirm_link_that_is_not_right_says_so_and_changes_nothing(
    client: Client,
    subscriber: Subscriber,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    kind: str,
) -> None:
    path = path_of(links.confirm_url(subscriber))
    if kind == "changed":
        path = path[:-2] + ("A/" if path[-2] != "A" else "B/")
    elif kind == "foreign":
        token = signing.dumps("0" * 32, salt="signup.confirm")
        path = f"/bulletin/confirm/{token}/"
    elif kind == "expired":
        monkeypatch.setattr(links, "PENDING_FOR", timedelta(seconds=-1))
    elif kind == "other purpose":
        path = path_of(links.unsubscribe_url(subscriber)).replace("unsubscribe", "confirm")
    else:
        path = "/bulletin/confirm/x/"
    answer = getattr(client, method)(path)
    assert (answer.status_code, heading(answer)) == (200, "This link no longer works")
    subscriber.refresh_from_db()
    assert subscriber.status == Subscriber.Status.PENDING


def test_confirm_link_does_not_bring_back_who_left(client: Client, subscriber: Subscriber) -> None:
    client.post(path_of(links.unsubscribe_url(subscriber)))
    answer = client.post(path_of(links.confirm_url(subscriber)))
    assert heading(answer) == "This link no longer works"
    subscriber.refresh_from_db()
    assert subscriber.status == Subscriber.Status.UNSUBSCRIBED


def test_unsubscribe_link_asks_and_then_takes_off(client: Client, subscriber: Subscriber) -> None:
    path = path_of(links.unsubscribe_url(subscriber))
    assert heading(client.get(path)) == "Stop the Bulletin?"
    assert fields(client.get(path)) == {}
    for _ in range(2):
        assert heading(client.post(path)) == "The Bulletin stops"
    subscriber.refresh_from_db()
    assert subscriber.status == Subscriber.Status.UNSUBSCRIBED
    consent = Consent.objects.filter(step=Consent.Step.WITHDRAWN).get()
    assert consent.source == Consent.Source.UNSUBSCRIBE_PAGE


def test_unsubscribe_by_one_click_needs_no_cookie(subscriber: Subscriber) -> None:
    program = Client(enforce_csrf_checks=True)
    path = path_of(links.unsubscribe_url(subscriber))
    answer = program.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    consent = Consent.objects.filter(step=Consent.Step.WITHDRAWN).get()
    assert consent.source == Consent.Source.ONE_CLICK


@pytest.mark.parametrize("token", ["x", "a:b:c", "A" * 3000])
def test_unsubscribe_link_that_is_not_right_gets_the_same_answer(
    client: Client, subscriber: Subscriber, token: str
) -> None:
    assert heading(client.post(f"/bulletin/unsubscribe/{token}/")) == "The Bulletin stops"
    subscriber.refresh_from_db()
    assert subscriber.status == Subscriber.Status.PENDING
