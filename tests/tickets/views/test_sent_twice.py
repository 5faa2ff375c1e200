"""The reservation form sent twice, as impatience and bad lines do: one order."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from donations.models import Payment
from sandbox.server import Sandbox
from tests.factories import make_conference
from tests.tickets.views.filled import filled, send
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db


def test_form_sent_twice_makes_one_order(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference, names=["Ada", "Grace"])
    first, second = (send(client, conference, sent) for _ in range(2))
    order = Order.objects.get()
    assert first["Location"] == second["Location"] == order.get_absolute_url()
    assert order.tickets.count() == 2


def test_form_sent_twice_leads_to_the_order_when_it_took_the_last_places(client: Client) -> None:
    conference = make_conference(types={"Professional": 2})
    sent = filled(client, conference, names=["Ada", "Grace"])
    first, second = (send(client, conference, sent) for _ in range(2))
    assert second.status_code == 302
    assert first["Location"] == second["Location"] == Order.objects.get().get_absolute_url()


def test_form_sent_twice_leads_to_the_order_after_the_close(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference)
    first = send(client, conference, sent)
    conference.closes_at = timezone.now()
    conference.save()
    assert send(client, conference, sent)["Location"] == first["Location"]


def test_form_sent_twice_with_a_gift_opens_one_page_at_stripe(
    client: Client, stripe: Sandbox
) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift="1500")
    first, second = (send(client, conference, sent)["Location"] for _ in range(2))
    assert first == second
    assert Order.objects.count() == Payment.objects.count() == 1


def test_form_of_another_conference_cannot_claim_an_order(client: Client) -> None:
    conference, other = make_conference(), make_conference()
    sent = filled(client, conference)
    send(client, conference, sent)
    assert send(client, other, sent).status_code == 200
    assert Order.objects.count() == 1


def test_form_in_two_tabs_makes_two_orders(client: Client) -> None:
    conference = make_conference()
    tabs = [filled(client, conference, names=[name]) for name in ("Ada", "Grace")]
    assert [send(client, conference, tab).status_code for tab in tabs] == [302, 302]
    assert Order.objects.count() == 2


@pytest.mark.parametrize("submission", [None, "", "not a number", "<b>"])
def test_form_without_its_own_number_still_works(client: Client, submission: str | None) -> None:
    conference = make_conference()
    sent = filled(client, conference)
    del sent["submission"]
    if submission is not None:
        sent["submission"] = submission
    assert send(client, conference, sent).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("gift", ["none", "1500"])
def test_form_sent_twice_at_the_same_time_makes_one_order(
    client: Client, stripe: Sandbox, gift: str
) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift=gift)

    def press(_: int) -> str:
        try:
            return str(send(Client(), conference, sent)["Location"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        led_to = set(pool.map(press, range(4)))
    order = Order.objects.get()
    assert Ticket.objects.count() == 1
    assert Payment.objects.filter(status=Payment.Status.OPEN).count() == (gift != "none")
    # Whoever comes while Stripe is still being asked is told so on the order's page.
    expected = {order.get_absolute_url(), *Payment.objects.values_list("session_url", flat=True)}
    assert led_to <= expected
