"""Changing one's password, and a new one for whoever has forgotten it."""

import re
from typing import Any

import pytest
from django.test import Client
from django_tasks_db.models import DBTaskResult
from pytest_django.fixtures import Settings

from conference.models import Mail, User
from tests.clock import Clock
from tests.factories import PASSWORD, make_order, make_organisation, make_user
from tests.html import field_errors, heading, notices, page, path_of, words
from tests.queue import run_queue

pytestmark = pytest.mark.django_db
NEW = "kettle umbrella fox"


def log_in(client: Client, user: User, password: str = PASSWORD) -> int:
    return client.post("/login/", {"username": user.email, "password": password}).status_code


def ask(client: Client, email: str) -> Any:
    return client.post("/password/forgotten/", {"email": email})


def link_in(mail: Mail) -> str:
    (url,) = set(re.findall(r"http\S+/password/new/\S+/", mail.text))
    return path_of(url)


def choose(client: Client, link: str, password: str = NEW) -> Any:
    form = client.get(link, follow=True)
    path = form.redirect_chain[-1][0] if form.redirect_chain else link
    return client.post(path, {"new_password1": password, "new_password2": password})


def change(client: Client, old: str = PASSWORD, new: str = NEW) -> Any:
    sent = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/password/", sent)


@pytest.mark.parametrize(("role", "home"), [("volunteer", "/door/"), ("organiser", "/desk/")])
def test_everybody_changes_their_own_password(client: Client, role: str, home: str) -> None:
    user = make_user(role)
    log_in(client, user)
    assert 'href="/password/"' in client.get(home).content.decode()
    response = change(client)
    assert (response.status_code, response["Location"]) == (302, "/login/done/")
    assert notices(client.get(home)) == ["Your password is changed."]
    assert log_in(Client(), user) == 200
    assert log_in(Client(), user, NEW) == 302


def test_other_sessions_end_with_a_new_password(client: Client) -> None:
    user = make_user("volunteer")
    elsewhere = Client()
    log_in(client, user)
    log_in(elsewhere, user)
    change(client)
    assert client.get("/door/").status_code == 200
    assert elsewhere.get("/door/")["Location"] == "/login/?next=/door/"


def test_wrong_old_password_changes_nothing_and_is_counted(client: Client) -> None:
    client.force_login(make_user())
    for _ in range(20):
        answer = change(client, old="wrong")
        assert list(field_errors(answer)) == ["old_password"]
    assert change(client).status_code == 429
    assert User.objects.get().check_password(PASSWORD)


def test_poor_new_password_says_why(client: Client) -> None:
    client.force_login(make_user())
    said = field_errors(change(client, new="conference"))["new_password2"]
    assert "at least 12 characters" in said
    assert "words that are easy to guess for this site" in said


def test_forgotten_password_is_chosen_anew_by_the_link_in_a_mail(client: Client) -> None:
    make_organisation(name="Northern Network")
    user = make_user("volunteer", first_name="Dana")
    elsewhere = Client()
    log_in(elsewhere, user)
    assert heading(ask(client, user.email.upper())) == "Look in your e-mail"
    run_queue()
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == (user.email, "Choose a new password")
    assert mail.text.startswith("Dear Dana,\n\n")
    assert "Northern Network" in mail.text
    assert "Northern Network" in mail.html
    response = choose(client, link_in(mail))
    assert (response.status_code, response["Location"]) == (302, "/login/")
    assert notices(client.get("/login/")) == ["Your password is changed. Log in with it."]
    assert elsewhere.get("/door/").status_code == 302
    assert log_in(client, user, NEW) == 302
    assert Mail.objects.latest("created_at").subject == "Your password was changed"


def test_link_works_once(client: Client) -> None:
    user = make_user()
    ask(client, user.email)
    run_queue()
    link = link_in(Mail.objects.get())
    choose(client, link)
    assert heading(Client().get(link)) == "This link no longer works"
    assert heading(choose(Client(), link, "another long one")) == "This link no longer works"
    assert User.objects.get().check_password(NEW)


