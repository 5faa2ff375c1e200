"""What people type about themselves and their gift: what is taken as what, and what is said."""

import pytest
from django.test import Client

from donations.models import Payment
from sandbox.server import Sandbox
from tests.factories import make_conference
from tests.html import field_errors, fields, summary
from tests.tickets.views.filled import filled, send
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db

NO_AMOUNT = "Enter an amount in pounds, for instance 20 or 12.50."
TOO_LITTLE = "Enter an amount of £1 or more, or choose No donation."
TOO_MUCH = "The most that can be given here is £100,000. Please write to us."
LIKE = "Enter an e-mail address like name@example.org."
AFTER = "Check the part after the @, as in name@example.org."
ONE = "Enter one e-mail address, like name@example.org."


# -- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\tLovelace\r\n", "Ada Lovelace"),
        ("Łucja Nguyễn", "Łucja Nguyễn"),
        ("Nguye\u0302\u0303n", "Nguyễn"),  # composed
        ("محمد بن سلمان", "محمد بن سلمان"),
        ("山田 太郎", "山田 太郎"),
        ("Ada 👩🏽\u200d🔬", "Ada 👩🏽\u200d🔬"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its joiners
        ("\u202eecalevoL\u202c adA\u2067", "ecalevoL adA"),  # nobody's ticket reads backwards
        ("<b>Ada</b> & 'Grace'", "<b>Ada</b> & 'Grace'"),
        ("=1+1", "=1+1"),
        ("A", "A"),
        ("W" * 200, "W" * 200),
    ],
)
def test_name_is_kept_as_people_write_it(client: Client, typed: str, kept: str) -> None:
    conference = make_conference()
    answer = send(client, conference, filled(client, conference, names=[typed], name=typed))
    assert answer.status_code == 302
    assert (Order.objects.get().name, Ticket.objects.get().attendee_name) == (kept, kept)


def test_name_with_markup_is_shown_as_text(client: Client) -> None:
    conference = make_conference()
    typed = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    again = send(client, conference, filled(client, conference, names=[typed], email="x"))
    assert fields(again)["form-0-attendee_name"] == typed
    order = send(client, conference, filled(client, conference, names=[typed]))
    shown = client.get(order["Location"]).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize("length", [201, 1000])
def test_long_name_is_sent_back_whole(client: Client, length: int) -> None:
    conference = make_conference()
    sent = filled(client, conference, names=["W" * length], name="W" * length)
    answer = send(client, conference, sent)
    said = f"Shorten the name to 200 characters. It has {length}."
    assert summary(answer) == [said, f"Person 1: {said}"]
    assert fields(answer) == sent
    assert b"maxlength" not in answer.content  # a browser would cut it off and say nothing


@pytest.mark.parametrize(
    "typed", ["", "   ", "\u200b", "\u202e\u2066", "\u00ad \u2060", "\x00\x1f"]
)
def test_name_that_cannot_be_seen_is_none(client: Client, typed: str) -> None:
    conference = make_conference()
    answer = send(client, conference, filled(client, conference, name=typed))
    assert summary(answer) == ["Enter your name."]


# -- e-mail addresses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        (" ada@example.org\n", "ada@example.org"),
        ("ada+conference@example.org", "ada+conference@example.org"),
        ("ada.o'neill_x-1@sub.example.co.uk", "ada.o'neill_x-1@sub.example.co.uk"),
        ("ada@MÜNCHEN.de", "ada@münchen.de"),
        ("ada@xn--mnchen-3ya.de", "ada@münchen.de"),
        ("ada@例子.广告", "ada@例子.广告"),
        ("\u202aada@example.org\u202c", "ada@example.org"),  # as copied from some contacts
        ("ada@exam\u00adple.org\u200b", "ada@example.org"),
    ],
)
def test_address_is_kept_in_one_form(client: Client, typed: str, kept: str) -> None:
    conference = make_conference()
    sent = filled(client, conference, email=typed) | {"form-0-attendee_email": typed}
    assert send(client, conference, sent).status_code == 302
    assert (Order.objects.get().email, Ticket.objects.get().attendee_email) == (kept, kept)


