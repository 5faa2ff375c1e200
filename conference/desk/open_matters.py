"""What a person must look at, because no program can decide it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from conference.clocks import Trouble, known_trouble
from conference.health import background_processes
from conference.models import Mail
from donations.models import Payment, Refund, StripeEvent
from tickets.actions.restoring import Withheld, withheld
from tickets.models import Order

# The sweep asks each minute, so an answer is late after this.
STRIPE_ASKED_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class OpenMatters:
    """How many matters there are of each kind, and what hinders the background processes.

    `silent` are those that have not been heard of, `clock` is why the sweep stands still, and
    `restored` what was withheld since a backup was restored.
    """

    parked: int
    events: int
    refunds: int
    failed_mails: int
    late_mails: int
    waiting_for_stripe: int
    silent: list[str]
    clock: Trouble | None
    restored: Withheld | None

    @property
    def is_empty(self) -> bool:
        return not (
            self.money
            or self.failed_mails
            or self.late_mails
            or self.waiting_for_stripe
            or self.silent
            or self.clock
            or self.restored
        )

    @property
    def money(self) -> int:
        return self.parked + self.events + self.refunds


def open_matters(now: datetime) -> OpenMatters:
    """What there is to look at, of all conferences."""
    clock = known_trouble()
    return OpenMatters(
        parked=parked_payments().count(),
        events=events().count(),
        refunds=failed_refunds().count(),
        failed_mails=Mail.objects.filter(status=Mail.Status.FAILED).count(),
        late_mails=Mail.objects.late(now).count(),
        waiting_for_stripe=_waiting_for_stripe(now),
        silent=_silent(now, clock),
        clock=clock,
        restored=withheld(),
    )


def parked_payments() -> QuerySet[Payment]:
    """Payments about which Stripe's record and ours differ, newest first."""
    return (
        Payment.objects.filter(status=Payment.Status.PARKED)
        .select_related("donation__order")
        .order_by("-created_at")
    )


def failed_refunds() -> QuerySet[Refund]:
    """Refunds that Stripe did not make and nobody has tried again, newest first."""
    return (
        Refund.objects.failed_for_good()
        .select_related("payment__donation__order")
        .order_by("-created_at")
    )


def events() -> QuerySet[StripeEvent]:
    """Events of Stripe's that the service cannot act on by itself, newest first."""
    return StripeEvent.objects.filter(outcome=StripeEvent.Outcome.ATTENTION).order_by(
        "-received_at"
    )


@dataclass(frozen=True)
class EventToRead:
    """An event, the payment of ours that it is about (or None), and what to do."""

    event: StripeEvent
    payment: Payment | None
    what_to_do: str

    @property
    def may_be_taken_back(self) -> bool:
        """Whether it is about a dispute over one of our donations, which the bank may win."""
        return self.payment is not None and self.event.type.startswith("charge.dispute.")


def with_their_payments(events: list[StripeEvent]) -> list[EventToRead]:
    """The events, each with its payment, found in one statement."""
    wanted = [event.payment_intent_id for event in events if event.payment_intent_id]
    payments = {
        payment.payment_intent_id: payment
        for payment in Payment.objects.filter(payment_intent_id__in=wanted).select_related(
            "donation__order"
        )
    }
    return [
        EventToRead(event, payments.get(event.payment_intent_id), _what_to_do(event))
        for event in events
    ]


def _what_to_do(event: StripeEvent) -> str:
    if event.type.startswith("charge.dispute."):
        return _(
            "The giver's bank asks for the money back. Answer it in Stripe's dashboard before "
            "the day that is named there; without an answer the money goes back."
        )
    if event.type.startswith("radar.early_fraud_warning."):
        return _(
            "The bank thinks that the card may be stolen. Look at the payment in Stripe's "
            "dashboard, and give the money back there if you think so too."
        )
    if event.type.startswith("checkout.session.") and event.problem:
        return _(
            "Somebody has paid for a booking that is not here, most likely because a backup was "
            "restored. Find the payment in Stripe's dashboard by the booking's reference; it shows "
            "the payer's e-mail address. Write to them, then either reserve their places again or "
            "give the money back in Stripe's dashboard. Until then keep places free for them, by "
            "lowering the number of places in the settings."
        )
    if event.type == "payout.failed":
        return _(
            "Stripe could not pay out to our bank account. Check the account's details in "
            "Stripe's dashboard."
        )
    return _("Find this event in Stripe's dashboard, and see whether the order here is right.")


def _waiting_for_stripe(now: datetime) -> int:
    """How many events and orders are late because Stripe does not answer or refuses our key."""
    lately = now - STRIPE_ASKED_WITHIN
    events = StripeEvent.objects.filter(outcome=StripeEvent.Outcome.WAITING, received_at__lt=lately)
    return events.count() + Order.objects.past_their_time(lately).count()


def _silent(now: datetime, clock: Trouble | None) -> list[str]:
    words = {
        "worker": _("The worker, which sends mails and makes tickets"),
        "sweep": _("The sweep, which picks up unfinished work"),
    }
    silent = {name for name, seen in background_processes(now).items() if not seen["ok"]}
    if clock is not None:
        silent.discard("sweep")  # which is silent on purpose
    return [words[name] for name in words if name in silent]
