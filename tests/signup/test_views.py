"""The Bulletin's form over HTTP: one answer for everybody, and no way to misuse it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from conference.limits import LONGEST_WAIT, Limit, take_turn
from conference.models import Mail
from signup import actions, forms, links, views
from signup.models import Consent, Edition, Subscriber, Suppression
from tests.html import field_errors, fields, heading, summary

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
FORM = "/bulletin/"
KINDS = ("new", "pending", "confirmed", "unsubscribed", "complained", "suppressed")


@pytest.fixture(autouse=True)
def as_slow_as_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a second for the form."""
    monkeypatch.setattr(forms, "SOONEST", timedelta(seconds=-1))


def send(client: Client, **changes: str) -> HttpResponse:
    """Send the form as a browser would, with an address and what else is typed."""
    filled = fields(client.get(FORM), action=FORM) | {"email": "ada@example.org"} | changes
    return client.post(FORM, filled)


def make(kind: str) -> None:
    """Let ada@example.org be known to us as `kind`."""
    now = timezone.now() - timedelta(days=1)
    if kind == "suppressed":
        digest = actions.digest_of("ada@example.org")
        Suppression.objects.create(digest=digest, reason="erased", at=now)
    elif kind != "new":
        Subscriber.objects.create(email="ada@example.org", status=kind, requested_at=now)


@pytest.mark.parametrize("kind", KINDS)
def test_every_address_gets_the_same_answer_for_the_same_work(client: Client, kind: str) -> None:
    answers = []
    for address in ("ada@example.org", "somebody.else@example.org"):
        if address == "ada@example.org":
            make(kind)
        form = fields(client.get(FORM), action=FORM) | {"email": address}
        with CaptureQueriesContext(
            connection,
        ) as statements:
            answer = client.post(FORM, form)
        answers.append((answer.status_code, answer.content, len(statements)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert b"ada@example.org" not in answers[0][1]


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("new", ["Please confirm the Bulletin"]),
        ("pending", ["Please confirm the Bulletin"]),
        ("unsubscribed", ["Please confirm the Bulletin"]),
        ("confirmed", ["You already receive the Bulletin"]),
        ("complained", []),
        ("suppressed", []),
    ],
)
def test_only_the_mail_differs(client: Client, work: Work, kind: str, subject: list[str]) -> None:
    make(kind)
    assert heading(send(client)) == "Look in your e-mail"
    assert Mail.objects.count() == 0
    work()
    assert [mail.subject for mail in Mail.objects.all()] == subject


def test_source_and_name_are_kept(client: Client, work: Work) -> None:
    send(client, first_name="Łucja", last_name="Nowak", source="home page")
    work()
    subscriber = Subscriber.objects.get()
    assert (subscriber.first_name, subscriber.last_name) == ("Łucja", "Nowak")
    assert Consent.objects.get().source == Consent.Source.HOME_PAGE


def test_source_that_nobody_offers_is_refused_or_ours(client: Client, work: Work) -> None:
    send(client, source="ticket form")
    work()
    assert set(Consent.objects.values_list("source", flat=True)) <= {"bulletin page"}


@pytest.mark.parametrize("typed", ["", "ada", "ada@", "@example.org", "ada@example"])
def test_wrong_address_is_said_at_the_field_and_kept(client: Client, typed: str) -> None:
    answer = send(client, email=typed, first_name="Ada")
    assert list(field_errors(answer)) == ["email"]
    sent = fields(answer, action=FORM)
    assert (sent["email"], sent["first_name"]) == (typed, "Ada")


def test_who_falls_into_the_trap_may_send_it_again(client: Client, work: Work) -> None:
    answer = send(client, left_blank="http://spam.test")
    assert summary(answer) == [
        "Your browser filled in a field that must stay empty. Please send it again."
    ]
    work()
    assert (Subscriber.objects.count(), Mail.objects.count()) == (0, 0)
    again = fields(answer, action=FORM)
    assert (again["email"], again["left_blank"]) == ("ada@example.org", "")
    assert heading(client.post(FORM, again)) == "Look in your e-mail"


