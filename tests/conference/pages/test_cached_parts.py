"""What pages keep of what they have drawn: never out of date, never another visitor's."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from signup.models import Edition
from tests.factories import make_conference, make_order

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_pages_change_with_their_rows(client: Client) -> None:
    conference = make_conference()
    organisation, (kind,) = conference.organisation, conference.ticket_types.all()
    paths = ("/", conference.get_absolute_url(), f"{conference.get_absolute_url()}reserve/")
    for path in paths:
        page(client, path)
    conference.venue, conference.gift_explanation = "Canal House", "It pays for *tea*."
    organisation.introduction = "We *sit in a circle*."
    kind.name = "Carer"
    for row in (conference, organisation, kind):
        row.save()
    home, about, form = (page(client, path) for path in paths)
    assert "Canal House" in home
    assert "We <em>sit in a circle</em>." in home
    assert "Canal House" in about
    assert "<strong>Carer</strong>" in about
    assert "It pays for <em>tea</em>." in form
    assert "Carer (places left)" in form


def test_page_changes_with_the_places_left(client: Client) -> None:
    conference = make_conference(types={"Professional": 3})
    path = f"{conference.get_absolute_url()}reserve/"
    assert "Professional (3 places left)" in page(client, path)
    make_order(conference)
    assert "Professional (2 places left)" in page(client, path)
    (kind,) = conference.ticket_types.all()
    kind.capacity += 40
    kind.save()
    assert "Professional (places left)" in page(client, path)


def test_page_changes_with_time(client: Client) -> None:
    conference = make_conference()
    path = conference.get_absolute_url()
    assert "Reserve my places" in page(client, path)
    conference.opens_at = timezone.now() + timedelta(hours=1)
    conference.save()
    assert "Reserve my places" not in page(client, path)


def test_home_changes_with_the_edition(client: Client) -> None:
    make_conference()
    assert "The latest Bulletin" not in page(client, "/")
    today = timezone.localdate()
    Edition.objects.create(number=1, title="Who was not in the room", published_on=today)
    assert "Who was not in the room" in page(client, "/")


def test_each_visitor_gets_a_token_of_their_own() -> None:
    path = f"{make_conference().get_absolute_url()}reserve/"
    found = [TOKEN.search(page(Client(), path)) for _ in range(2)]
    first, second = (match[1] for match in found if match)
    assert first != second
    assert len(first) == len(second) == 64


def test_each_form_has_a_number_of_its_own(client: Client) -> None:
    path = f"{make_conference().get_absolute_url()}reserve/"
    pattern = re.compile(r'name="submission" value="([^"]+)"')
    found = [pattern.search(page(client, path)) for _ in range(2)]
    first, second = (match[1] for match in found if match)
    assert first != second


def test_token_beside_what_is_kept_is_good() -> None:
    path = f"{make_conference().get_absolute_url()}reserve/"
    page(Client(), path)
    visitor = Client(enforce_csrf_checks=True)
    token = TOKEN.search(page(visitor, path))
    assert token
    assert visitor.post(path, {"csrfmiddlewaretoken": token[1]}).status_code == 200
    assert visitor.post(path, {"csrfmiddlewaretoken": "x" * 64}).status_code == 403


def test_page_without_a_form_sets_no_cookie(client: Client) -> None:
    path = make_conference().get_absolute_url()
    assert client.get(path).cookies == client.get(path).cookies == {}


def test_what_was_typed_is_kept_for_nobody_else(client: Client) -> None:
    path = f"{make_conference().get_absolute_url()}reserve/"
    sent = {"name": "Ada Lovelace", "email": "", "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0"}
    for _ in range(2):
        assert "Ada Lovelace" in client.post(path, sent).content.decode()
        assert "Ada Lovelace" in client.post(path, sent | {"add": "1"}).content.decode()
        assert "Ada Lovelace" not in page(client, path)
    sign_up = {"email": "grace@", "source": "home page"}
    assert "grace@" in client.post("/bulletin/", sign_up).content.decode()
    assert "grace@" not in page(client, "/")


def test_page_that_has_not_changed_is_not_sent_again(client: Client) -> None:
    path = make_conference().get_absolute_url()
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert not again.has_header("Content-Length")  # it would be taken for the page's own
    make_order(make_conference())
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
