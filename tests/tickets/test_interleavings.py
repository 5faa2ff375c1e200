"""Whatever happens to an order, in whatever order it happens, it ends well.

Hypothesis plays the payer with several tabs, Stripe with its webhooks, banks and bad days, the
worker, the sweep, the clock, other people who take the last places, and somebody at Stripe's own
pages. After each step the places must add up; at the end the money must, and the tickets must
have been mailed once.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django.fixtures import Settings

import donations.actions
from conference.management.commands.sweep import STEPS
from conference.models import AuditEntry, Mail
from donations import inbox
from donations.models import Donation, Payment, Refund, StripeEvent
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.factories import make_conference, make_order
from tests.webhooks import deliver
from tickets import actions
from tickets.models import Order, Ticket

PLACES = 2
# What an action may answer to somebody who asks at the wrong moment.
NOT_NOW = (
    actions.AlreadyConfirmed,
    actions.Closed,
    actions.NotReserved,
    actions.SoldOut,
    actions.TooLate,
    donations.actions.AlreadyReceived,
    donations.actions.CannotPayNow,
    donations.actions.WithTheBank,
)
ANY = st.integers(min_value=0, max_value=999)
Status = Order.Status


class Interleavings(RuleBasedStateMachine):
    """One order with a gift at a conference of two places, and all that can happen to it."""

    stripe: Sandbox
    clock: Clock
    work: Callable[[], int]
    calls_inside_transactions: list[str]
    browser: Client

    def __init__(self) -> None:
        super().__init__()
        self.seen_events = len(self.stripe.events)
        self.conference = make_conference(types={"Only": PLACES})
        order = make_order(self.conference, gift_pence=1500, now=self.clock.now())
        self.pk, self.secret = order.pk, order.secret
        self.shown: list[str] = []  # sessions whose page the payer has seen
        self.rivals: list[Order] = []
        self.lost_track = self.asked_again = False

    # What there is

    @property
    def order(self) -> Order:
        return Order.objects.select_related("conference__organisation", "donation").get(pk=self.pk)

    @property
    def donation(self) -> Donation:
        return Donation.objects.get(order=self.pk)

    def payments(self) -> Any:
        return Payment.objects.filter(donation__order=self.pk)

    def refunds(self) -> Any:
        return Refund.objects.filter(payment__donation__order=self.pk)

    def session(self, session_id: str) -> dict[str, Any]:
        """Stripe's own view of a session, without a call."""
        return self.stripe.account.get("sessions", session_id)

    def shown_and(self, **wanted: str) -> list[str]:
        return [
            session_id
            for session_id in self.shown
            if wanted.items() <= self.session(session_id).items()
        ]

    def events(self) -> list[dict[str, Any]]:
        return self.stripe.events[self.seen_events :]

    def attempt(self, action: Callable[..., Any], **more: Any) -> Any:
        try:
            return action(order=self.order, now=self.clock.now(), **more)
        except NOT_NOW:
            return None

    # The payer

    @rule()
    def goes_to_pay(self) -> None:
        payment = self.attempt(actions.start_payment)
        if payment is not None and payment.session_id not in self.shown:
            self.shown.append(payment.session_id)

    @precondition(lambda self: self.shown_and(status="open"))
    @rule(which=ANY)
    def pays(self, which: int) -> None:
        pages = self.shown_and(status="open")
        self.stripe.pay(pages[which % len(pages)])

    @precondition(lambda self: self.shown_and(status="open"))
    @rule(which=ANY)
    def pays_later(self, which: int) -> None:
        pages = self.shown_and(status="open")
        self.stripe.pay_later(pages[which % len(pages)])

    @rule()
    def comes_back(self) -> None:
        answer = self.browser.get(f"/orders/{self.secret}/returned/")
        assert answer.status_code == 302

    @rule(pence=st.sampled_from([500, 3000]))
    def changes_the_amount(self, pence: int) -> None:
        self.attempt(actions.set_gift, gift_pence=pence)

    @rule()
    def takes_the_ticket_without_a_gift(self) -> None:
        self.attempt(actions.take_without_gift)

    @rule()
    def takes_the_places_again(self) -> None:
        self.attempt(actions.retake)

    @rule()
    def has_the_tickets_sent_again(self) -> None:
        self.attempt(actions.resend)
        self.asked_again |= self.order.mailings > 1

    @rule()
    def gives_the_places_back(self) -> None:
        self.attempt(actions.cancel_order)

    # Others

    @rule()
    def somebody_else_takes_a_place(self) -> None:
        try:
            rival = make_order(self.conference, email="rival@example.org", now=self.clock.now())
        except actions.SoldOut:
            return
        self.rivals.append(rival)

    @precondition(lambda self: self.rivals)
    @rule()
    def somebody_else_leaves(self) -> None:
        actions.cancel_order(order=self.rivals.pop(), now=self.clock.now())

    # Stripe and the banks

    @precondition(lambda self: self.shown_and(payment_status="unpaid", status="complete"))
    @rule(ok=st.booleans())
    def bank_answers(self, ok: bool) -> None:
        self.answer_for_the_bank(ok)

    def answer_for_the_bank(self, ok: bool) -> None:
        for session_id in self.shown_and(payment_status="unpaid", status="complete"):
            if self.stripe.account.charge_of(session_id)["status"] == "pending":
                self.stripe.settle_later(session_id, ok=ok)

    @precondition(lambda self: self.events())
    @rule(which=ANY)
    def webhook_comes(self, which: int) -> None:
        events = self.events()
        assert deliver(self.stripe, events[which % len(events)]["id"]).status_code == 200

    @precondition(lambda self: self.shown_and(payment_status="paid"))
    @rule(which=ANY)
    def somebody_refunds_at_stripe(self, which: int) -> None:
        paid = self.shown_and(payment_status="paid")
        session_id = paid[which % len(paid)]
        if not self.stripe.account.charge_of(session_id)["refunded"]:
            self.stripe.refund(session_id)

    @rule()
    def bank_sends_a_refund_back(self) -> None:
        for refund in self.refunds().filter(status="succeeded")[:1]:
            if self.stripe.account.get("refunds", refund.refund_id)["status"] == "succeeded":
                self.stripe.fail_refund(refund.refund_id)

    @rule(fault=st.sampled_from(["commit_cut", "500", "commit_500", "429", "409"]))
    def stripe_has_a_bad_moment(self, fault: str) -> None:
        self.stripe.faults.add_call(fault, times=2)

    @rule()
    def track_of_a_page_is_lost(self) -> None:
        """As if Stripe had said that it was closed: two pages may then be paid."""
        self.lost_track |= bool(self.payments().filter(status="open").update(status="closed"))

    # The service itself

    def reads_its_events(self) -> None:
        inbox.process(now=self.clock.now())

    @rule()
    def sweep_runs(self) -> None:
        for step in STEPS:
            step(self.clock.now())

    @rule()
    def worker_works(self) -> None:
        self.work()

    @rule(minutes=st.sampled_from([1, 4, 29, 41]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    # What must be so at any moment

    @invariant()
    def places_add_up(self) -> None:
        taken = Ticket.objects.holding_places().filter(order__conference=self.conference)
        mine = Counter(taken.filter(order=self.pk).values_list("status", flat=True))
        held = {Status.RESERVED: {"held": 1}, Status.CONFIRMED: {"valid": 1}}
        assert mine == held.get(Status(self.order.status), {})
        assert taken.count() == len(self.rivals) + mine.total() <= PLACES

    @invariant()
    def only_one_page_can_be_paid(self) -> None:
        rows = self.stripe.account.store.table("sessions").rows.values()
        reference = self.order.reference
        open_pages = [
            row["id"]
            for row in rows
            if row["status"] == "open" and row["metadata"]["reference"] == reference
        ]
        assert self.lost_track or len(open_pages) <= 1

    @invariant()
    def stripe_is_never_asked_inside_a_transaction(self) -> None:
        assert self.calls_inside_transactions == []

    # How it must end

    def teardown(self) -> None:
        self.stripe.faults.clear()
        self.answer_for_the_bank(ok=True)
        for _ in range(3):
            for refund in self.refunds().filter(status="pending"):
                self.stripe.settle_refund(str(refund.refund_id))
            for event in self.events():
                deliver(self.stripe, event["id"])
            self.worker_works()
            self.clock.advance(minutes=45)
            self.sweep_runs()
            self.worker_works()
        self.places_add_up()
        self.nothing_is_left_open()
        self.money_adds_up()
        self.mails_went_out_once()
        for rival in self.rivals:
            actions.cancel_order(order=rival, now=self.clock.now())

    def nothing_is_left_open(self) -> None:
        assert self.order.status in (Status.CONFIRMED, Status.EXPIRED, Status.CANCELLED)
        assert {p.status for p in self.payments()} <= {"paid", "closed"}
        ids = [event["id"] for event in self.events()]
        outcomes = StripeEvent.objects.filter(event_id__in=ids).values_list("outcome", flat=True)
        assert set(outcomes) <= {"done", "not ours"}

    def money_adds_up(self) -> None:
        """Every paid session is the gift that arrived, or went back, or is before a person."""
        paid = {s: self.stripe.account.charge_of(s) for s in self.shown_and(payment_status="paid")}
        assert {p.session_id for p in self.payments().filter(status="paid")} == set(paid)
        refunds = self.refunds()
        assert set(refunds.values_list("status", flat=True)) <= {"succeeded", "failed"}
        assert sum(r.amount_pence for r in refunds.filter(status="succeeded")) == sum(
            charge["amount_refunded"] for charge in paid.values()
        )
        came_back = {r.payment.session_id for r in refunds.filter(status="failed")}
        kept = [
            charge["amount"]
            for session_id, charge in paid.items()
            if not charge["refunded"] and session_id not in came_back
        ]
        if kept:
            assert (self.donation.status, len(kept)) == ("received", 1)
            assert came_back or [self.donation.amount_pence] == kept
            assert self.order.status in (Status.CONFIRMED, Status.CANCELLED)
        else:
            assert came_back or self.donation.status in ("pledged", "withdrawn", "refunded")

    def mails_went_out_once(self) -> None:
        order = self.order
        mails = Mail.objects.filter(about=order.reference)
        assert set(mails.values_list("status", flat=True)) <= {"sent"}
        tickets = [mail.key for mail in mails if mail.key.startswith("tickets:")]
        if order.status == Status.CONFIRMED:
            assert f"tickets:{order.pk}:{order.mailings}" in tickets
            assert order.mailed_at is not None
        assert len(tickets) <= order.mailings
        assert self.asked_again or order.mailings == 1
        released = [mail.key for mail in mails if mail.key.startswith("released:")]
        let_go = AuditEntry.objects.filter(subject=order.reference, verb="places let go")
        assert len(released) == let_go.count()


@pytest.fixture
def machine(
    stripe: Sandbox,
    clock: Clock,
    work: Callable[[], int],
    calls_inside_transactions: list[str],
    settings: Settings,
) -> type[Interleavings]:
    """The machine, standing on this test's Stripe, clock and queue, with its address's mails free.

    Its visitor has the tickets sent again more often in a day than an address is written to.
    """
    settings.LIMIT_FACTOR = 100
    around = {
        "stripe": stripe,
        "clock": clock,
        "work": staticmethod(work),
        "calls_inside_transactions": calls_inside_transactions,
        "browser": Client(),
    }
    return type("Interleavings", (Interleavings,), around)


@pytest.mark.django_db(transaction=True)
def test_every_interleaving_ends_well(machine: type[Interleavings]) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            # Making a failure smaller takes minutes here; its steps can be read as they are.
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["paid", "with the bank", "open", "over", "let go"])
def test_everything_at_once_ends_well(machine: type[Interleavings], before: str) -> None:
    played = machine()
    played.goes_to_pay()
    if before == "paid":
        played.pays(0)
    elif before == "with the bank":
        played.pays_later(0)
        played.bank_answers(ok=True)
    elif before != "open":
        played.time_passes(41)
    if before == "let go":
        played.sweep_runs()
    for event in played.events():
        deliver(played.stripe, event["id"])
    all_at_once(
        played.reads_its_events,
        played.reads_its_events,
        played.comes_back,
        played.comes_back,
        played.sweep_runs,
        played.sweep_runs,
        played.goes_to_pay,
        played.takes_the_places_again,
        played.takes_the_ticket_without_a_gift,
        lambda: played.changes_the_amount(500),
        played.has_the_tickets_sent_again,
    )
    played.lost_track = True  # while all act at once, one page may be closed after the next opens
    played.teardown()


def all_at_once(*parts: Callable[[], None]) -> None:
    """Each part in a thread of its own, begun together; what one of them raises is raised."""
    together = Barrier(len(parts))

    def play(part: Callable[[], None]) -> None:
        together.wait()
        try:
            part()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(parts)) as threads:
        for played in [threads.submit(play, part) for part in parts]:
            played.result()
