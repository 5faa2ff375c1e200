"""The reservation form: what is typed, what comes of it, what is said and what is kept."""

import re
import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from conference.models import Mail
from signup.models import Consent, Subscriber
from tests.factories import make_conference, make_order, make_type
from tests.html import field_errors, fields, heading, page, summary, words
from tests.tickets.views.filled import filled, form_of, send
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db

CHOOSE = "Choose a kind of ticket that is still to be had."


# -- what is taken --------------------------------------------------------------------------------


def test_reserve_takes_one_to_ten_places_of_several_types(client: Client) -> None:
    conference = make_conference(types={"Service user or carer": 20, "Online": 20})
    here, online = conference.ticket_types.all()
    sent = filled(client, conference, names=[f"Person {n}" for n in range(10)])
    sent |= {"form-9-ticket_type": str(online.pk), "form-9-attendee_email": "Nine@Example.org"}
    answer = send(client, conference, sent)
    order = Order.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, order.get_absolute_url())
    assert order.status == Order.Status.CONFIRMED
    assert [(t.attendee_name, t.ticket_type, t.attendee_email) for t in order.tickets.all()] == [
        *((f"Person {n}", here, "") for n in range(9)),
        ("Person 9", online, "nine@example.org"),
    ]


def test_form_has_nothing_preselected_and_the_bulletin_unticked(client: Client) -> None:
    conference = make_conference(types={"A": 5, "B": 5})
    sent = form_of(client, conference)
    uuid.UUID(sent.pop("submission"))
    assert sent == {
        "name": "",
        "email": "",
        "other_amount": "",
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-MAX_NUM_FORMS": "10",
        "form-0-attendee_name": "",
        "form-0-ticket_type": "",
        "form-0-attendee_email": "",
    }


def test_form_without_a_choice_of_donation_asks_for_one(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference)
    del sent["gift"]
    answer = send(client, conference, sent)
    assert summary(answer) == ["Choose an amount, or No donation this time."]
    assert field_errors(answer) == {"gift": "Choose an amount, or No donation this time."}
    assert fields(answer) == sent


def test_empty_form_says_what_each_field_wants(client: Client) -> None:
    conference = make_conference(types={"A": 5, "B": 5})
    answer = send(client, conference, form_of(client, conference))
    assert summary(answer) == [
        "Enter your name.",
        "Enter your e-mail address.",
        "Person 1: Enter the name of this person.",
        "Person 1: Choose a kind of ticket.",
        "Choose an amount, or No donation this time.",
    ]
    assert field_errors(answer) == {
        "name": "Enter your name.",
        "email": "Enter your e-mail address.",
        "form-0-attendee_name": "Enter the name of this person.",
        "form-0-ticket_type": "Choose a kind of ticket.",
        "gift": "Choose an amount, or No donation this time.",
    }
    assert words(page(answer).find(".//title")).startswith("Please check:")


def test_ticked_bulletin_is_kept_with_its_exact_words(client: Client) -> None:
    conference = make_conference()
    form = page(client.get(f"/{conference.slug}/reserve/"))
    box = next(e for e in form.iter("label") if e.get("for") == "id_bulletin")
    send(client, conference, filled(client, conference, bulletin="on"))
    consent = Consent.objects.get()
    assert (consent.wording, consent.source) == (words(box), Consent.Source.TICKET_FORM)
    assert Subscriber.objects.get().status == Subscriber.Status.PENDING


# -- people more and less -------------------------------------------------------------------------


def test_add_and_remove_keep_all_that_was_typed(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference, names=["Ada", "Grace", "Łucja"], gift="other")
    sent |= {"other_amount": "20,50", "bulletin": "on", "email": "not yet", "name": " Ada "}
    more = fields(send(client, conference, sent | {"add": "1"}))
    assert more == sent | {
        "form-TOTAL_FORMS": "4",
        "form-INITIAL_FORMS": "4",
        "form-3-attendee_name": "",
        "form-3-ticket_type": sent["form-0-ticket_type"],  # there is only one kind
        "form-3-attendee_email": "",
    }
    less = fields(send(client, conference, more | {"remove": "1"}))
    assert [less[f"form-{n}-attendee_name"] for n in range(3)] == ["Ada", "Łucja", ""]
    assert less["form-TOTAL_FORMS"] == "3"


