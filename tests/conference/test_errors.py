"""What people see when something does not work: our own pages, and nothing typed is lost."""

import errno
import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from conference.errors import TooOften, WithoutSecrets, branded_errors, broken
from tests.factories import make_conference, make_order, make_user
from tests.html import fields, heading, page, summary, words
from tests.tickets.views.filled import filled, send
from tickets.models import Order
from tickets.views import orders, reserving


def answer_to(error: Exception, request: HttpRequest | None = None) -> HttpResponse:
    """What the site answers where a view raises `error`."""
    request = request or RequestFactory().get("/")
    request.user = AnonymousUser()
    handle = branded_errors(lambda _request: HttpResponse()).process_exception  # type: ignore[attr-defined]
    response: HttpResponse = handle(request, error)
    return response


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (BadRequest(), 400, "We could not read that"),
        (MultiPartParserError(), 400, "We could not read that"),
        (UnreadablePostError(), 400, "We could not read that"),
        (PermissionDenied(), 403, "This page is not open to you"),
        (TooOften(), 429, "Please wait a little"),
        (RuntimeError("boom"), 500, "Something went wrong on our side"),
        (OperationalError("database is locked"), 503, "Too much at once"),
        (InterfaceError("connection already closed"), 503, "Too much at once"),
    ],
)
def test_error_has_a_page_of_our_own(error: Exception, status: int, says: str) -> None:
    answer = answer_to(error)
    assert (answer.status_code, heading(answer)) == (status, says)
    assert "boom" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_unknown_address_has_our_own_page_in_a_trial_too(
    client: Client, settings: Settings, debug: bool
) -> None:
    settings.DEBUG = debug
    for path in ("/no-such-page", "/no/such/page/", "/desk/x/y/z", "/%ff", "/a%00b"):
        answer = client.get(path, follow=True)
        assert (answer.status_code, heading(answer)) == (404, "There is no page here")


@pytest.mark.django_db
def test_address_typed_without_its_last_slash_leads_on(client: Client) -> None:
    """As people type what stands on a poster."""
    slug = make_conference().slug
    for path in (f"/{slug}", f"/{slug}/reserve", "/bulletin", "/privacy", "/orders"):
        answer = client.get(f"{path}?from=poster", follow=True)
        assert (answer.status_code, answer.redirect_chain) == (200, [(f"{path}/?from=poster", 301)])
    assert client.get("/desk")["Location"] == "/desk/"


@pytest.mark.django_db
def test_form_sent_to_no_address_finds_no_page() -> None:
    answer = Client(enforce_csrf_checks=True).post("/no/such/page/", {"name": "Ada"})
    assert (answer.status_code, heading(answer)) == (404, "There is no page here")


@pytest.mark.django_db
def test_byte_that_no_text_has_is_no_error_of_ours(client: Client) -> None:
    client.force_login(make_user())
    for path, status in (("/orders/a%00b/", 404), ("/desk/orders/?q=a%00b", 400)):
        assert client.get(path).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("&".join(f"f{n}=" for n in range(501)), "application/x-www-form-urlencoded"),
        ("name=" + "W" * 1024 * 1024, "application/x-www-form-urlencoded"),
        ("not what it says", "multipart/form-data; boundary="),
    ],
)
def test_form_that_cannot_be_read_has_our_own_page(
    client: Client, settings: Settings, debug: bool, body: str, kind: str
) -> None:
    settings.DEBUG = debug
    path = f"/{make_conference().slug}/reserve/"
    answer = client.post(path, body, content_type=kind)
    assert (answer.status_code, heading(answer)) == (400, "We could not read that")


@pytest.mark.django_db
def test_address_for_a_button_says_so(client: Client) -> None:
    answer = client.get("/logout/")
    assert (answer.status_code, heading(answer)) == (405, "Nothing to see here")
    assert answer["Allow"] == "POST, OPTIONS"


def test_page_for_our_own_mistakes_needs_no_database() -> None:
    answer = broken(RequestFactory().get("/"))
    assert (answer.status_code, heading(answer)) == (500, "Something went wrong on our side")


