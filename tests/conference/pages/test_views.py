"""Uploads: only what is shown somewhere can be fetched. And whom to tell of a vulnerability."""

import re
from datetime import datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from signup.models import Edition
from tests.conference.test_pictures import a_picture
from tests.factories import make_conference

pytestmark = pytest.mark.django_db


def test_picture_of_a_conference_is_there_for_anybody(client: Client) -> None:
    conference = make_conference()
    conference.picture.save("group.jpg", a_picture())
    old = conference.picture.url
    answer = client.get(old)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    conference.picture.save("other.jpg", a_picture())
    statuses = [client.get(url).status_code for url in (old, conference.picture.url)]
    assert statuses == [404, 200]


def test_edition_is_there_once_it_is_published_and_its_name_is_nobodys_guess(
    client: Client,
) -> None:
    today = timezone.now().date()
    edition = Edition(number=7, title="Seven", published_on=today + timedelta(days=1))
    edition.pdf.save("bulletin-7.pdf", ContentFile(b"%PDF-1.4"))
    assert re.fullmatch("bulletin/[0-9a-f]{32}[.]pdf", edition.pdf.name)
    assert client.get(edition.pdf.url).status_code == 404
    Edition.objects.update(published_on=today)
    assert client.get(edition.pdf.url).status_code == 200


@pytest.mark.parametrize(
    "path", ["pictures/", "bulletin/x.pdf", "../db.sqlite3", "keys", "pictures/%00"]
)
def test_anything_else_is_not_there(client: Client, path: str) -> None:
    assert client.get(f"/media/{path}").status_code == 404


def test_whom_to_tell_of_a_vulnerability(client: Client, settings: Settings) -> None:
    assert client.get("/.well-known/security.txt").status_code == 404  # nobody to tell yet
    organisation = make_conference().organisation
    answer = client.get("/.well-known/security.txt")
    assert (answer["Content-Type"], answer["Cache-Control"]) == (
        "text/plain; charset=utf-8",
        "public, max-age=86400",
    )
    assert (answer.cookies, answer.has_header("Vary")) == ({}, False)
    contact, expires, *others = answer.content.decode().splitlines()
    assert contact == f"Contact: mailto:{organisation.email}"
    assert others == [
        "Preferred-Languages: en",
        "Canonical: http://127.0.0.1:8000/.well-known/security.txt",
    ]
    ends_at = datetime.fromisoformat(expires.removeprefix("Expires: "))
    assert timedelta(days=363) <= ends_at - timezone.now() < timedelta(days=365)
    settings.SECURITY_CONTACT = "https://example.org/report"
    answer = client.get("/.well-known/security.txt")
    assert answer.content.startswith(b"Contact: https://example.org/report\n")
