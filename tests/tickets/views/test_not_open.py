"""The reservation form while nothing can be reserved: closed, full, not there, or too often."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.factories import make_conference, make_order
from tests.html import fields, heading, page, summary, words
from tests.tickets.views.filled import filled, send
from tickets.models import Order
from tickets.views import reserving

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"opens_at": 1, "closes_at": 2}, "Reservations open on "),
        ({"opens_at": -2, "closes_at": -1}, "Reservations closed on "),
        (
            {"opens_at": -9, "closes_at": 9, "starts_at": -3, "ends_at": -2},
            "This conference is over",
        ),
    ],
)
def test_closed_conference_says_why_before_and_after_filling_in(
    client: Client, times: dict[str, int], said: str
) -> None:
    conference = make_conference()
    sent = filled(client, conference)
    for name, days in times.items():
        setattr(conference, name, timezone.now() + timedelta(days=days))
    conference.save()
    for answer in (
        client.get(f"/{conference.slug}/reserve/"),
        send(client, conference, sent),
        send(client, conference, sent | {"email": "x"}),
    ):
        assert heading(answer) == "No places can be reserved now"
        assert said in words(page(answer))
    assert said in words(page(client.get(f"/{conference.slug}/")))
    assert not Order.objects.exists()


def test_full_conference_says_so_in_place_of_the_form(client: Client) -> None:
    conference = make_conference(types={"Professional": 1})
    make_order(conference)
    opened = client.get(f"/{conference.slug}/reserve/")
    assert "All places are taken." in words(page(opened))
    assert "All places are taken." in words(page(client.get(f"/{conference.slug}/")))


def test_unpublished_conference_is_not_there(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference)
    conference.is_published = False
    conference.save()
    assert client.get(f"/{conference.slug}/").status_code == 404
    assert client.get(f"/{conference.slug}/reserve/").status_code == 404
    assert send(client, conference, sent).status_code == 404
    assert client.get("/no-such-conference/reserve/").status_code == 404


def test_too_many_orders_from_one_network_keep_the_form(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(reserving, "ORDERS_AN_HOUR", 1)
    conference = make_conference()
    assert send(client, conference, filled(client, conference)).status_code == 302
    sent = filled(client, conference, names=["Grace", "Łucja"])
    answer = send(client, conference, sent)
    assert answer.status_code == 429
    assert summary(answer) == [
        (
            "We have had many bookings from your network, so please try again in a few minutes, or "
            "write to us. Nothing you entered is lost."
        )
    ]
    assert fields(answer) == sent
    elsewhere = Client(REMOTE_ADDR="192.0.2.1")
    assert send(elsewhere, conference, sent).status_code == 302
    settings.LIMIT_FACTOR = 10
    assert send(client, conference, filled(client, conference)).status_code == 302


def test_what_makes_no_order_does_not_count_for_the_network(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserving, "ORDERS_AN_HOUR", 2)
    conference = make_conference(types={"Professional": 2})
    sent = filled(client, conference)
    for _ in range(5):
        assert send(client, conference, sent).status_code == 302  # one form, sent again and again
    full = filled(client, conference, names=["Ada", "Grace"])
    for _ in range(5):
        assert send(client, conference, full).status_code == 200  # two places, and one is left
    honest = Client()
    assert send(honest, conference, filled(honest, conference)).status_code == 302
    assert Order.objects.count() == 2
