"""What the mails say: the same in both parts, and nothing in them that a name could break."""

import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from conference.models import User
from tests.factories import make_conference, make_order

pytestmark = pytest.mark.django_db

NAME = "Ł'uc & <b>ja</b>"
MAILS = (
    *("tickets/emails/tickets", "tickets/emails/released", "tickets/emails/refunded"),
    "tickets/emails/for_attendee",
    *("tickets/emails/lost_link", "tickets/emails/cancelled", "donations/emails/paid_twice"),
    *("signup/emails/confirm", "signup/emails/already"),
    *("conference/emails/password_forgotten", "conference/emails/password_changed"),
    "conference/emails/address_changed",
)


@pytest.fixture
def context() -> dict[str, Any]:
    """All that any of the mails names."""
    conference = make_conference(name="Day & Night", address="Mill Lane\nLeeds")
    order = make_order(conference, names=(NAME, "Sam"), name=NAME)
    return {
        "order": order,
        "orders": [order],
        "tickets": list(order.tickets.all()),
        "conference": conference,
        "organisation": conference.organisation,
        "order_url": "https://example.org/orders/abc/",
        "confirm_url": "https://example.org/bulletin/confirm/a:b/",
        "unsubscribe_url": "https://example.org/bulletin/unsubscribe/a:b/",
        "user": User(first_name=NAME, email="ada@example.org"),
        "new_url": "https://example.org/password/new/MQ/abc/",
        "forgotten_url": "https://example.org/password/forgotten/",
        "amount_pence": 1550,
        "base_url": "https://example.org",
        "now": timezone.now(),
    }


@pytest.mark.parametrize("mail", MAILS)
def test_subject_is_one_line_as_people_read_it(mail: str, context: dict[str, Any]) -> None:
    subject = render_to_string(f"{mail}.subject.txt", context).strip()
    assert (subject.count("\n"), "&amp;" in subject, subject != "") == (0, False, True)


@pytest.mark.parametrize("mail", MAILS)
def test_text_is_plain(mail: str, context: dict[str, Any]) -> None:
    text = render_to_string(f"{mail}.txt", context)
    assert [sign for sign in ("&amp;", "&#x27;", "&lt;", "{{", "{%") if sign in text] == []
    assert "\n\n\n\n" not in text


@pytest.mark.parametrize("mail", MAILS)
def test_every_paragraph_begins_with_a_capital(mail: str, context: dict[str, Any]) -> None:
    """In English that holds after 'Dear Ada,' too."""
    text = render_to_string(f"{mail}.txt", context)
    html = render_to_string(f"{mail}.html", context)
    assert re.findall(r"\n\n[a-z].*", text) + re.findall(r"<p\b[^>]*>[a-z].*", html) == []


@pytest.mark.parametrize("mail", MAILS)
def test_page_escapes_names_and_fetches_nothing(mail: str, context: dict[str, Any]) -> None:
    html = render_to_string(f"{mail}.html", context)
    signs = ("<b>ja", "<img", "<link", "<script", "url(", "{{", "{%")
    assert [sign for sign in signs if sign in html] == []


@pytest.mark.parametrize("mail", ["signup/emails/confirm", "signup/emails/already"])
def test_first_mails_of_the_bulletin_repeat_nothing_that_was_typed(
    mail: str, context: dict[str, Any]
) -> None:
    for part in ("subject.txt", "txt", "html"):
        said = render_to_string(f"{mail}.{part}", context | {"name": NAME, "first_name": NAME})
        assert "ja" not in said


def test_ticket_mail_names_each_ticket_and_its_code(context: dict[str, Any]) -> None:
    text = render_to_string("tickets/emails/tickets.txt", context)
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert lines == [
        f"- {ticket.attendee_name}, Professional, code {ticket.reference}"
        for ticket in context["tickets"]
    ]


def test_mail_to_an_attendee_says_who_gave_the_address_and_nothing_that_they_typed(
    context: dict[str, Any],
) -> None:
    ticket = context["tickets"][1]
    context |= {"tickets": [ticket], "organisation": context["conference"].organisation}
    typed = (context["order"].name, ticket.attendee_name, "/orders/", "correct a name")
    for part in ("subject.txt", "txt", "html"):
        said = render_to_string(f"tickets/emails/for_attendee.{part}", context)
        assert [words for words in typed if words in said] == []
        assert (context["order"].email in said) == (part != "subject.txt")
