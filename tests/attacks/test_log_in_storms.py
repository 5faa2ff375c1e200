"""Guessing passwords by storm: strangers get slow, and nobody is locked out by them."""

import threading
from datetime import datetime, timedelta
from http.cookies import Morsel
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference import devices
from conference.limits import wait_or_count
from conference.models import Allowance, User
from conference.pages import log_in as log_in_page
from conference.pages.log_in import _waits
from tests.factories import PASSWORD, make_organisation, make_user
from tests.html import fields, page, words

pytestmark = pytest.mark.django_db

HALL = "192.0.2.7"


class Still:
    """Time that stands still until a test moves it on: on a slow machine no wait ends by itself."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Still:
    clock = Still()
    monkeypatch.setattr(timezone, "now", clock.now)
    return clock


_BROWSER = Client()  # one for all: each new one reads the list of static files anew


def stranger() -> Client:
    """A browser that has never been here."""
    _BROWSER.cookies.clear()
    return _BROWSER


def log_in(client: Client, email: str, password: str, network: str = HALL) -> Any:
    sent = {"username": email, "password": password}
    return client.post("/login/", sent, REMOTE_ADDR=network)


def wrong(email: str, network: str = HALL, client: Client | None = None) -> int:
    """The status that a wrong try is answered with."""
    status: int = log_in(client or stranger(), email, "wrong", network).status_code
    return status


def known_device(user: User) -> Client:
    """A browser in which this person has logged in before, and is logged out now."""
    client = Client()
    assert log_in(client, user.email, PASSWORD, "198.51.100.1").status_code == 302
    client.post("/logout/")
    return client


def strangers_try(email: str = "", networks: int = 1, times: int = 1) -> None:
    """Wrong tries, counted as the log-in counts them; without `email` each for another address."""
    for n in range(networks * times):
        network = HALL if networks == 1 else f"203.0.113.{n % networks}"
        for_whom = email or f"user{n}@elsewhere.example"
        assert not wait_or_count(*_waits(network, for_whom), now=timezone.now())


def waits(email: str, clock: Still, tries: int, network: str = HALL) -> list[int]:
    """How long each of these wrong tries has to wait, in seconds."""
    seen = []
    for _ in range(tries):
        answer = log_in(stranger(), email, "wrong", network)
        seconds = int(answer.get("Retry-After", 0))
        seen.append(seconds)
        if seconds:
            clock.advance(seconds)
            assert wrong(email, network) == 200
    return seen


def test_known_device_logs_in_at_once_after_fifty_wrong_tries_in_the_same_hall() -> None:
    olive = make_user("organiser")
    device = known_device(olive)
    statuses = [wrong(f"other{n}@example.org") for n in range(60)]
    assert statuses == [200] * 50 + [429] * 10
    assert log_in(stranger(), olive.email, PASSWORD).status_code == 429
    assert log_in(device, olive.email, PASSWORD).status_code == 302


def test_known_device_logs_in_at_once_after_wrong_tries_from_everywhere() -> None:
    olive = make_user("organiser")
    device = known_device(olive)
    statuses = [wrong(olive.email, f"203.0.{n // 100}.{n % 100}") for n in range(200)]
    assert statuses == [200] * 100 + [429] * 100
    assert log_in(stranger(), olive.email, PASSWORD).status_code == 429
    assert log_in(device, olive.email, PASSWORD).status_code == 302


def test_unknown_device_logs_in_after_the_wait(clock: Still) -> None:
    olive = make_user("organiser")
    strangers_try(olive.email, networks=100)
    refused = log_in(stranger(), olive.email, PASSWORD)
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    clock.advance(1)
    assert log_in(stranger(), olive.email, PASSWORD).status_code == 302


def test_wait_doubles_up_to_a_quarter_of_an_hour(clock: Still) -> None:
    olive = make_user("organiser")
    expected = [0] * 5 + [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert waits(olive.email, clock, 17) == expected
    # Elsewhere nobody waits.
    assert wrong(olive.email, "198.51.100.9") == 200


def test_wait_for_a_whole_network_or_address_is_never_longer_than_a_minute(clock: Still) -> None:
    strangers_try(times=50)
    seen = [waits(f"other{n}@example.org", clock, 1)[0] for n in range(8)]
    assert seen == [1, 2, 4, 8, 16, 32, 60, 60]
    strangers_try("olive@example.org", networks=100)
    seen = [waits("olive@example.org", clock, 1, f"198.51.100.{n}")[0] for n in range(8)]
    assert seen == [1, 2, 4, 8, 16, 32, 60, 60]


def test_what_is_refused_neither_counts_nor_prolongs_the_wait(clock: Still) -> None:
    olive = make_user("organiser")
    assert waits(olive.email, clock, 8) == [0] * 5 + [1, 2, 4]
    before = sorted(Allowance.objects.values_list("key", "count", "until"))
    assert [wrong(olive.email) for _ in range(9)] == [429] * 9
    assert sorted(Allowance.objects.values_list("key", "count", "until")) == before
    clock.advance(8)
    assert log_in(stranger(), olive.email, PASSWORD).status_code == 302


def test_right_password_ends_what_was_counted_here() -> None:
    olive = make_user("organiser")
    for _ in range(3):
        assert [wrong(olive.email) for _ in range(4)] == [200] * 4
        assert log_in(stranger(), olive.email, PASSWORD).status_code == 302


def test_right_passwords_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_in_page, "FREE_FOR_A_NETWORK", 2)
    monkeypatch.setattr(log_in_page, "FREE_FOR_AN_ADDRESS", 2)
    olive = make_user("organiser")
    assert [log_in(stranger(), olive.email, PASSWORD).status_code for _ in range(9)] == [302] * 9


def test_waits_are_the_same_for_addresses_that_nobody_has() -> None:
    real = make_user("organiser").email
    asleep = make_user("organiser", is_active=False).email
    answers = {}
    for email in (real, asleep, "nobody@example.org"):
        network = f"192.0.2.{len(answers)}"
        tries = [log_in(stranger(), email, "wrong", network) for _ in range(7)]
        answers[email] = [
            (answer.status_code, words(page(answer)).replace(email, "…")) for answer in tries
        ]
    first = answers[real]
    assert [status for status, _said in first] == [200] * 5 + [429] * 2
    assert all(told == first for told in answers.values())


def test_log_in_asks_the_database_as_much_for_addresses_that_nobody_has() -> None:
    real, asleep = make_user("organiser"), make_user("organiser", is_active=False)
    make_organisation()
    wrong(real.email, "192.0.2.1")
    counts = []
    for n, email in enumerate((real.email, asleep.email, "nobody@example.org")):
        with CaptureQueriesContext(connection) as asked:
            assert wrong(email, f"198.51.100.{n}") == 200
        counts.append(len(asked))
    assert counts == counts[:1] * 3


def test_other_letters_for_the_same_address_are_no_way_round() -> None:
    user = make_user()
    wide = user.email.replace("u", "\uff55").replace("e", "\uff45")
    tries = [wrong((user.email, wide, f" {user.email.upper()} ")[n % 3]) for n in range(6)]
    assert tries == [200] * 5 + [429]


def test_page_says_how_long_and_keeps_the_address() -> None:
    olive = make_user("organiser")
    for _ in range(5):
        wrong(olive.email)
    answer = log_in(stranger(), olive.email, PASSWORD)
    assert fields(answer) == {"username": olive.email, "password": ""}
    assert words(page(answer).find(".//*[@role='alert']")) == (
        "The wrong password has been entered several times. Wait 1 second, then try again. If you "
        "have forgotten your password, choose a new one: then you can log in at once. On shared "
        "Wi-Fi, you can also use your phone's own connection."
    )
    assert "no-store" in answer["Cache-Control"]


def test_page_says_long_waits_in_minutes(clock: Still) -> None:
    olive = make_user("organiser")
    for _ in range(15):
        strangers_try(olive.email)
        clock.advance(900)
    strangers_try(olive.email)
    said = words(page(log_in(stranger(), olive.email, "wrong")).find(".//*[@role='alert']"))
    assert said.startswith(
        "The wrong password has been entered several times. Wait 15 minutes, then try again."
    )


def test_stolen_device_has_ten_tries_and_then_waits_like_others(clock: Still) -> None:
    olive = make_user("organiser")
    device = known_device(olive)
    # Ten as a known device, five as an unknown one.
    tries = [wrong(olive.email, client=device) for _ in range(16)]
    assert tries == [200] * 15 + [429]
    clock.advance(15 * 60)
    assert log_in(device, olive.email, PASSWORD).status_code == 302


def test_device_is_known_for_its_own_people_alone() -> None:
    olive, dana = make_user("organiser"), make_user("volunteer")
    device = known_device(dana)
    for _ in range(5):
        wrong(olive.email)
    assert wrong(olive.email, client=device) == 429
    # A shared computer is known for each of them.
    assert log_in(device, olive.email, PASSWORD, "198.51.100.1").status_code == 302
    device.post("/logout/")
    for user in (olive, dana):
        for _ in range(6):
            wrong(user.email)
        assert log_in(device, user.email, PASSWORD).status_code == 302
        device.post("/logout/")


@pytest.mark.parametrize("value", ["", "x", "a:b:c", "." * 5000, "1." * 900])
def test_forged_device_is_an_unknown_one(value: str) -> None:
    olive = make_user("organiser")
    client = Client()
    client.cookies["device"] = value
    assert [wrong(olive.email, client=client) for _ in range(6)] == [200] * 5 + [429]


def test_device_is_forgotten_with_a_new_password() -> None:
    olive = make_user("organiser")
    device = known_device(olive)
    olive.set_password("another long one")
    olive.save()
    for _ in range(5):
        wrong(olive.email)
    assert log_in(device, olive.email, "another long one").status_code == 429


def device_cookie(client: Client) -> Morsel[str]:
    (cookie,) = [cookie for name, cookie in client.cookies.items() if name.endswith("device")]
    return cookie


def test_device_cookie_is_out_of_reach_of_scripts_and_other_sites(settings: Settings) -> None:
    cookie = device_cookie(known_device(make_user("organiser")))
    assert (cookie.key, cookie["httponly"], cookie["samesite"]) == ("device", True, "Lax")
    settings.SESSION_COOKIE_SECURE = True
    cookie = device_cookie(known_device(make_user("organiser")))
    assert (cookie.key, cookie["secure"], cookie["path"]) == ("__Host-device", True, "/")
    assert (cookie["domain"], cookie["max-age"]) == ("", 400 * 24 * 60 * 60)


def test_device_cookie_names_nobody() -> None:
    olive = make_user("organiser")
    value = device_cookie(known_device(olive)).value
    assert olive.email not in value
    assert value.split(":")[0].isalnum()


def test_shared_device_remembers_the_last_five(settings: Settings) -> None:
    device = Client()
    people = [make_user("volunteer") for _ in range(7)]
    for user in [people[0], *people]:
        assert log_in(device, user.email, PASSWORD).status_code == 302
        device.post("/logout/")
    assert len(device_cookie(device).value.split(".")) == devices.MOST_PEOPLE


@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_once_no_more_are_looked_at_than_one_by_one(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    olive = make_user("organiser")
    User.objects.filter(pk=olive.pk).update(password=make_password(PASSWORD))
    statuses: list[int] = []

    def several() -> None:
        browser = Client()
        statuses.extend(wrong(olive.email, client=browser) for _ in range(5))
        connection.close()

    threads = [threading.Thread(target=several) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(200), statuses.count(429)) == (5, 25)
