"""All money: donations, the attempts to pay them through Stripe, refunds and Stripe's events."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from conference.models import Conference, User

LEAST_GIFT_PENCE = 100
MOST_GIFT_PENCE = 99_999_999
# Above this the form asks whether the amount is really meant.
LARGE_GIFT_PENCE = 100_000

# How long after the last answer the sweep asks Stripe again about a payment or refund (`check_at`).
ASK_AGAIN = timedelta(minutes=3)
# The same where a bank is at work, which may take days.
ASK_THE_BANK_AGAIN = timedelta(minutes=30)


class DonationQuerySet(models.QuerySet["Donation"]):
    def locked(self, pk: int) -> "Donation":
        """The donation with this primary key, locked until the transaction ends.

        Locks are taken in one order everywhere, so that no two transactions can wait for each
        other: the donation, its payments and refunds, its order, and the conference last. The
        lock is FOR NO KEY UPDATE, which does not hold up the writing of rows that only refer to
        the donation.
        """
        return self.select_for_update(no_key=True).get(pk=pk)

    def unsettled(self) -> "DonationQuerySet":
        """Donations about which Stripe, a bank or staff have yet to decide something."""
        payments = Payment.objects.filter(donation=OuterRef("pk"))
        events = StripeEvent.objects.filter(
            outcome=StripeEvent.Outcome.ATTENTION,
            payment_intent_id__in=Payment.objects.filter(
                donation=OuterRef(OuterRef("pk")), payment_intent_id__isnull=False
            ).values("payment_intent_id"),
        )
        refunds = Refund.objects.filter(payment__donation=OuterRef("pk"))
        return self.filter(
            Exists(payments.filter(status__in=[*Payment.LIVE, Payment.Status.PARKED]))
            | Exists(refunds.filter(status__in=[Refund.Status.BEGUN, Refund.Status.PENDING]))
            | Exists(refunds.failed_for_good())
            | Exists(events)
        )


class Donation(models.Model):
    """What somebody freely gives: pledged on a form, then received or withdrawn."""

    class Status(models.TextChoices):
        PLEDGED = "pledged", _("Not paid yet")
        RECEIVED = "received", _("Received")
        WITHDRAWN = "withdrawn", _("Not given")
        REFUNDED = "refunded", _("Given back")

    conference = models.ForeignKey(Conference, models.PROTECT, related_name="donations")
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    amount_pence = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PLEDGED)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)

    objects = DonationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_pence__gte=LEAST_GIFT_PENCE, amount_pence__lte=MOST_GIFT_PENCE),
                name="donation_of_a_pound_or_more",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["received", "refunded"]) | Q(received_at__isnull=False),
                name="donation_received_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_pence}p {self.status}"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def live(self) -> "PaymentQuerySet":
        """Attempts that may still bring money: begun, open at Stripe, or with the bank."""
        return self.filter(status__in=Payment.LIVE)

    def to_ask_about(self, now: datetime) -> "PaymentQuerySet":
        """Live attempts about which Stripe is to be asked now."""
        return self.live().filter(check_at__lte=now)


class Payment(models.Model):
    """One attempt to be paid through Stripe: one Checkout Session."""

    class Status(models.TextChoices):
        # Created before Stripe is called; the call's outcome is not known (yet).
        BEGUN = "begun", _("Being set up")
        OPEN = "open", _("Waiting for the payer")
        # The payer has finished, the bank has not.
        PROCESSING = "processing", _("Waiting for the bank")
        PAID = "paid", _("Paid")
        CLOSED = "closed", _("Ended without payment")
        # Stripe's record and ours differ: staff must look.
        PARKED = "parked", _("Needs a look")

    LIVE = (Status.BEGUN, Status.OPEN, Status.PROCESSING)
    # For the bank or for staff to decide, whatever the payer does.
    UNDECIDED = (Status.PROCESSING, Status.PARKED)

    donation = models.ForeignKey(Donation, models.PROTECT, related_name="payments")
    amount_pence = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.BEGUN)
    # The parameters of the call to Stripe, kept so that a retry sends exactly the same.
    idempotency_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    request_body = models.JSONField()
    session_id = models.CharField(max_length=255, null=True)
    session_url = models.URLField(max_length=2000, blank=True)
    session_expires_at = models.DateTimeField()
    payment_intent_id = models.CharField(max_length=255, null=True)
    check_at = models.DateTimeField()
    created_at = models.DateTimeField()
    # When the payer returned from Stripe's page by its success URL.
    returned_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["donation"],
                condition=Q(status__in=["begun", "open", "processing"]),
                name="one_live_payment_per_donation",
            ),
            models.UniqueConstraint(fields=["session_id"], name="payment_session_once"),
            models.UniqueConstraint(fields=["payment_intent_id"], name="payment_intent_once"),
            models.CheckConstraint(
                condition=Q(amount_pence__gte=LEAST_GIFT_PENCE), name="payment_of_a_pound_or_more"
            ),
            models.CheckConstraint(
                condition=~Q(status="paid")
                | Q(paid_at__isnull=False, payment_intent_id__isnull=False),
                name="payment_paid_by_an_intent",
            ),
        ]
        indexes = [
            models.Index(
                fields=["check_at"],
                name="payment_to_ask_about",
                condition=Q(status__in=["begun", "open", "processing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_pence}p {self.status}"

    @property
    def is_live(self) -> bool:
        return self.status in self.LIVE


class RefundQuerySet(models.QuerySet["Refund"]):
    def not_failed(self) -> "RefundQuerySet":
        """Refunds that were made, or may still be."""
        return self.exclude(status=Refund.Status.FAILED)

    def failed_for_good(self) -> "RefundQuerySet":
        """Failed, and not tried again since with the same amount."""
        later = Refund.objects.filter(
            payment=OuterRef("payment"),
            amount_pence=OuterRef("amount_pence"),
            created_at__gt=OuterRef("created_at"),
        )
        return self.filter(~Exists(later), status=Refund.Status.FAILED)


class Refund(models.Model):
    """A refund, requested by us or made in Stripe's dashboard."""

    class Status(models.TextChoices):
        BEGUN = "begun", _("Being asked for")
        PENDING = "pending", _("On its way")
        SUCCEEDED = "succeeded", _("Given back")
        FAILED = "failed", _("Failed")

    class Reason(models.TextChoices):
        NO_PLACES = "no places", _("Paid after the places were gone")
        PAID_TWICE = "paid twice", _("Paid twice")
        ASKED = "asked", _("Asked for")
        AT_STRIPE = "at stripe", _("Made on Stripe's own pages")
        DISPUTED = "disputed", _("Taken back by the giver's bank")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    amount_pence = models.PositiveIntegerField()
    reason = models.CharField(max_length=12, choices=Reason)
    status = models.CharField(max_length=10, choices=Status, default=Status.BEGUN)
    idempotency_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    refund_id = models.CharField(max_length=255, unique=True, null=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # Staff recorded that the money went back by other means than a refund at Stripe.
    is_by_hand = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    check_at = models.DateTimeField()
    problem = models.TextField(blank=True)

    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_pence__gte=1), name="refund_of_something"),
        ]
        indexes = [
            models.Index(
                fields=["check_at"],
                name="refund_to_ask_about",
                condition=Q(status__in=["begun", "pending"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_pence}p {self.status}"


class StripeEvent(models.Model):
    """An event that Stripe sent us: one row of the inbox.

    Only what is needed to ask Stripe about it is kept. The event itself may contain names,
    addresses and card details, also of people who have nothing to do with us.
    """

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("Not looked at yet")
        DONE = "done", _("Done")
        NOT_OURS = "not ours", _("Not about anything of ours")
        ATTENTION = "attention", _("Needs a look")

    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100)
    # The ids of what it is about (a session, refund, dispute, …) and of the payment intent behind
    # that; empty where there is none.
    about_id = models.CharField(max_length=255, blank=True)
    payment_intent_id = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.WAITING)
    problem = models.TextField(blank=True)
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["received_at"], name="event_waiting", condition=Q(outcome="waiting")
            ),
            models.Index(
                fields=["-received_at"], name="event_attention", condition=Q(outcome="attention")
            ),
            models.Index(
                fields=["payment_intent_id"], name="event_not_ours", condition=Q(outcome="not ours")
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["event_id"], name="event_once")]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
