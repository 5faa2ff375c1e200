"""The mails about tickets, as they arrive: who gets which, and what comes with them."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from tests.factories import make_order
from tests.mails import MailServer
from tickets import actions

pytestmark = pytest.mark.django_db

Work = Callable[[], int]


def test_order_of_two_addresses_is_mailed_to_each_their_own(smtp: MailServer, work: Work) -> None:
    order = make_order(names=("Ada", "Grace"))
    order.tickets.filter(attendee_name="Grace").update(attendee_email="grace@example.org")
    work()
    sent = {message["To"]: message for message in smtp.messages}
    assert sorted(sent) == ["ada@example.org", "grace@example.org"]
    texts = {to: message.get_body(("plain",)).get_content() for to, message in sent.items()}
    assert [order.secret in texts[to] for to in sorted(texts)] == [True, False]
    # An attendee's address was given by somebody else: nothing they typed is mailed there.
    assert [["Ada" in texts[to], "Grace" in texts[to]] for to in sorted(texts)] == [
        [True, True],
        [False, False],
    ]
    assert "ada@example.org" in texts["grace@example.org"]


def test_ticket_mail_carries_what_it_must(smtp: MailServer, work: Work) -> None:
    order = make_order(bulletin_wording="Please send me the Bulletin.")
    work()
    (sent,) = smtp.messages
    files = {part.get_filename(): part for part in sent.iter_attachments()}
    assert {name: part.get_content_type() for name, part in files.items()} == {
        f"tickets-{order.reference}.pdf": "application/pdf",
        "conference.ics": "text/calendar",
    }
    assert files[f"tickets-{order.reference}.pdf"].get_content()[:5] == b"%PDF-"
    assert "BEGIN:VTIMEZONE" in files["conference.ics"].get_content()
    for kind in ("plain", "html"):
        body = sent.get_body((kind,)).get_content()
        assert order.get_absolute_url() in body
        assert order.tickets.get().reference in body
        assert "/bulletin/confirm/" in body


def test_ticket_mail_without_the_tick_has_no_word_of_the_bulletin(
    smtp: MailServer, work: Work
) -> None:
    make_order()
    work()
    for kind in ("plain", "html"):
        assert "Bulletin" not in smtp.messages[0].get_body((kind,)).get_content()


def test_resend_is_one_more_mail(smtp: MailServer, work: Work) -> None:
    order = make_order()
    work()
    actions.resend(order=order, now=timezone.now())
    work()
    work()
    assert len(smtp.messages) == len({m["Message-ID"] for m in smtp.messages}) == 2
