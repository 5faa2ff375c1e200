"""The mails at the desk: what failed, why, and another try."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conference.models import AuditEntry, Conference, Mail, User
from tests.factories import make_order

pytestmark = pytest.mark.django_db

REFUSED = "SMTPRecipientsRefused: {'x@exmaple.org': (550, b'No such user')}"


def _make_mail(number: int = 1, **fields: Any) -> Mail:
    now = timezone.now()
    defaults = {
        "key": f"test:{number}",
        "to": "x@exmaple.org",
        "sender": "tickets@example.org",
        "subject": f"Mail {number}",
        "text": "Hello",
        "status": Mail.Status.FAILED,
        "attempts": 13,
        "next_try_at": now,
        "created_at": now + timedelta(seconds=number),
        "last_error": REFUSED,
    }
    return Mail.objects.create(**defaults | fields)


def _subjects(desk: Client, query: str = "") -> list[str]:
    return [mail.subject for mail in desk.get(f"/desk/mails/{query}").context["rows"]]


def test_mails_shows_failed_ones_newest_first(desk: Client) -> None:
    for number in range(3):
        _make_mail(number)
    _make_mail(3, status="sent", subject="Out")
    _make_mail(4, status="queued", subject="Waiting")
    assert _subjects(desk) == ["Mail 2", "Mail 1", "Mail 0"]
    assert _subjects(desk, "?status=sent") == ["Out"]
    assert _subjects(desk, "?status=queued") == ["Waiting"]
    assert _subjects(desk, "?status=nonsense") == ["Mail 2", "Mail 1", "Mail 0"]


def test_mails_says_why_and_links_the_order(desk: Client, conference: Conference) -> None:
    order = make_order(conference)
    _make_mail(about=order.reference)
    _make_mail(2, about="elsewhere", last_error="ConnectionRefusedError: [Errno 111]")
    content = desk.get("/desk/mails/").content.decode()
    assert "The mail server does not know the address or refuses it." in content
    assert "We tried it 13 times, and the mail server did not take it." in content
    assert content.count(f'href="/desk/orders/{order.reference}/"') == 1
    assert 'href="/desk/orders/elsewhere/"' not in content


def test_mails_asks_as_much_for_three_rows_as_for_one(
    desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for rows in (1, 3):
        while Mail.objects.count() < rows:
            _make_mail(Mail.objects.count())
        with django_assert_max_num_queries(8) as asked:
            desk.get("/desk/mails/")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_retry_sends_the_mail_and_is_on_record(
    desk: Client, organiser: User, work: Callable[[], int]
) -> None:
    mail = _make_mail(about="AAAA-BBBB")
    assert desk.post(f"/desk/mails/{mail.pk}/retry/").url == "/desk/mails/"
    work()
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == ("sent", 1)
    entry = AuditEntry.objects.get(by=organiser)
    assert (entry.verb, entry.subject) == ("mail tried again", "AAAA-BBBB")


def test_retry_of_a_sent_mail_changes_nothing(desk: Client) -> None:
    mail = _make_mail(status="sent")
    response = desk.post(f"/desk/mails/{mail.pk}/retry/", follow=True)
    assert "has not failed" in response.content.decode()
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == ("sent", 13)


def test_retry_all_sends_every_failed_mail(desk: Client, work: Callable[[], int]) -> None:
    for number in range(3):
        _make_mail(number)
    _make_mail(3, status="queued", next_try_at=timezone.now() + timedelta(hours=1))
    response = desk.post("/desk/mails/retry/", follow=True)
    assert "3 mails are being tried again." in response.content.decode()
    work()
    assert list(Mail.objects.order_by("key").values_list("status", flat=True)) == [
        *("sent", "sent", "sent", "queued")
    ]
    assert AuditEntry.objects.filter(verb="mail tried again").count() == 3