@pytest.mark.django_db
def test_locked_database_keeps_the_form_to_be_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(raise_request_exception=False)
    conference = make_conference()
    typed = '<b>Ada</b> & "Grace"'
    sent = filled(client, conference, names=[typed, "محمد"], email="not yet", bulletin="on")

    def locked(*_: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(reserving, "on_offer", locked)
        answer = send(client, conference, sent)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "no-store" in answer["Cache-Control"]
    assert fields(answer) == sent
    again = send(client, conference, fields(answer) | {"email": "ada@example.org"})
    assert again["Location"] == Order.objects.get().get_absolute_url()


def no_room(tmp_path: Path) -> list[Exception]:
    """What is raised where nothing more can be written: by SQLite, PostgreSQL, the file system."""
    with closing(sqlite3.connect(tmp_path / "small.sqlite3")) as database:
        database.execute("PRAGMA max_page_count = 2")
        try:
            database.execute("CREATE TABLE big AS SELECT zeroblob(100000)")
        except sqlite3.OperationalError as error:
            of_sqlite = OperationalError(str(error))
            of_sqlite.__cause__ = error
    of_postgresql = OperationalError("could not extend file")
    of_postgresql.__cause__ = psycopg.errors.DiskFull()
    return [of_sqlite, of_postgresql, OSError(errno.ENOSPC, "No space left on device")]


@pytest.mark.django_db
def test_full_disk_is_called_by_its_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for error in no_room(tmp_path):
        caplog.clear()
        answer = answer_to(error, RequestFactory().post("/", {"name": "Ada"}))
        says = "We cannot save anything at the moment"
        assert (answer.status_code, heading(answer), fields(answer)) == (503, says, {"name": "Ada"})
        assert caplog.messages == ["POST /: the disk is full"]
        assert caplog.records[0].exc_info is None


@pytest.mark.django_db
def test_locked_database_does_not_show_a_password_again() -> None:
    request = RequestFactory().post("/login/", {"username": "a", "password": "secret"})
    answer = answer_to(OperationalError(), request)
    assert "secret" not in answer.content.decode()


@pytest.mark.django_db
def test_forms_without_our_cookie_come_back_to_be_sent_again() -> None:
    client = Client(enforce_csrf_checks=True)
    kept, ended = make_order(gift_pence=500), make_order(names=("Ada",))
    ticket = ended.tickets.get()
    for path, sent in (
        ("/bulletin/", {"email": "ada@", "first_name": "<b>", "last_name": "", "left_blank": ""}),
        ("/orders/", {"email": "ada@example.org"}),
        (f"/orders/{kept.secret}/amount/", {"gift": "other", "other_amount": "20,50"}),
        (f"/orders/{ended.secret}/{ticket.reference}/name/", {"attendee_name": "Łucja"}),
    ):
        client.cookies.clear()
        answer = client.post(path, sent)
        assert (path, answer.status_code) == (path, 403)
        assert heading(answer) == "Please send that again"
        shown = fields(answer)
        assert {name: shown[name] for name in shown if name != "csrfmiddlewaretoken"} == sent
        # The cookie came with the page: now it can be sent.
        token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
        assert client.post(path, shown | token).status_code != 403


@pytest.mark.django_db
def test_form_of_another_site_is_not_given_back() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        "/bulletin/", {"email": "ada@example.org"}, headers={"Origin": "https://elsewhere.example"}
    )
    assert (answer.status_code, "ada@example.org" in answer.content.decode()) == (403, False)


@pytest.mark.django_db
def test_buttons_without_our_cookie_say_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    order = make_order(gift_pence=500)
    for path in ("/login/", f"/orders/{order.secret}/free/"):
        answer = client.post(path, {"username": "ada@example.org", "password": "secret"})
        assert (answer.status_code, heading(answer)) == (403, "Please send that again")
    order.refresh_from_db()
    assert order.status == Order.Status.RESERVED


@pytest.mark.django_db
def test_too_many_requests_are_paused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "LINKS_OF_A_NETWORK", 1)
    monkeypatch.setattr(orders, "LONGEST_WAIT", timedelta())
    tries = [client.post("/orders/", {"email": "a@example.org"}) for _ in range(2)]
    assert [t.status_code for t in tries] == [200, 429]
    assert heading(tries[1]) == "Please wait a little"


@pytest.mark.django_db
def test_wrong_password_keeps_the_address_and_says_what_to_do(client: Client) -> None:
    user = make_user()
    answer = client.post("/login/", {"username": user.email, "password": "wrong"})
    assert fields(answer) == {"username": user.email, "password": ""}
    assert summary(answer) == ["That e-mail address and password do not match. Check both."]
    assert words(page(answer).find(".//title")).startswith("Please check: Log in")
    answer = client.post("/login/", {})
    assert summary(answer) == ["Enter your e-mail address.", "Enter your password."]


def test_log_tells_no_secret_of_a_link(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord(
        "x",
        logging.INFO,
        "",
        0,
        "GET %s",
        ("/orders/s3cr3t/pay/?a=/bulletin/confirm/t0ken/&b=/password/new/MQ/t0-ken/",),
        None,
    )
    WithoutSecrets().filter(record)
    said = "GET /orders/…/pay/?a=/bulletin/confirm/…/&b=/password/new/MQ/…/"
    assert record.getMessage() == said


def test_log_has_one_short_line_for_whatever_a_stranger_sends() -> None:
    record = logging.LogRecord(
        "conference", logging.ERROR, __file__, 1, "%s", ("/a\nERROR \x1b[2J\u2028Zoë",), None
    )
    WithoutSecrets().filter(record)
    assert record.getMessage() == r"/a\nERROR \x1b[2J\u2028Zoë"
    record = logging.LogRecord("conference", logging.ERROR, __file__, 1, "x" * 32_000, (), None)
    WithoutSecrets().filter(record)
    assert record.getMessage() == "x" * 1000 + "…"


def test_line_of_a_traceback_cannot_pass_for_a_message() -> None:
    record = logging.LogRecord("conference", logging.ERROR, __file__, 1, "broken", (), None)
    record.exc_text = "ValueError: a\n2026-01-01 ERROR /orders/s3cr3t/ stolen"
    WithoutSecrets().filter(record)
    assert record.exc_text == "  ValueError: a\n  2026-01-01 ERROR /orders/…/ stolen"
