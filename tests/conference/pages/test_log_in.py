"""Who may log in, and how often somebody may try."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from conference.management.commands.demo import PASSWORD
from tests.factories import PASSWORD as REAL_PASSWORD
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LOGIN = reverse("conference:login")


def _log_in(client: Client, email: str, password: str) -> int:
    return client.post(LOGIN, {"username": email, "password": password}).status_code


def test_sample_people_log_in_on_a_trial_site_alone(client: Client, settings: Settings) -> None:
    settings.TRIAL = True
    call_command("demo", verbosity=0)
    assert _log_in(client, "door@example.org", PASSWORD) == 302
    assert client.get("/door/").status_code == 200
    settings.TRIAL = False
    assert client.get("/door/").status_code == 302
    assert _log_in(client, "organiser@example.org", PASSWORD) == 200


def test_log_in_leads_organisers_to_the_desk_and_volunteers_to_the_door(client: Client) -> None:
    for role, home in (("organiser", "/desk/"), ("volunteer", "/door/")):
        user = make_user(role)
        assert _log_in(client, user.email.title(), REAL_PASSWORD) == 302
        response = client.get(reverse("conference:after_login"))
        assert (response.status_code, response["Location"]) == (302, home)
        client.logout()


def test_log_in_counts_what_fails_with_an_address_from_a_network(client: Client) -> None:
    user = make_user()
    tries = [_log_in(client, user.email.upper(), "wrong") for _ in range(11)]
    assert tries == [200] * 10 + [429]
    assert _log_in(client, user.email, REAL_PASSWORD) == 429
    # From elsewhere the right person gets in.
    assert _log_in(Client(REMOTE_ADDR="192.0.2.7"), user.email, REAL_PASSWORD) == 302


def test_other_letters_for_the_same_address_are_no_way_round(client: Client) -> None:
    user = make_user()
    wide = user.email.replace("u", "\uff55").replace("e", "\uff45")
    tries = [_log_in(client, (user.email, wide)[n % 2], "wrong") for n in range(11)]
    assert tries == [200] * 10 + [429]


def test_many_may_log_in_with_one_account_from_one_network() -> None:
    user = make_user("volunteer")
    assert [_log_in(Client(), user.email, REAL_PASSWORD) for _ in range(15)] == [302] * 15
