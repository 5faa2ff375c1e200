"""A desk that nobody has used for an hour asks who is there; the door goes on."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conference.models import Conference, User
from tests.clock import Clock
from tests.factories import PASSWORD, make_conference, make_gate, make_order, make_user
from tests.html import fields, heading, page, words
from tickets.models import Gate, Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def olive(db: None) -> User:
    return make_user("organiser", email="olive@example.org", may_configure=True)


@pytest.fixture
def desk(client: Client, olive: User, clock: Clock) -> Client:
    """A browser in which Olive has just logged in."""
    assert log_in(client, olive).status_code == 302
    return client


@pytest.fixture
def gate(clock: Clock) -> Gate:
    now = clock.now()
    return make_gate(make_conference(starts_at=now, ends_at=now + timedelta(hours=12)))


def log_in(client: Client, user: User, **more: str) -> Any:
    sent = {"username": user.email, "password": PASSWORD, **more}
    return client.post("/login/", sent)


@pytest.mark.parametrize("address", ["/desk/audit/?by=staff", "/admin/conference/user/"])
def test_desk_asks_again_after_an_hour_without_use(
    desk: Client, olive: User, clock: Clock, address: str
) -> None:
    clock.advance(minutes=59)
    assert desk.get(address).status_code == 200
    clock.advance(minutes=59)
    assert desk.get(address).status_code == 200
    clock.advance(minutes=62)
    asked = desk.get(address)
    assert (asked.status_code, asked["Location"].partition("?")[0]) == (302, "/login/")
    shown = desk.get(asked["Location"])
    assert heading(shown) == "Log in again"
    assert "The desk has not been used for an hour" in words(page(shown))
    assert fields(shown) == {"next": address, "username": olive.email, "password": ""}
    assert log_in(desk, olive, next=address)["Location"] == address
    assert desk.get(address).status_code == 200


def test_desk_is_not_opened_by_the_log_in_of_the_morning(
    desk: Client, gate: Gate, clock: Clock
) -> None:
    """An organiser who has stood at the door all day, and whose phone somebody picks up."""
    for _ in range(5):
        clock.advance(minutes=20)
        assert desk.get(f"/door/{gate.slug}/").status_code == 200
    assert desk.get("/desk/").status_code == 302
    assert desk.get("/admin/").status_code == 302
    assert desk.get(f"/door/{gate.slug}/").status_code == 200


def without_mark(kept: HttpResponse) -> dict[str, str]:
    """What was sent, as the page gives it back; without the mark that says whom it was given to."""
    return {name: value for name, value in fields(kept).items() if name != "asked_of"}


def test_form_of_one_person_is_not_given_to_another(olive: User, clock: Clock) -> None:
    browser = Client(enforce_csrf_checks=True)
    log_in(browser, olive, csrfmiddlewaretoken=browser.get("/login/").cookies["csrftoken"].value)
    order = make_order(name="Ada")
    path = f"/desk/orders/{order.reference}/cancel/"
    form = page(browser.get(path)).find(".//main//input[@name='csrfmiddlewaretoken']")
    clock.advance(minutes=61)
    kept = browser.post(path, {"csrfmiddlewaretoken": str(form.get("value"))})  # type: ignore[union-attr]
    form = page(browser.get("/login/")).find(".//main//input[@name='csrfmiddlewaretoken']")
    log_in(browser, make_user(), csrfmiddlewaretoken=str(form.get("value")))  # type: ignore[union-attr]
    form = page(kept).find(".//main//input[@name='csrfmiddlewaretoken']")
    again = fields(kept) | {"csrfmiddlewaretoken": str(form.get("value"))}  # type: ignore[union-attr]
    refused = browser.post(path, again)
    assert (refused.status_code, page(refused).find(".//main//form")) == (403, None)
    assert Order.objects.get().status == "confirmed"


def test_form_that_came_too_late_is_sent_again_after_the_log_in(olive: User, clock: Clock) -> None:
    browser = Client(enforce_csrf_checks=True)
    token = browser.get("/login/").cookies["csrftoken"].value
    log_in(browser, olive, csrfmiddlewaretoken=token)
    order = make_order(name="Ada")
    path = f"/desk/orders/{order.reference}/1/name/"
    shown = browser.get(path)
    clock.advance(minutes=61)
    sent = fields(shown) | {"attendee_name": '<b>Ada</b> & "Grace"'}
    token = page(shown).find(".//main//input[@name='csrfmiddlewaretoken']").get("value")  # type: ignore[union-attr]
    kept = browser.post(path, sent | {"csrfmiddlewaretoken": str(token)})
    assert (kept.status_code, heading(kept)) == (403, "Log in again")
    assert "no-store" in kept["Cache-Control"]
    assert without_mark(kept) == sent
    assert order.tickets.get().attendee_name == "Ada Lovelace"
    # In another tab; and then the button of the first one.
    form = page(browser.get("/login/")).find(".//main//input[@name='csrfmiddlewaretoken']")
    log_in(browser, olive, csrfmiddlewaretoken=str(form.get("value")))  # type: ignore[union-attr]
    form = page(kept).find(".//main//input[@name='csrfmiddlewaretoken']")
    again = fields(kept) | {"csrfmiddlewaretoken": str(form.get("value"))}  # type: ignore[union-attr]
    assert browser.post(path, again).status_code == 302
    assert Order.objects.get().tickets.get().attendee_name == '<b>Ada</b> & "Grace"'


def test_passwords_and_files_are_not_kept(desk: Client, clock: Clock) -> None:
    clock.advance(minutes=61)
    sent = {"email": "new@example.org", "password1": "kettle umbrella fox"}
    kept = desk.post("/admin/conference/user/add/", sent)
    assert without_mark(kept) == {"email": "new@example.org"}
    assert "kettle" not in kept.content.decode()
    assert "Passwords and files cannot be kept" in words(page(kept))
    picture = SimpleUploadedFile("a.png", b"x")
    kept = desk.post("/admin/signup/edition/add/", {"number": "7", "pdf": picture})
    assert without_mark(kept) == {"number": "7"}
    assert "Passwords and files cannot be kept" in words(page(kept))
    kept = desk.post("/admin/signup/edition/add/", {"number": "7"})
    assert "Passwords and files" not in words(page(kept))


def test_use_is_noted_once_a_minute(desk: Client, clock: Clock) -> None:
    def noted() -> object:
        return Session.objects.get().get_decoded()["desk_used_at"]

    before = noted()
    desk.get("/desk/audit/")
    assert noted() == before
    clock.advance(minutes=1)
    desk.get("/desk/audit/")
    assert noted() != before


def test_door_asks_no_more_of_the_database(desk: Client, gate: Gate, clock: Clock) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            sent = {"id": str(uuid.uuid4()), "code": "x"}
            assert desk.post(f"/door/{gate.slug}/scan/", sent).status_code == 200
        assert not [q for q in captured if "UPDATE" in q["sql"] and "session" in q["sql"]]
        return len(captured)

    first = statements()
    clock.advance(minutes=70)
    assert statements() == first


def test_volunteer_is_never_asked_again(client: Client, gate: Gate, clock: Clock) -> None:
    dana = make_user("volunteer")
    log_in(client, dana)
    clock.advance(hours=13)
    assert client.get(f"/door/{gate.slug}/").status_code == 200
    assert client.get("/login/")["Location"] == "/login/done/"


def test_another_person_may_log_in_where_somebody_left_the_desk(
    desk: Client, gate: Gate, clock: Clock
) -> None:
    clock.advance(minutes=61)
    assert log_in(desk, make_user("volunteer")).status_code == 302
    assert desk.get("/desk/").status_code == 403
    assert Conference.objects.count() == 1