def test_too_quick_may_send_it_once_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "SOONEST", timedelta(minutes=1))
    answer = send(client)
    assert summary(answer) == ["That was very quick. Please send the form again."]
    monkeypatch.setattr(forms, "SOONEST", timedelta(seconds=-1))
    again = fields(answer, action=FORM)
    assert heading(client.post(FORM, again)) == "Look in your e-mail"


@pytest.mark.parametrize("made", ["", "nonsense", "a:b:c"])
def test_form_of_unknown_age_may_be_sent_once_more(client: Client, made: str) -> None:
    answer = send(client, made=made)
    assert summary(answer) == ["This form was open for a long time. Please send it again."]
    assert heading(client.post(FORM, fields(answer, action=FORM))) == "Look in your e-mail"


def test_address_is_taken_three_times_a_day(client: Client, work: Work) -> None:
    for _ in range(5):
        assert heading(send(client)) == "Look in your e-mail"
    assert work() <= 2 * views.FOR_AN_ADDRESS
    assert Consent.objects.count() == views.FOR_AN_ADDRESS


def test_form_that_is_sent_ever_again_has_to_be_sent_as_a_new_one(client: Client) -> None:
    form = fields(client.get(FORM), action=FORM) | {"email": "ada@example.org"}
    for _ in range(views.TIMES_FOR_A_FORM):
        assert heading(client.post(FORM, form)) == "Look in your e-mail"
    answer = client.post(FORM, form)
    assert summary(answer) == ["This form was used several times. Please send it again."]
    again = fields(answer, action=FORM)
    assert (again["email"], again["made"] == form["made"]) == ("ada@example.org", False)
    assert heading(client.post(FORM, again)) == "Look in your e-mail"


def test_two_forms_of_one_second_are_two(client: Client) -> None:
    made = {fields(client.get(FORM), action=FORM)["made"] for _ in range(3)}
    assert len(made) == 3