def test_link_works_for_an_hour(client: Client, clock: Clock, monkeypatch: Any) -> None:
    user = make_user()
    ask(client, user.email)
    run_queue()
    link = link_in(Mail.objects.get())
    generator = "django.contrib.auth.tokens.PasswordResetTokenGenerator._now"
    monkeypatch.setattr(generator, lambda self: clock.now().replace(tzinfo=None))
    clock.advance(minutes=59)
    assert heading(Client().get(link, follow=True)) == "Choose a new password"
    clock.advance(minutes=2)
    assert heading(Client().get(link, follow=True)) == "This link no longer works"


def test_link_keeps_its_token_out_of_the_address(client: Client) -> None:
    user = make_user()
    ask(client, user.email)
    run_queue()
    link = link_in(Mail.objects.get())
    response = client.get(link)
    assert response["Location"] == re.sub("[^/]+/$", "set-password/", link)
    for answer in (response, client.get(response["Location"]), Client().get("/password/new/x/y/")):
        assert answer["Cache-Control"] == "no-store, private"
        assert answer["Referrer-Policy"] == "same-origin"


def test_link_of_somebody_who_left_meanwhile_no_longer_works(client: Client) -> None:
    user = make_user()
    ask(client, user.email)
    run_queue()
    User.objects.update(is_active=False)
    assert heading(client.get(link_in(Mail.objects.get()))) == "This link no longer works"


def test_device_is_known_by_the_link(client: Client) -> None:
    """So that whoever is made to wait by strangers has a way in at once."""
    user = make_user()
    for _ in range(5):
        log_in(Client(), user, "wrong")
    assert log_in(Client(), user) == 429
    ask(client, user.email)
    run_queue()
    choose(client, link_in(Mail.objects.get()))
    assert log_in(client, user, NEW) == 302


def test_answer_is_the_same_for_every_address(client: Client, settings: Settings) -> None:
    settings.TRIAL = False
    addresses = {
        "known": make_user().email,
        "nobody": "nobody@example.org",
        "left": make_user(is_active=False).email,
        "sample": make_user(is_sample=True).email,
        "without a password": make_user(password=None).email,
    }
    answers = {who: ask(client, email) for who, email in addresses.items()}
    pages = {who: words(page(answer).find(".//main")) for who, answer in answers.items()}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert set(pages.values()) == {pages["known"]}
    assert DBTaskResult.objects.count() == len(addresses)
    run_queue()
    assert [mail.to for mail in Mail.objects.all()] == [addresses["known"]]


def test_address_is_mailed_three_links_an_hour_and_the_page_tells_nobody(client: Client) -> None:
    user = make_user()
    said = [heading(ask(client, user.email)) for _ in range(5)]
    assert said == ["Look in your e-mail"] * 5
    assert DBTaskResult.objects.count() == 3


def test_address_that_is_none_is_asked_for_again(client: Client) -> None:
    assert list(field_errors(ask(client, "ada@"))) == ["email"]
    assert DBTaskResult.objects.count() == 0


def test_log_in_links_to_whoever_has_forgotten(client: Client) -> None:
    links = [link.get("href") for link in page(client.get("/login/")).iter("a")]
    assert "/password/forgotten/" in links


def test_link_cannot_be_shut_off_for_a_whole_hall(client: Client, clock: Clock) -> None:
    make_user(email="olu@example.org")
    for number in range(80):
        assert ask(client, f"nobody{number}@example.org").status_code == 200
    assert ask(client, "olu@example.org").status_code == 200
    clock.advance(minutes=6)
    run_queue()
    assert [mail.to for mail in Mail.objects.all()] == ["olu@example.org"]


def test_link_comes_though_others_have_had_many_mails_written_there(client: Client) -> None:
    make_user(email="olu@example.org")
    for _ in range(12):
        make_order(email="olu@example.org")
    run_queue()
    ask(client, "olu@example.org")
    run_queue()
    assert Mail.objects.filter(key__startswith="password_forgotten").count() == 1
