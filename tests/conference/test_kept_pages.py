"""Pages kept by all that they are made from: never out of date, never another visitor's."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from conference import kept_pages
from conference.models import Conference, Organisation
from signup.models import Edition
from tests.factories import make_conference, make_order
from tickets.models import TicketType

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_page_changes_with_a_row_that_nobody_announced(client: Client) -> None:
    conference = make_conference()
    path = conference.get_absolute_url()
    assert "Mill Lane Hall" in page(client, path)
    # Past models and signals, as another process or an administrator's SQL would do it.
    Conference.objects.update(venue="Canal House")
    Organisation.objects.update(name="Peers of the North")
    text = page(client, path)
    assert "Mill Lane Hall" not in text
    assert "Canal House" in text
    assert "Peers of the North" in text


def test_page_changes_with_the_places_left(client: Client) -> None:
    conference = make_conference(types={"Professional": 3})
    path = f"{conference.get_absolute_url()}reserve/"
    assert "Professional (3 places left)" in page(client, path)
    make_order(conference)
    assert "Professional (2 places left)" in page(client, path)
    TicketType.objects.update(capacity=F("capacity") + 40)
    assert "Professional (places left)" in page(client, path)


def test_page_changes_with_time(client: Client) -> None:
    conference = make_conference()
    path = conference.get_absolute_url()
    assert "Reserve my places" in page(client, path)
    Conference.objects.update(opens_at=timezone.now() + timedelta(hours=1))
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


def test_token_of_a_kept_page_is_good() -> None:
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


def test_no_more_pages_are_kept_than_there_is_room_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_pages, "MOST_PAGES", 2)
    path = make_conference().get_absolute_url()
    for venue in ("One", "Two", "Three"):
        Conference.objects.update(venue=venue)
        page(client, path)
    assert len(kept_pages._kept) == 2


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        kept_pages._digest({"thing": object()})