def test_international_address_is_told_to_stripe_in_ascii(client: Client, stripe: Sandbox) -> None:
    conference = make_conference()
    sent = filled(client, conference, email="ada@münchen.de", gift="500")
    assert send(client, conference, sent)["Location"].startswith(stripe.base_url)
    assert Payment.objects.get().request_body["customer_email"] == "ada@xn--mnchen-3ya.de"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter your e-mail address."),
        ("ada", LIKE),
        ("@example.org", LIKE),
        ("ada@", LIKE),
        ("ada lovelace@example.org", LIKE),
        ("a..b@example.org", LIKE),
        ("Ada <ada@example.org>", LIKE),
        ("ada@example", AFTER),
        ("ada@-example.org", AFTER),
        ("ada@exa_mple.org", AFTER),
        ("ada@example.test", AFTER),
        ("ada@@example.org", ONE),
        ("ada@example.org, grace@example.org", ONE),
        ("a" * 250 + "@example.org", "Enter an e-mail address of 254 characters or fewer."),
        *(
            (
                typed,
                (
                    "Our mail cannot reach addresses with accents or other scripts before the @. "
                    "Enter another address."
                ),
            )
            for typed in ("müller@example.org", "用户@例子.广告")
        ),
    ],
)
def test_address_that_cannot_be_reached_says_what_to_do(
    client: Client, typed: str, said: str
) -> None:
    conference = make_conference()
    sent = filled(client, conference, email=typed)
    answer = send(client, conference, sent)
    assert field_errors(answer) == {"email": said}
    assert fields(answer) == sent
    assert not Order.objects.exists()


# -- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "pence"),
    [
        ("1", 100),
        ("1.00", 100),
        ("20", 2000),
        ("£20", 2000),
        ("£ 20", 2000),
        (" 20 ", 2000),
        ("20.5", 2050),
        ("20.50", 2050),
        ("020", 2000),
        ("1,000", 100000),
        ("1,000.00", 100000),
        ("1000", 100000),
    ],
)
def test_amount_is_taken_as_people_write_it(
    client: Client, stripe: Sandbox, typed: str, pence: int
) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift="other", other_amount=typed)
    answer = send(client, conference, sent)
    assert answer["Location"].startswith(stripe.base_url)
    assert Payment.objects.get().amount_pence == pence


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", TOO_LITTLE),
        ("0", TOO_LITTLE),
        ("0.10", TOO_LITTLE),
        ("0.99", TOO_LITTLE),
        ("-5", NO_AMOUNT),
        ("+5", NO_AMOUNT),
        ("1e3", NO_AMOUNT),
        ("NaN", NO_AMOUNT),
        ("Infinity", NO_AMOUNT),
        ("0x10", NO_AMOUNT),
        ("20.505", NO_AMOUNT),
        ("1,00,0", NO_AMOUNT),
        ("1.000.000", NO_AMOUNT),
        ("٢٠", NO_AMOUNT),
        ("twenty", NO_AMOUNT),
        ("20,50", "Write pence after a point, as in 20.50."),
        ("£20,5", "Write pence after a point, as in 20.5."),
        ("100,000.01", TOO_MUCH),
        ("999999999", TOO_MUCH),
        ("1234567890", TOO_MUCH),
        ("9" * 5000, TOO_MUCH),
    ],
)
def test_amount_that_cannot_be_given_says_what_to_enter(
    client: Client, typed: str, said: str
) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift="other", other_amount=typed)
    answer = send(client, conference, sent)
    assert summary(answer) == [said]
    assert field_errors(answer) == {"other_amount": said}
    assert fields(answer) == sent
    assert not Order.objects.exists()


def test_amount_typed_without_a_choice_counts(client: Client, stripe: Sandbox) -> None:
    conference = make_conference()
    sent = filled(client, conference, other_amount="7")
    del sent["gift"]
    send(client, conference, sent)
    donation = Order.objects.get().donation
    assert donation is not None
    assert donation.amount_pence == 700


@pytest.mark.parametrize("gift", ["none", "500"])
def test_amount_that_does_not_count_is_no_error(client: Client, stripe: Sandbox, gift: str) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift=gift, other_amount="NaN")
    assert send(client, conference, sent).status_code == 302
    donation = Order.objects.get().donation
    assert (donation.amount_pence if donation else None) == (500 if gift == "500" else None)


@pytest.mark.parametrize("gift", ["700", "-500", "all", "１５００"])
def test_amount_that_was_not_offered_is_refused(client: Client, gift: str) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift=gift)
    said = "Choose one of the amounts, or No donation this time."
    assert summary(send(client, conference, sent)) == [said]


def test_very_large_gift_is_asked_about_once_for_each_amount(
    client: Client, stripe: Sandbox
) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift="other", other_amount="1,500")
    asked = send(client, conference, sent)
    assert summary(asked) == ["£1,500 is a large donation. Tick the box if it is right."]
    assert fields(asked) == sent
    other = send(client, conference, sent | {"confirm_large": "150000", "other_amount": "15000"})
    assert summary(other) == ["£15,000 is a large donation. Tick the box if it is right."]
    assert not Order.objects.exists()
    sure = send(client, conference, sent | {"confirm_large": "150000"})
    assert sure["Location"].startswith(stripe.base_url)


def test_tick_for_a_large_gift_stays_while_something_else_is_put_right(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference, gift="other", other_amount="1500", email="x")
    sent["confirm_large"] = "150000"
    answer = send(client, conference, sent)
    assert summary(answer) == [LIKE]
    assert fields(answer) == sent