def test_tenth_person_is_the_last_to_be_added(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference, names=["X"] * 10)
    assert fields(send(client, conference, sent | {"add": "1"}))["form-TOTAL_FORMS"] == "10"


@pytest.mark.parametrize("which", ["0", "1", "-1", "x", "", "²"])
def test_last_person_cannot_be_removed(client: Client, which: str) -> None:
    conference = make_conference()
    kept = fields(send(client, conference, filled(client, conference) | {"remove": which}))
    assert (kept["form-TOTAL_FORMS"], kept["form-0-attendee_name"]) == ("1", "Ada Lovelace")


# -- how many -------------------------------------------------------------------------------------


def test_eleven_places_are_too_many_and_all_eleven_are_kept(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference, names=[f"Person {n}" for n in range(11)])
    answer = send(client, conference, sent)
    said = "One order has up to ten places. Remove somebody here, and use the form twice."
    assert summary(answer) == [said]
    assert fields(answer) == sent
    assert not Order.objects.exists()


@pytest.mark.parametrize("total", ["0", "-1", "-99"])
def test_no_places_are_too_few_and_a_row_is_there(client: Client, total: str) -> None:
    conference = make_conference()
    sent = filled(client, conference) | {"form-TOTAL_FORMS": total}
    answer = send(client, conference, sent)
    assert summary(answer) == ["Reserve at least one place."]
    kept = fields(answer)
    assert (kept["form-TOTAL_FORMS"], kept["form-0-attendee_name"]) == ("1", "Ada Lovelace")
    assert not Order.objects.exists()


@pytest.mark.parametrize("total", [None, "", "two", "1e3", "9" * 5000])
def test_broken_count_of_people_keeps_those_that_were_typed(
    client: Client, total: str | None
) -> None:
    conference = make_conference()
    sent = filled(client, conference, names=["Ada", "Grace"])
    del sent["form-TOTAL_FORMS"]
    if total is not None:
        sent["form-TOTAL_FORMS"] = total
    answer = send(client, conference, sent)
    assert summary(answer) == [
        "Something got lost on the way. Check the people below and send the form again."
    ]
    kept = fields(answer)
    assert [kept[f"form-{n}-attendee_name"] for n in range(2)] == ["Ada", "Grace"]
    assert send(client, conference, kept).status_code == 302
    assert Ticket.objects.count() == 2


def test_claimed_thousand_people_are_no_work(client: Client) -> None:
    conference = make_conference()
    sent = filled(client, conference) | {"form-TOTAL_FORMS": "1000"}
    assert "form-20-attendee_name" not in fields(send(client, conference, sent))
    assert "form-20-attendee_name" not in fields(send(client, conference, sent | {"add": "1"}))


# -- places that went meanwhile -------------------------------------------------------------------


def test_sold_out_in_part_offers_what_is_left_and_keeps_what_was_typed(client: Client) -> None:
    conference = make_conference(types={"Professional": 3, "Online": 9})
    professional, online = conference.ticket_types.all()
    sent = filled(client, conference, names=["Ada", "Grace"], bulletin="on", gift="1500")
    make_order(conference, names=("1", "2"), ticket_type=professional)
    answer = send(client, conference, sent)
    assert summary(answer) == [
        (
            "Some of these places have just been taken. Left are: 1 place (Professional), "
            "9 places (Online). Change the people below; what you entered is kept."
        )
    ]
    assert fields(answer) == sent
    again = send(client, conference, fields(answer) | {"form-1-ticket_type": str(online.pk)})
    assert again.status_code == 302
    assert Ticket.objects.filter(attendee_name__in=["Ada", "Grace"]).count() == 2


def test_sold_out_kind_is_said_on_top_and_at_each_person(client: Client) -> None:
    conference = make_conference(types={"Professional": 2, "Online": 9})
    professional, online = conference.ticket_types.all()
    sent = filled(client, conference, names=["Ada", "Grace"])
    sent["form-1-ticket_type"] = str(online.pk)
    make_order(conference, names=("1", "2"), ticket_type=professional)
    answer = send(client, conference, sent)
    assert summary(answer) == [
        (
            "Some of these places have just been taken. Left are: 9 places (Online). "
            "Change the people below; what you entered is kept."
        ),
        f"Person 1: {CHOOSE}",
    ]
    kept = sent | {"form-0-ticket_type": str(online.pk)}  # the only kind there is
    assert fields(answer) == kept


