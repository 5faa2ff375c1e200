"""Who may log in, where it leads, and that it ends."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference.management.commands.demo import PASSWORD
from tests.clock import Clock
from tests.factories import PASSWORD as REAL_PASSWORD
from tests.factories import make_conference, make_gate, make_user

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


def test_sample_organiser_may_change_the_settings(client: Client) -> None:
    call_command("demo", verbosity=0)
    assert _log_in(client, "organiser@example.org", PASSWORD) == 302
    assert client.get("/admin/").status_code == 200


def test_log_in_leads_organisers_to_the_desk_and_volunteers_to_the_door(client: Client) -> None:
    for role, home in (("organiser", "/desk/"), ("volunteer", "/door/")):
        user = make_user(role)
        assert _log_in(client, user.email.title(), REAL_PASSWORD) == 302
        response = client.get(reverse("conference:after_login"))
        assert (response.status_code, response["Location"]) == (302, home)
        client.logout()


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/door/main/", "/door/main/"),
        ("https://elsewhere.example/", "/login/done/"),
        ("//elsewhere.example", "/login/done/"),
        ("/login/", "/login/"),
    ],
)
def test_whoever_is_logged_in_is_led_on_within_the_site(
    client: Client, wanted: str, leads_to: str
) -> None:
    client.force_login(make_user("volunteer"))
    response = client.get(LOGIN, {"next": wanted})
    assert (response.status_code, response["Location"]) == (302, leads_to)


def test_many_may_log_in_with_one_account_from_one_network() -> None:
    user = make_user("volunteer")
    assert [_log_in(Client(), user.email, REAL_PASSWORD) for _ in range(15)] == [302] * 15


def test_log_in_ends_after_fourteen_hours_however_it_is_used(client: Client, clock: Clock) -> None:
    user = make_user("organiser")
    make_gate(make_conference(starts_at=clock.now(), ends_at=clock.now() + timedelta(hours=20)))
    assert _log_in(client, user.email, REAL_PASSWORD) == 302
    for _ in range(27):
        clock.advance(minutes=30)
        assert client.get("/desk/").status_code == 200
    assert Session.objects.get().expire_date < timezone.now() + timedelta(minutes=31)
    clock.advance(minutes=31)
    assert client.get("/desk/").status_code == 302
    assert client.get("/door/")["Location"] == "/login/?next=/door/"


def test_form_without_password_is_no_try(client: Client) -> None:
    user = make_user()
    assert [_log_in(client, user.email, "") for _ in range(20)] == [200] * 20
    assert _log_in(client, user.email, REAL_PASSWORD) == 302


def test_somebody_at_the_wrong_page_changes_account_by_one_button(client: Client) -> None:
    client.force_login(make_user("volunteer"))
    refused = client.get("/desk/")
    assert refused.status_code == 403
    response = client.post("/logout/", {"next": "/login/"})
    assert (response.status_code, response["Location"]) == (302, "/login/")
    assert 'name="next" value="/login/"' in refused.content.decode()


def test_log_has_a_line_for_each_log_in_and_names_nobody(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    user = make_user(email="olu@example.org")
    with caplog.at_level("INFO", "conference.pages.log_in"):
        for password in ("wrong", REAL_PASSWORD):
            client.post("/login/", {"username": user.email, "password": password})
    lines = [line.getMessage() for line in caplog.records if line.name.endswith("log_in")]
    assert lines == ["a log-in has failed", f"user {user.pk} has logged in"]