def test_what_exceeds_a_networks_pace_waits_in_line(
    client: Client, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FROM_A_NETWORK", 4)  # one in a quarter of an hour
    answers = [send(client, email=f"a{number}@example.org") for number in range(6)]
    assert {heading(answer) for answer in answers} == {"Look in your e-mail"}
    assert ["it can take some hours" in a.content.decode() for a in answers] == [False] * 4 + [
        True
    ] * 2
    work()
    assert Mail.objects.count() == 4
    later = DBTaskResult.objects.filter(status="READY").order_by("run_after")
    minutes = [round((row.run_after - timezone.now()).total_seconds() / 60) for row in later]
    assert minutes == [15, 30]


def test_sign_up_that_waited_is_mailed_when_its_turn_has_come(
    client: Client, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FROM_A_NETWORK", 1)
    for number in range(2):
        send(client, email=f"a{number}@example.org")
    work()
    asked = timezone.now()
    DBTaskResult.objects.filter(status="READY").update(run_after=asked)
    work()
    late = Mail.objects.get(to="a1@example.org")
    assert late.created_at >= asked  # not when the form was sent: the mail is not late
    assert Consent.objects.get(subscriber__email="a1@example.org").at < asked


def test_line_has_an_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "FROM_A_NETWORK", 1)
    monkeypatch.setattr(views, "LONGEST_WAIT", timedelta(hours=2))
    seen = [send(client, email=f"a{number}@example.org").status_code for number in range(4)]
    assert seen == [200, 200, 200, 429]


def test_full_line_of_the_whole_site_refuses_nobody(
    client: Client, settings: LazySettings, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FOR_THE_SITE", 1)
    monkeypatch.setattr(views, "LONGEST_WAIT", timedelta(hours=2))
    settings.PROXIES = 1
    seen = []
    for number in range(6):
        client.defaults["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
        seen.append(send(client, email=f"a{number}@example.org").status_code)
    assert seen == [200] * 6
    latest = DBTaskResult.objects.filter(status="READY").exclude(run_after__year=9999)
    hours = [(row.run_after - timezone.now()) / timedelta(hours=1) for row in latest]
    assert max(hours) <= 2


def test_pace_is_kept_over_the_hours() -> None:
    limit = Limit("a", "b", 2, timedelta(hours=1))
    began = timezone.now()
    due = []
    for hour in range(5):
        now = began + timedelta(hours=hour)
        for _ in range(20):
            wait = take_turn(limit, now=now)
            if wait <= LONGEST_WAIT:
                due.append(now + wait)
    # A second more, so that what is due at the full hour belongs to it.
    by_hour = Counter((at - began + timedelta(seconds=1)) // timedelta(hours=1) for at in due)
    # What was taken at once, and then two an hour.
    assert by_hour[0] <= 4
    assert {by_hour[hour] for hour in range(1, 10)} == {2}


def test_one_network_does_not_make_the_others_wait(
    client: Client, settings: LazySettings, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FROM_A_NETWORK", 2)
    monkeypatch.setattr(views, "FOR_THE_SITE", 4)
    settings.PROXIES = 1
    client.defaults["HTTP_X_FORWARDED_FOR"] = "192.0.2.1"
    for number in range(6):
        send(client, email=f"flood{number}@example.org")
    for number in (2, 3, 4):
        client.defaults["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
        send(client, email=f"ada{number}@example.org")
    work()
    mailed = Mail.objects.order_by("to").values_list("to", flat=True)
    # Two of each hour's four from the flood; the fifth of the hour waits, whoever sent it.
    assert list(mailed) == [
        *("ada2@example.org", "ada3@example.org"),
        *("flood0@example.org", "flood1@example.org"),
    ]


def test_form_needs_its_cookie() -> None:
    browser = Client(enforce_csrf_checks=True)
    filled = fields(browser.get(FORM), action=FORM) | {"email": "ada@example.org"}
    assert browser.post(FORM, filled).status_code == 403


def test_opening_links_changes_nothing(client: Client) -> None:
    make("pending")
    subscriber = Subscriber.objects.get()
    for url in (links.confirm_url(subscriber), links.unsubscribe_url(subscriber)):
        for method in (client.get, client.head):
            answer = method(url.removeprefix("http://127.0.0.1:8000"))
            assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    subscriber.refresh_from_db()
    assert (subscriber.status, Consent.objects.count()) == ("pending", 0)


def test_one_click_is_answered_at_once_without_cookie_or_redirect() -> None:
    make("confirmed")
    url = links.unsubscribe_url(Subscriber.objects.get())
    program = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = program.post(
            url.removeprefix("http://127.0.0.1:8000"),
            "List-Unsubscribe=One-Click",
            content_type="application/x-www-form-urlencoded",
        )
        assert (answer.status_code, answer.cookies.output()) == (200, "")
    assert Subscriber.objects.get().status == "unsubscribed"
    assert Consent.objects.get().source == Consent.Source.ONE_CLICK


def test_links_outlive_a_change_of_the_secret_key(client: Client, settings: LazySettings) -> None:
    make("confirmed")
    url = links.unsubscribe_url(Subscriber.objects.get())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    client.post(url.removeprefix("http://127.0.0.1:8000"))
    assert Subscriber.objects.get().status == "unsubscribed"


def test_links_do_not_hold_the_address() -> None:
    make("confirmed")
    subscriber = Subscriber.objects.get()
    for url in (links.confirm_url(subscriber), links.unsubscribe_url(subscriber)):
        assert "ada" not in url
        assert "example.org" not in url


def test_archive_shows_what_is_published_newest_first(client: Client) -> None:
    today = timezone.now().date()
    for number, days in ((1, -10), (2, 0), (3, 5)):
        Edition.objects.create(
            number=number,
            title=f"Title {number}",
            published_on=today + timedelta(days=days),
            body="*Hello*",
        )
    text = client.get(FORM).content.decode()
    assert ("Title 3" in text, text.index("Title 2") < text.index("Title 1")) == (False, True)
    seen = [client.get(f"/bulletin/{number}/").status_code for number in (1, 2, 3, 4)]
    assert seen == [200, 200, 404, 404]
    assert "<em>Hello</em>" in client.get("/bulletin/1/").content.decode()
