"""From the form to Stripe and back: paid, not paid, changed, and Stripe out of order."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference.models import Conference, Mail
from donations import stripe_api
from donations.models import Donation, Payment
from sandbox.server import Sandbox
from tests.factories import make_conference, make_order
from tests.html import fields, heading, notices, page, summary, words
from tests.tickets.views.filled import filled, send
from tickets import actions
from tickets.models import Order, Ticket
from tickets.views import paying

pytestmark = pytest.mark.django_db

CANNOT_REACH = (
    "The payment page cannot be reached right now. Your places are kept and nothing was charged. "
    "Try again in a few minutes."
)


def sent_to_stripe(client: Client, **changes: str) -> Order:
    """Somebody's order with £15, who is now on Stripe's page."""
    conference = Conference.objects.first() or make_conference()
    answer = send(client, conference, filled(client, conference, gift="1500", **changes))
    order = Order.objects.order_by("-pk")[0]
    assert answer["Location"] == live(order).session_url
    return order


def live(order: Order) -> Payment:
    """The order's payment that can be paid now."""
    assert order.donation is not None
    return order.donation.payments.live().get()


def choices(client: Client, order: Order) -> list[str]:
    """What the order's page offers, in its order: buttons and links that look like them."""
    tree = page(client.get(order.get_absolute_url()))
    main = tree.find(".//*[@data-state]")
    assert main is not None
    return [words(e) for e in main.iter() if "btn" in (e.get("class") or "").split()]


# -- the way there and back -----------------------------------------------------------------------


def test_order_without_a_gift_never_touches_stripe(client: Client, stripe: Sandbox) -> None:
    conference = make_conference()
    send(client, conference, filled(client, conference))
    assert Order.objects.get().status == Order.Status.CONFIRMED
    assert (stripe.calls, Payment.objects.count()) == ([], 0)


def test_return_after_paying_confirms_and_mails(
    client: Client, stripe: Sandbox, work: Callable[[], int]
) -> None:
    order = sent_to_stripe(client)
    stripe.pay(str(live(order).session_id))
    shown = client.get(f"{order.get_absolute_url()}returned/", follow=True)
    assert heading(shown) == "Your ticket"
    assert "Thank you for your donation of £15." in words(page(shown))
    work()
    assert Mail.objects.get().to == "ada@example.org"


