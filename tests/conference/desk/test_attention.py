"""What needs a person: shown with what to do, and gone once it is done."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conference.health import beat
from conference.models import AuditEntry, Conference, User
from donations import refunds
from donations.models import Donation, Payment, Refund, StripeEvent
from sandbox.server import Sandbox
from tests.factories import make_order
from tickets import actions
from tickets.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def parked(conference: Conference, stripe: Sandbox) -> Payment:
    """An open payment that was parked."""
    order = make_order(conference, gift_pence=1500)
    payment = actions.start_payment(order=order, now=timezone.now())
    Payment.objects.filter(pk=payment.pk).update(status="parked", problem="It is over 1600p.")
    payment.refresh_from_db()
    return payment


@pytest.fixture
def failed(paid_order: Order) -> Refund:
    """A refund of £15 that failed."""
    payment = Payment.objects.get()
    refund = refunds.begin(payment, reason=Refund.Reason.ASKED, now=timezone.now())
    Refund.objects.filter(pk=refund.pk).update(status="failed", problem="The card is closed.")
    refund.refresh_from_db()
    return refund


def _make_event(number: int = 1, payment_intent: str = "") -> StripeEvent:
    return StripeEvent.objects.create(
        event_id=f"evt_{number}",
        type="charge.dispute.created",
        about_id="dp_1",
        payment_intent_id=payment_intent,
        outcome=StripeEvent.Outcome.ATTENTION,
        received_at=timezone.now(),
    )


def _on_record(organiser: User) -> list[str]:
    entries = AuditEntry.objects.filter(by=organiser).order_by("pk")
    return list(entries.values_list("verb", flat=True))


def test_attention_is_empty_where_all_is_well(desk: Client) -> None:
    beat("worker", now=timezone.now())
    beat("sweep", now=timezone.now())
    assert "Nothing to look at" in desk.get("/desk/attention/").content.decode()


def test_parked_payment_is_closed_and_can_be_paid_anew(
    desk: Client, parked: Payment, organiser: User
) -> None:
    order = Order.objects.get()
    content = desk.get("/desk/attention/").content.decode()
    assert "It is over 1600p." in content
    assert f'href="/desk/orders/{order.reference}/"' in content
    address = f"/desk/attention/payments/{parked.idempotency_key}/"
    assert desk.post(address).url == "/desk/attention/"
    parked.refresh_from_db()
    assert parked.status == Payment.Status.CLOSED
    assert list(desk.get("/desk/attention/").context["parked"]) == []
    assert actions.start_payment(order=order, now=timezone.now()).status == "open"
    assert _on_record(organiser) == ["payment closed by hand"]
    response = desk.post(address, follow=True)
    assert "Somebody has dealt with this already." in response.content.decode()


def test_failed_refund_is_asked_for_again(
    desk: Client, failed: Refund, organiser: User, work: Any
) -> None:
    assert list(desk.get("/desk/attention/").context["refunds"]) == [failed]
    desk.post(f"/desk/attention/refunds/{failed.idempotency_key}/")
    assert list(desk.get("/desk/attention/").context["refunds"]) == []
    work()
    again = Refund.objects.exclude(pk=failed.pk).get()
    assert (again.amount_pence, again.by, again.status) == (1500, organiser, "succeeded")
    assert Donation.objects.get().status == Donation.Status.REFUNDED
    assert _on_record(organiser) == ["refund tried again"]
    desk.post(f"/desk/attention/refunds/{failed.idempotency_key}/")
    assert Refund.objects.count() == 2


def test_failed_refund_is_paid_back_by_other_means(
    desk: Client, failed: Refund, organiser: User
) -> None:
    desk.post(f"/desk/attention/refunds/{failed.idempotency_key}/paid/")
    failed.refresh_from_db()
    assert (failed.status, failed.by) == (Refund.Status.SUCCEEDED, organiser)
    assert Donation.objects.get().status == Donation.Status.REFUNDED
    assert list(desk.get("/desk/attention/").context["refunds"]) == []
    assert _on_record(organiser) == ["refund paid back otherwise"]


def test_event_names_its_order_and_is_closed(
    desk: Client, paid_order: Order, organiser: User
) -> None:
    _make_event(payment_intent=Payment.objects.get().payment_intent_id)
    (one,) = desk.get("/desk/attention/").context["events"]
    assert one.payment.donation.order == paid_order
    assert one.what_to_do.startswith("The giver's bank asks for the money back.")
    desk.post("/desk/attention/events/evt_1/")
    assert StripeEvent.objects.get().outcome == StripeEvent.Outcome.DONE
    assert desk.get("/desk/attention/").context["events"] == []
    assert _on_record(organiser) == ["event dealt with"]


def test_gift_that_the_bank_took_back_counts_as_given_back(
    desk: Client, paid_order: Order, organiser: User
) -> None:
    _make_event(payment_intent=str(Payment.objects.get().payment_intent_id))
    assert "The bank took the money back" in desk.get("/desk/attention/").content.decode()
    for _again in range(2):
        desk.post("/desk/attention/events/evt_1/took-back/")
    refund = Refund.objects.get()
    assert (refund.amount_pence, refund.status, refund.reason) == (1500, "succeeded", "disputed")
    assert Donation.objects.get().status == Donation.Status.REFUNDED
    assert StripeEvent.objects.get().outcome == StripeEvent.Outcome.DONE
    assert _on_record(organiser) == ["event dealt with", "bank took it back"]


def test_what_waits_for_stripe_is_shown_after_a_while(desk: Client) -> None:
    beat("worker", now=timezone.now())
    beat("sweep", now=timezone.now())
    event = _make_event()
    StripeEvent.objects.filter(pk=event.pk).update(outcome="waiting")
    assert desk.get("/desk/attention/").context["matters"].is_empty
    longer = timezone.now() - timedelta(minutes=16)
    StripeEvent.objects.filter(pk=event.pk).update(received_at=longer)
    page = desk.get("/desk/attention/").content.decode()
    assert "1 matter has waited for Stripe for a quarter of an hour or longer." in page


@pytest.mark.parametrize("intent", ["", "pi_foreign"])
def test_event_about_nothing_of_ours_is_shown_all_the_same(desk: Client, intent: str) -> None:
    _make_event(payment_intent=intent)
    (one,) = desk.get("/desk/attention/").context["events"]
    assert one.payment is None


def test_attention_asks_as_much_for_three_rows_as_for_one(
    desk: Client, failed: Refund, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    intent = Payment.objects.get().payment_intent_id
    counts = []
    for rows in (1, 3):
        while StripeEvent.objects.count() < rows:
            _make_event(StripeEvent.objects.count(), payment_intent=intent)
        with django_assert_max_num_queries(18) as asked:
            desk.get("/desk/attention/")
        counts.append(len(asked))
    assert counts[0] == counts[1]
