"""With every webhook switched off, and with work lost on the way, all comes right by itself."""

import importlib
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError
from django_tasks_db.models import DBTaskResult

import donations.actions
from conference.management.commands.sweep import sweep
from conference.models import AuditEntry, Mail
from donations.models import Donation, Payment, Refund
from sandbox.server import Sandbox
from tests.clock import Clock
from tests.factories import make_conference, make_order
from tickets import actions
from tickets.models import Document, Order, Ticket

pytestmark = pytest.mark.django_db

Work = Callable[[], int]


def keys() -> list[str]:
    """What was written to people, in short: the first word of each mail's key."""
    return [mail.key.split(":")[0] for mail in Mail.objects.order_by("created_at")]


def run_for(clock: Clock, work: Work, minutes: int, every: int = 1) -> None:
    """Nothing but the sweep and the worker, for so many minutes."""
    for _ in range(0, minutes, every):
        sweep(clock.advance(minutes=every))
        work()


def test_paid_and_closed_the_tab(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=clock.now())
    stripe.pay(str(payment.session_id))
    run_for(clock, work, minutes=4)
    order.refresh_from_db()
    assert (order.status, Donation.objects.get().status) == ("confirmed", "received")
    assert keys() == ["tickets"]
    run_for(clock, work, minutes=60, every=10)
    assert keys() == ["tickets"]


def test_closed_the_tab_unpaid(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=clock.now())
    run_for(clock, work, minutes=45, every=5)
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (order.status, order.tickets.get().status) == ("expired", "released")
    assert payment.status == Payment.Status.CLOSED
    assert keys() == ["released"]