def test_order_page_alone_notices_a_payment(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    stripe.pay(str(live(order).session_id))
    assert heading(client.get(order.get_absolute_url())) == "Your ticket"


def test_return_while_the_bank_is_at_work_waits(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    session = str(live(order).session_id)
    stripe.pay_later(session)
    shown = client.get(f"{order.get_absolute_url()}returned/", follow=True)
    assert heading(shown) == "Your places are kept"
    assert "We are waiting for your bank to confirm." in words(page(shown))
    again = page(shown).find(f".//a[@href='{order.get_absolute_url()}']")
    assert words(again) == "Look again"
    stripe.settle_later(session)
    assert heading(client.get(order.get_absolute_url())) == "Your ticket"


def test_return_of_somebody_who_did_not_pay_changes_nothing(
    client: Client, stripe: Sandbox
) -> None:
    order = sent_to_stripe(client)
    client.get(f"{order.get_absolute_url()}returned/")
    order.refresh_from_db()
    assert order.status == Order.Status.RESERVED
    assert Donation.objects.get().status == Donation.Status.PLEDGED


def test_back_from_stripe_offers_three_plain_choices(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    assert choices(client, order) == [
        "Give £15 and get the tickets",
        "Change the amount",
        "Take the ticket without a donation",
    ]
    shown = client.get(order.get_absolute_url())
    assert heading(shown) == "We keep your places"
    order.refresh_from_db()  # the hold was renewed for the payment
    until = timezone.localtime(order.expires_at)
    assert f"We keep these places for you until {until:%H:%M}." in words(page(shown))


def test_back_button_after_paying_pays_nothing_twice(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    stripe.pay(str(live(order).session_id))
    client.get(f"{order.get_absolute_url()}returned/")
    for what in ("pay", "free", "again", "amount"):  # the buttons of the page as it was
        answer = client.post(f"{order.get_absolute_url()}{what}/", {"gift": "500"})
        assert answer["Location"] == order.get_absolute_url()
    assert Payment.objects.get().status == Payment.Status.PAID
    assert Donation.objects.get().amount_pence == 1500
    assert Ticket.objects.get().status == Ticket.Status.VALID


def test_paid_in_another_tab_is_found_out_when_something_else_is_chosen(
    client: Client, stripe: Sandbox
) -> None:
    for what in ("pay", "free", "amount"):
        order = sent_to_stripe(client)
        stripe.pay(str(live(order).session_id))
        shown = client.post(f"{order.get_absolute_url()}{what}/", {"gift": "500"}, follow=True)
        assert (what, heading(shown)) == (what, "Your ticket")
        assert order.donation is not None
        order.donation.refresh_from_db()
        assert order.donation.status == Donation.Status.RECEIVED
        assert order.donation.amount_pence == 1500


def test_hold_that_is_over_but_not_let_go_yet_says_so_and_still_works(
    client: Client, stripe: Sandbox
) -> None:
    order = sent_to_stripe(client)
    Order.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    for rest in ("", "amount/"):
        shown = client.get(order.get_absolute_url() + rest)
        assert "is over, but they are still there" in words(page(shown))
    shown = client.post(f"{order.get_absolute_url()}free/", follow=True)
    assert heading(shown) == "Your ticket"


# -- the three choices ----------------------------------------------------------------------------


def test_try_again_leads_to_the_same_page_at_stripe(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    url = live(order).session_url
    for _ in range(2):
        assert client.post(f"{order.get_absolute_url()}pay/")["Location"] == url
    assert Payment.objects.count() == 1


def test_change_of_amount_opens_another_page_and_closes_the_first(
    client: Client, stripe: Sandbox
) -> None:
    order = sent_to_stripe(client)
    first = live(order)
    form = client.get(f"{order.get_absolute_url()}amount/")
    assert fields(form) == {"other_amount": ""}  # nothing is preselected here either
    answer = client.post(
        f"{order.get_absolute_url()}amount/", {"gift": "other", "other_amount": "£20"}
    )
    second = live(order)
    assert answer["Location"] == second.session_url
    first.refresh_from_db()
    assert (first.status, second.amount_pence) == (Payment.Status.CLOSED, 2000)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose an amount, or No donation this time."),
        ({"gift": "other", "other_amount": "0.10"}, None),
        ({"gift": "other", "other_amount": "1e3"}, None),
        ({"gift": "other", "other_amount": "2,000"}, None),
    ],
)
def test_change_of_amount_keeps_what_was_typed(
    client: Client, stripe: Sandbox, sent: dict[str, str], said: str | None
) -> None:
    order = sent_to_stripe(client)
    answer = client.post(f"{order.get_absolute_url()}amount/", sent)
    assert len(summary(answer)) == 1
    assert summary(answer) == [said or summary(answer)[0]]
    assert fields(answer) == {"other_amount": ""} | sent
    assert Donation.objects.get().amount_pence == 1500


def test_change_of_amount_to_nothing_gives_the_tickets(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    shown = client.post(f"{order.get_absolute_url()}amount/", {"gift": "none"}, follow=True)
    assert heading(shown) == "Your ticket"
    assert Donation.objects.get().status == Donation.Status.WITHDRAWN


def test_take_without_a_donation_gives_the_tickets_once(
    client: Client, stripe: Sandbox, work: Callable[[], int]
) -> None:
    order = sent_to_stripe(client)
    for _ in range(2):
        shown = client.post(f"{order.get_absolute_url()}free/", follow=True)
        assert heading(shown) == "Your ticket"
    work()
    assert Mail.objects.count() == 1
    assert Payment.objects.get().status == Payment.Status.CLOSED


def test_nothing_can_be_chosen_while_the_bank_is_at_work(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    stripe.pay_later(str(live(order).session_id))
    client.get(f"{order.get_absolute_url()}returned/")
    for what in ("pay", "free", "amount"):
        shown = client.post(f"{order.get_absolute_url()}{what}/", {"gift": "none"}, follow=True)
        assert [notice for notice in notices(shown) if "Your bank is still at work" in notice]
        assert heading(shown) == "Your places are kept"
    order.refresh_from_db()
    assert order.status == Order.Status.RESERVED


# -- too late -------------------------------------------------------------------------------------


@pytest.fixture
def expired(stripe: Sandbox) -> Order:
    """An order of one place, of two there are, whose time was over."""
    conference = make_conference(types={"Professional": 2})
    order = make_order(conference, gift_pence=1500)
    actions.expire(order=order, now=order.expires_at)
    order.refresh_from_db()
    return order


def test_expired_order_can_be_taken_again(client: Client, expired: Order) -> None:
    assert choices(client, expired) == ["Take the places again"]
    shown = client.post(f"{expired.get_absolute_url()}again/", follow=True)
    assert heading(shown) == "We keep your places"
    assert client.post(f"{expired.get_absolute_url()}again/", follow=True).status_code == 200


def test_expired_order_without_places_says_so(client: Client, expired: Order) -> None:
    make_order(expired.conference, names=("1", "2"))
    assert choices(client, expired) == ["See what is left"]
    shown = client.post(f"{expired.get_absolute_url()}again/", follow=True)
    assert notices(shown) == ["There are not enough places left for this order any more."]


def test_expired_order_after_the_close_says_so(client: Client, expired: Order) -> None:
    Conference.objects.update(closes_at=timezone.now())
    assert choices(client, expired) == []
    shown = client.get(expired.get_absolute_url())
    assert "Reservations are closed by now." in words(page(shown))
    shown = client.post(f"{expired.get_absolute_url()}again/", follow=True)
    assert notices(shown) == ["Reservations are closed."]


@pytest.mark.parametrize("what", ["pay", "free", "amount"])
def test_expired_order_cannot_be_paid_by_an_old_page(
    client: Client, expired: Order, what: str
) -> None:
    shown = client.post(f"{expired.get_absolute_url()}{what}/", {"gift": "500"}, follow=True)
    assert heading(shown) == "We have released your places"
    assert not Payment.objects.filter(status=Payment.Status.OPEN).exists()


# -- Stripe down, slow, cutting the line ----------------------------------------------------------


@pytest.mark.parametrize("kind", ["500", "429", "hang", "commit_cut"])
def test_stripe_out_of_order_at_create_keeps_the_places_and_a_way_on(
    client: Client, stripe: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "hang":
        monkeypatch.setattr(stripe_api, "_TIMEOUT", (1, 1))
    stripe.faults.add_call(kind, method="POST", times=2, seconds=600)  # one call, one repeat
    conference = make_conference()
    shown = client.post(
        f"/{conference.slug}/reserve/", filled(client, conference, gift="1500"), follow=True
    )
    order = Order.objects.get()
    assert notices(shown) == [CANNOT_REACH]
    assert (order.status, order.tickets.get().status) == ("reserved", "held")
    stripe.faults.clear()
    assert choices(client, order)[0] == "Give £15 and get the tickets"
    for _ in range(50):  # the call that hung keeps its key from the next one until it is through
        again = client.post(f"{order.get_absolute_url()}pay/")
        if again["Location"] != order.get_absolute_url():
            break
        time.sleep(0.1)
    assert again["Location"] == live(order).session_url
    assert Payment.objects.filter(status=Payment.Status.OPEN).count() == 1


@pytest.mark.parametrize("kind", ["409", "hang", "commit_500", "commit_cut"])
def test_stripe_out_of_order_for_a_moment_is_not_noticed(
    client: Client, stripe: Sandbox, kind: str
) -> None:
    stripe.faults.add_call(kind, method="POST", seconds=0.5)
    sent_to_stripe(client)
    assert Payment.objects.get().status == Payment.Status.OPEN


def test_stripe_away_leaves_the_order_page_readable(client: Client, settings: Settings) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"  # nobody listens there
    conference = make_conference()
    shown = client.post(
        f"/{conference.slug}/reserve/", filled(client, conference, gift="1500"), follow=True
    )
    assert notices(shown) == [CANNOT_REACH]
    order = Order.objects.get()
    assert heading(client.get(order.get_absolute_url())) == "We keep your places"
    shown = client.post(f"{order.get_absolute_url()}free/", follow=True)
    assert notices(shown) == [
        (
            "The payment page cannot be reached, so we cannot close it yet. Your places are kept. "
            "Try again in a few minutes."
        )
    ]


# -- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["PAYMENTS_OF_AN_ORDER", "PAYMENTS_OF_A_NETWORK"])
def test_too_many_tries_to_pay_keep_the_places(
    client: Client, stripe: Sandbox, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    monkeypatch.setattr(paying, whose, 1)
    order = sent_to_stripe(client)
    shown = client.post(f"{order.get_absolute_url()}pay/", follow=True)
    assert notices(shown) == [
        (
            "There were many tries to pay from here. Your places are kept. Try again later, or "
            "take the tickets without a donation."
        )
    ]
    assert heading(shown) == "We keep your places"


def test_order_page_asks_stripe_only_so_often(
    client: Client, stripe: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paying, "QUESTIONS", 2)
    order = sent_to_stripe(client)
    before = len(stripe.calls)
    for _ in range(4):
        assert client.get(order.get_absolute_url()).status_code == 200
    assert len(stripe.calls) - before == 2


def test_hold_outlives_the_page_at_stripe(client: Client, stripe: Sandbox) -> None:
    order = sent_to_stripe(client)
    assert order.expires_at - live(order).session_expires_at > timedelta(minutes=5)


def test_what_its_own_limit_refuses_does_not_count_for_the_network(
    client: Client, stripe: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paying, "PAYMENTS_OF_AN_ORDER", 1)
    monkeypatch.setattr(paying, "PAYMENTS_OF_A_NETWORK", 2)
    pressed, honest = make_order(gift_pence=500), make_order(gift_pence=500)
    for _ in range(5):
        client.post(f"/orders/{pressed.secret}/pay/")
    assert client.post(f"/orders/{honest.secret}/pay/")["Location"].startswith(stripe.base_url)
