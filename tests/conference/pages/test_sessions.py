"""Sessions: each log-in begins one of its own, and it ends at the server."""

import pytest
from django.conf import global_settings
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django.fixtures import Settings

from conference import settings as site_settings
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def log_in(client: Client, email: str, path: str = "/login/") -> str:
    """Log in as a person does; returns where that leads."""
    answer = client.post(path, {"username": email, "password": PASSWORD})
    assert answer.status_code == 302
    return str(answer["Location"])


def session_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def desk_of(client: Client, session: str) -> int:
    """What the desk answers to a browser with this session alone."""
    other = Client()
    other.cookies["sessionid"] = session
    return other.get("/desk/").status_code


def test_log_in_begins_a_session_of_its_own(client: Client) -> None:
    email = make_user("organiser").email
    planted = "a" * 32
    client.cookies["sessionid"] = planted
    log_in(client, email)
    first = session_of(client)
    client.post("/logout/")
    log_in(client, email)
    assert len({planted, first, session_of(client)}) == 3
    assert [desk_of(client, one) for one in (planted, first, session_of(client))] == [302, 302, 200]


def test_log_out_ends_the_session_at_the_server(client: Client) -> None:
    log_in(client, make_user("organiser").email)
    session = session_of(client)
    assert desk_of(client, session) == 200
    client.post("/logout/")
    assert (desk_of(client, session), Session.objects.count()) == (302, 0)


def test_sessions_end_with_a_new_password_and_with_the_account(client: Client) -> None:
    user = make_user("organiser")
    log_in(client, user.email)
    assert client.get("/desk/").status_code == 200
    user.set_password("another quiet orchard")
    user.save()
    assert client.get("/desk/").status_code == 302
    client.force_login(user)
    user.is_active = False
    user.save()
    assert client.get("/desk/").status_code == 302


def test_session_ends_after_fourteen_hours_at_the_latest(client: Client) -> None:
    log_in(client, make_user("volunteer").email)
    assert 14 * 60 * 60 - 60 < client.cookies["sessionid"]["max-age"] <= 14 * 60 * 60


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_log_in_leads_to_no_other_site(client: Client, path: str) -> None:
    email = make_user("organiser").email
    assert log_in(client, email, f"/login/?next={path}") == "/login/done/"


def test_passwords_are_kept_as_a_slow_hash(settings: Settings) -> None:
    # Tests have a quick one; a site has Django's own, unless its settings name another.
    settings.PASSWORD_HASHERS = getattr(
        site_settings, "PASSWORD_HASHERS", global_settings.PASSWORD_HASHERS
    )
    kind, rounds, *_rest = make_user("volunteer").password.split("$")
    assert (kind, int(rounds) >= 600_000) == ("pbkdf2_sha256", True)