def test_never_reached_the_payment_page(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    run_for(clock, work, minutes=45, every=5)
    order.refresh_from_db()
    assert (order.status, keys()) == ("expired", ["released"])
    assert {path for _, path, _ in stripe.calls} == {"/v1/events", "/v1/checkout/sessions"}


def test_paid_at_the_last_moment(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=clock.now())
    clock.advance(minutes=30)
    stripe.pay(str(payment.session_id))
    run_for(clock, work, minutes=15, every=15)
    order.refresh_from_db()
    assert (order.status, keys()) == ("confirmed", ["tickets"])


def test_bank_that_takes_days(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=clock.now())
    stripe.pay_later(str(payment.session_id))
    run_for(clock, work, minutes=2 * 24 * 60, every=8 * 60)
    order.refresh_from_db()
    assert (order.status, order.tickets.get().status) == ("reserved", "held")
    stripe.settle_later(str(payment.session_id))
    run_for(clock, work, minutes=31, every=31)
    order.refresh_from_db()
    assert (order.status, keys()) == ("confirmed", ["tickets"])


def test_bank_that_refuses_after_days(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=clock.now())
    stripe.pay_later(str(payment.session_id))
    run_for(clock, work, minutes=24 * 60, every=8 * 60)
    stripe.settle_later(str(payment.session_id), ok=False)
    run_for(clock, work, minutes=62, every=31)
    order.refresh_from_db()
    assert (order.status, keys()) == ("expired", ["released"])


def test_paid_twice_with_nobody_listening(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    first = actions.start_payment(order=order, now=clock.now())
    Payment.objects.update(status=Payment.Status.CLOSED)  # as if Stripe had said so
    second = actions.start_payment(order=order, now=clock.now())
    stripe.pay(str(second.session_id))
    run_for(clock, work, minutes=4)
    stripe.pay(str(first.session_id))
    donations.actions.ask_stripe(payment=first, now=clock.now())
    run_for(clock, work, minutes=4)
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.status) == (first.pk, Refund.Status.SUCCEEDED)
    assert keys() == ["tickets", "paid twice"]


def test_stripe_out_of_reach_for_hours(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    payment = actions.start_payment(order=order, now=clock.now())
    stripe.pay(str(payment.session_id))
    stripe.faults.add_call("429", times=None)
    run_for(clock, work, minutes=180, every=30)
    order.refresh_from_db()
    assert (order.status, order.tickets.get().status) == ("reserved", "held")
    stripe.faults.clear()
    run_for(clock, work, minutes=4)
    order.refresh_from_db()
    assert (order.status, keys()) == ("confirmed", ["tickets"])


def test_orders_that_wait_do_not_stand_in_the_way(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    conference = make_conference()
    waiting = make_order(conference, gift_pence=1500)
    payment = actions.start_payment(order=waiting, now=clock.now())
    stripe.pay_later(str(payment.session_id))
    donations.actions.ask_stripe(payment=payment, now=clock.now())
    over = make_order(conference, gift_pence=1500)
    stripe.faults.add_call("429", times=None)
    run_for(clock, work, minutes=45, every=45)
    over.refresh_from_db()
    waiting.refresh_from_db()
    assert (waiting.status, over.status) == ("reserved", "expired")


def test_lost_task_of_a_confirmed_order_is_made_up_for(clock: Clock, work: Work) -> None:
    order = make_order()
    DBTaskResult.objects.all().delete()
    run_for(clock, work, minutes=4)
    assert keys() == []
    run_for(clock, work, minutes=2)
    order.refresh_from_db()
    assert (keys(), order.mailed_at is not None) == (["tickets"], True)


def test_task_of_a_dead_worker_is_taken_up(clock: Clock, work: Work) -> None:
    make_order()
    DBTaskResult.objects.update(status="RUNNING", started_at=clock.now())
    run_for(clock, work, minutes=3)
    assert keys() == []
    run_for(clock, work, minutes=9, every=3)
    assert keys() == ["tickets"]


def test_sweep_twice_is_sweep_once(stripe: Sandbox, clock: Clock, work: Work) -> None:
    order = make_order(gift_pence=1500)
    clock.advance(minutes=41)
    for _ in range(3):
        sweep(clock.now())
    work()
    assert AuditEntry.objects.filter(subject=order.reference, verb="places let go").count() == 1
    assert keys() == ["released"]


def test_order_that_nothing_can_be_done_with_does_not_stop_the_others(
    stripe: Sandbox, clock: Clock, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    broken = make_order(gift_pence=1500)
    assert broken.donation is not None
    Payment.objects.create(
        donation=broken.donation,
        amount_pence=1500,
        request_body={},  # of which nothing can be asked
        session_expires_at=clock.now(),
        check_at=clock.now() + timedelta(days=1),
        created_at=clock.now() - timedelta(days=2),
    )
    make_order(gift_pence=1500)
    sweep(clock.advance(minutes=41))
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == [
        "reserved",
        "expired",
    ]
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == [f"the places of order {broken.reference} cannot be released"]


@pytest.mark.parametrize(("broken", "released"), [(1, 3), (2, 2), (3, 0)])
def test_order_at_which_the_database_fails_keeps_no_other_places_unless_it_fails_at_several(
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: int,
    released: int,
) -> None:
    failing = [make_order(gift_pence=1500) for _ in range(broken)]
    for _ in range(4 - broken):
        make_order(gift_pence=1500)
    expire = actions.expire

    def expire_some(*, order: Order, now: datetime) -> None:
        if order in failing:
            raise OperationalError("canceling statement due to statement timeout")
        expire(order=order, now=now)

    monkeypatch.setattr(actions, "expire", expire_some)
    sweep(clock.advance(minutes=41))
    assert Order.objects.filter(status=Order.Status.EXPIRED).count() == released
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert all(error.exc_info is None for error in errors)
    assert len(errors) == broken + (broken == 3)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("boom"), "failed"),
        (OperationalError("locked"), "failing: the database does not work: locked"),
    ],
)
def test_step_that_fails_does_not_stop_the_others(
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    says: str,
) -> None:
    def failing(now: datetime) -> None:
        raise error

    commands = importlib.import_module("conference.management.commands.sweep")
    monkeypatch.setattr(commands, "STEPS", (failing, *commands.STEPS))
    order = make_order()
    DBTaskResult.objects.all().delete()
    sweep(clock.advance(minutes=6))
    assert [task.args_kwargs["args"] for task in DBTaskResult.objects.all()] == [[order.pk]]
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [line.endswith(says) for line in said] == [True]


def test_places_that_were_let_go_can_be_had_by_others(
    stripe: Sandbox, clock: Clock, work: Work
) -> None:
    conference = make_conference(types={"Only": 1})
    walked_away = make_order(conference, gift_pence=1500)
    run_for(clock, work, minutes=45, every=45)
    make_order(conference, names=("Quicker",), now=clock.now())
    with pytest.raises(actions.SoldOut):
        actions.retake(order=walked_away, now=clock.now())
    assert Ticket.objects.holding_places().count() == 1


def test_pdfs_are_erased_after_a_day(clock: Clock) -> None:
    Document.objects.create(
        order=make_order(), fingerprint="x", content=b"%PDF", asked_at=clock.now()
    )
    sweep(clock.advance(hours=23))
    assert Document.objects.count() == 1
    sweep(clock.advance(hours=2))
    assert Document.objects.count() == 0