def test_sold_out_wholly_keeps_what_was_typed(client: Client) -> None:
    conference = make_conference(types={"Professional": 2})
    sent = filled(client, conference, names=["Ada", "Grace"], gift="500")
    make_order(conference, names=("1", "2"))
    answer = send(client, conference, sent)
    assert summary(answer) == ["The last places have just been taken. Nothing was reserved."]
    kept = fields(answer)
    assert [kept[f"form-{n}-attendee_name"] for n in range(2)] == ["Ada", "Grace"]
    assert (kept["name"], kept["email"], kept["gift"]) == (sent["name"], sent["email"], "500")


def test_person_added_after_the_last_place_went_keeps_what_was_typed(client: Client) -> None:
    conference = make_conference(types={"Professional": 1})
    sent = filled(client, conference, names=["Ada"], gift="500")
    make_order(conference)
    kept = fields(send(client, conference, sent | {"add": "1"}))
    assert (kept["form-TOTAL_FORMS"], kept["form-0-attendee_name"]) == ("2", "Ada")
    assert summary(send(client, conference, kept))[0].startswith("The last places")


def test_conference_capacity_bounds_all_types_together(client: Client) -> None:
    conference = make_conference(types={"A": 3, "B": 3}, capacity=4)
    a, b = conference.ticket_types.all()
    sent = filled(client, conference, names=["1", "2", "3"], kind=a)
    make_order(conference, names=("4", "5"), ticket_type=b)
    assert summary(send(client, conference, sent)) == [
        (
            "Some of these places have just been taken. Left are: 2 places (A), 1 place (B). "
            "Change the people below; what you entered is kept."
        )
    ]


def test_kind_of_another_conference_is_refused(client: Client) -> None:
    conference, other = make_conference(), make_conference()
    sent = filled(client, conference, kind=other.ticket_types.get())
    assert summary(send(client, conference, sent))[-1] == f"Person 1: {CHOOSE}"
    assert not Order.objects.exists()


# -- cookies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gift", ["none", "other"])
def test_form_without_our_cookie_comes_back_to_be_sent_again(gift: str) -> None:
    client = Client(enforce_csrf_checks=True)
    conference = make_conference()
    sent = filled(client, conference, names=["Ada", "Grace"], gift=gift, other_amount="20.50")
    client.cookies.clear()
    answer = send(client, conference, sent)
    assert (answer.status_code, heading(answer)) == (403, "Please send that again")
    token = client.cookies["csrftoken"].value
    again = fields(answer)
    assert again == sent
    assert not Order.objects.exists()
    again = again | {"csrfmiddlewaretoken": token, "gift": "none"}
    assert send(client, conference, again).status_code == 302
    assert Ticket.objects.count() == 2


def test_form_from_another_site_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    conference = make_conference()
    opened = client.get(f"/{conference.slug}/reserve/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', opened)
    assert token is not None
    sent = filled(client, conference) | {"csrfmiddlewaretoken": token[1]}
    path = f"/{conference.slug}/reserve/"
    answer = client.post(path, sent, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, Order.objects.count()) == (403, 0)


# -- how much work it is --------------------------------------------------------------------------


def test_reserve_of_two_places_takes_few_statements(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    conference = make_conference(types={"A": 20, "B": 20, "C": 20}, capacity=50)
    sent = filled(client, conference, names=["Ada", "Grace"])
    with django_assert_max_num_queries(14):
        assert send(client, conference, sent).status_code == 302


@pytest.mark.parametrize("kinds", [1, 3])
def test_pages_before_the_order_take_few_statements(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, kinds: int
) -> None:
    conference = make_conference(types={f"Kind {n}": 9 for n in range(kinds)})
    for path in ("/", f"/{conference.slug}/", f"/{conference.slug}/reserve/"):
        with django_assert_max_num_queries(6):
            assert client.get(path).status_code == 200


def test_shown_form_changes_nothing(client: Client) -> None:
    conference = make_conference()
    make_type(conference)
    first, second = (form_of(client, conference) for _ in range(2))
    assert first.pop("submission") != second.pop("submission")
    assert first == second
    assert not Order.objects.exists()
    assert not Mail.objects.exists()
