"""Ticket types, orders, tickets, and scans at the door."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from conference import codes
from conference.models import Conference, User
from donations.models import Donation, Payment

MOST_PLACES = 10  # in one order
# Up to this many places (but at most half) are 'few', or a tenth of all if that is more.
FEW_PLACES = 10
# What stands in place of the name and address of somebody who was erased.
ERASED_NAME = "Erased"
ERASED_EMAIL = "erased@erased.invalid"
# How long the door may undo an entry.
UNDO_WITHIN = timedelta(minutes=10)


def new_secret() -> str:
    """The unguessable part of an order's link: 192 bits."""
    return secrets.token_urlsafe(24)


def new_number() -> int:
    """A ticket's number in its code: 63 random bits."""
    return secrets.randbits(63)


class TicketTypeQuerySet(models.QuerySet["TicketType"]):
    def counting_places(self) -> "TicketTypeQuerySet":
        """Annotate `last_serial` and `given_back`, which TicketType.taken needs.

        The last serial is the first row of an index, and the tickets given back are few, so the
        database reads as little for 50,000 places as for 500.
        """
        tickets = Ticket.objects.filter(ticket_type=OuterRef("pk")).order_by()
        last_serial = tickets.order_by("-serial").values("serial")[:1]
        given_back = (
            tickets.filter(status__in=Ticket.GIVEN_BACK)
            .values("ticket_type")
            .annotate(count=Count("pk"))
            .values("count")
        )
        return self.annotate(
            last_serial=Subquery(last_serial),
            given_back=Subquery(given_back),
        )


class TicketType(models.Model):
    """A kind of place at one conference, with its own number of places."""

    conference = models.ForeignKey(Conference, models.CASCADE, related_name="ticket_types")
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=300, blank=True)
    capacity = models.PositiveIntegerField(_("places"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_online = models.BooleanField(_("online"), default=False)
    is_private = models.BooleanField(
        _("private"),
        default=False,
        help_text=_(
            "Says something about a person, such as Service user or carer: not shown at the door, "
            "on the ticket or in exports. Mark the other kinds as well. Otherwise a ticket "
            "without a kind gives it away."
        ),
    )
    # How many came. Set when the scans are deleted; None as long as they can be counted.
    came = models.PositiveIntegerField(null=True, editable=False)
    # Templates have it in their cache keys, so that a change shows at once.
    changed_at = models.DateTimeField(auto_now=True)

    # Set by `counting_places`; None if there is no such ticket.
    last_serial: int | None
    given_back: int | None

    objects = TicketTypeQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket type")
        verbose_name_plural = _("ticket types")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["conference", "name"], name="type_named_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def taken(self) -> int:
        """How many places are held or given out. Only for types from `counting_places`.

        The number of tickets ever written, less those that no longer hold a place. A constraint
        keeps serials unique within a type, so this is never too low.
        """
        return places_taken(self.last_serial, self.given_back)


def places_taken(last_serial: int | None, given_back: int | None) -> int:
    """How many places of a type are held or given out: all tickets ever, less those given back."""
    return (last_serial or 0) - (given_back or 0)


class OrderQuerySet(models.QuerySet["Order"]):
    def past_their_time(self, now: datetime) -> "OrderQuerySet":
        """Reserved orders whose time is over; to be released if Stripe knows of no payment.

        Orders that wait for a bank or for staff are not among them.
        """
        return self.filter(status=Order.Status.RESERVED, expires_at__lte=now).exclude(
            donation__payments__status__in=Payment.UNDECIDED
        )

    def to_erase(self, ended_before: datetime, *, now: datetime) -> "OrderQuerySet":
        """Orders of conferences that ended before this, which still name somebody.

        Not those of which money is not settled yet: whoever settles it has to know the people.
        """
        unsettled = Donation.objects.unsettled().filter(order=OuterRef("pk"))
        past = self.filter(conference__in=Conference.objects.ended(ended_before, now=now))
        return past.exclude(email=ERASED_EMAIL).exclude(Exists(unsettled))

    def locked(self, pk: int) -> "Order":
        """The order with this primary key, locked until the transaction ends.

        Where its donation is read or changed as well, that is locked first: `locked_with_donation`.
        """
        locked = self.select_for_update(of=("self",), no_key=True)
        return locked.select_related("conference__organisation", "donation").get(pk=pk)

    def locked_with_donation(self, order: "Order") -> "Order":
        """The order, locked and read again after its donation was locked."""
        if order.donation_id is not None:
            Donation.objects.locked(order.donation_id)
        return self.locked(order.pk)


class Order(models.Model):
    """One person's booking."""

    class Status(models.TextChoices):
        RESERVED = "reserved", _("Reserved")
        CONFIRMED = "confirmed", _("Confirmed")
        EXPIRED = "expired", _("Not kept any longer")
        CANCELLED = "cancelled", _("Cancelled")

    HOLDING = (Status.RESERVED, Status.CONFIRMED)

    # Needs no index of its own: `order_newest` begins with it.
    conference = models.ForeignKey(
        Conference, models.PROTECT, related_name="orders", db_index=False
    )
    donation = models.OneToOneField(Donation, models.PROTECT, null=True, related_name="order")
    # Unique by a constraint: `unique=True` would add a second index on PostgreSQL, for LIKE.
    reference = models.CharField(max_length=12, default=codes.short_code)
    secret = models.CharField(max_length=40, default=new_secret)
    # Generated with the form, so that the same form sent twice makes one order.
    submission = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"), max_length=254)
    status = models.CharField(max_length=10, choices=Status, default=Status.RESERVED)
    # If the Bulletin's box was ticked, the ticket mail has the button to confirm.
    wants_bulletin = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    # Until when the places are held for payment.
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # The number of the latest mailing: 1 at confirmation, one more each time they are sent again.
    mailings = models.PositiveSmallIntegerField(default=1)
    mailed_at = models.DateTimeField(null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], name="order_held", condition=Q(status="reserved")),
            models.Index(
                fields=["confirmed_at"],
                name="order_unmailed",
                condition=Q(status="confirmed", mailed_at__isnull=True),
            ),
            models.Index(fields=["conference", "-created_at"], name="order_newest"),
            models.Index(fields=["email"], name="order_email"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="confirmed") | Q(confirmed_at__isnull=False),
                name="order_confirmed_at",
            ),
            models.UniqueConstraint(fields=["reference"], name="order_reference_once"),
            models.UniqueConstraint(fields=["secret"], name="order_secret_once"),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("tickets:order", args=[self.secret])

    @property
    def is_erased(self) -> bool:
        """Whether its people were erased: nothing can be written to them any more."""
        return self.email == ERASED_EMAIL


class TicketQuerySet(models.QuerySet["Ticket"]):
    def holding_places(self) -> "TicketQuerySet":
        """Tickets that take a place: valid ones, and those held for payment."""
        return self.filter(status__in=Ticket.HOLDING)

    def valid(self) -> "TicketQuerySet":
        return self.filter(status=Ticket.Status.VALID)

    def with_entry(self) -> "models.QuerySet[Any]":
        """Each with `entered_at` and `entered_by_gate`, None for a ticket that has not come in."""
        # A ticket has at most one entry that was not undone, so no ticket comes twice.
        return self.annotate(
            entry=FilteredRelation("scans", condition=is_standing_entry("scans__")),
            entered_at=F("entry__at"),
            entered_by_gate=F("entry__gate__name"),
        )

    def to_print(self) -> "TicketQuerySet":
        """Valid tickets with all that is printed on them."""
        return self.valid().select_related("ticket_type", "order__conference__organisation")

    def count_by_type(self) -> dict[int, int]:
        """How many there are of each ticket type, by its primary key."""
        rows = self.order_by().values("ticket_type_id").annotate(n=Count("pk"))
        return {row["ticket_type_id"]: row["n"] for row in rows}


class Ticket(models.Model):
    """One right of entry."""

    class Status(models.TextChoices):
        HELD = "held", _("Kept for you")
        VALID = "valid", _("Valid")
        RELEASED = "released", _("Not kept any longer")
        CANCELLED = "cancelled", _("Cancelled")

    HOLDING = (Status.HELD, Status.VALID)
    GIVEN_BACK = (Status.RELEASED, Status.CANCELLED)

    order = models.ForeignKey(Order, models.CASCADE, related_name="tickets")
    # Needs no index of its own: those below begin with it.
    ticket_type = models.ForeignKey(
        TicketType, models.PROTECT, related_name="tickets", db_index=False
    )
    # Numbers the tickets of a type 1, 2, 3 … as they are written, under the lock. Never changed.
    serial = models.PositiveIntegerField()
    attendee_name = models.CharField(_("name"), max_length=200)
    attendee_email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.HELD)
    # The number in the QR code, and the short code beside it; neither reveals a name.
    number = models.BigIntegerField(unique=True, default=new_number)
    reference = models.CharField(max_length=12, default=codes.short_code)

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["ticket_type", "status"], name="ticket_holding_place"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="ticket_reference_once"),
            models.CheckConstraint(condition=Q(number__gte=0), name="ticket_number_positive"),
            # Counting places relies on these two.
            models.UniqueConstraint(fields=["ticket_type", "serial"], name="ticket_serial_once"),
            models.CheckConstraint(condition=Q(serial__gte=1), name="ticket_serial_from_one"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def code(self) -> str:
        """The text of the QR code."""
        return codes.sign(self.number)


class ReplacedCode(models.Model):
    """A code that has been replaced; the door says so instead of 'unknown'."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="replaced_codes")
    number = models.BigIntegerField(unique=True)
    reference = models.CharField(max_length=12, unique=True)
    replaced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference


class Document(models.Model):
    """A PDF that a worker made for the order's page; kept for a day, made again on demand."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="documents")
    # A digest of what is printed: a corrected name makes a new document.
    fingerprint = models.CharField(max_length=64, unique=True)
    content = models.BinaryField(null=True)
    made_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint[:8]


class Gate(models.Model):
    """A place where tickets are scanned."""

    conference = models.ForeignKey(Conference, models.CASCADE, related_name="gates")
    name = models.CharField(_("name"), max_length=60)
    slug = models.SlugField(_("short name"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("gate")
        verbose_name_plural = _("gates")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["conference", "slug"], name="gate_named_once")
        ]

    def __str__(self) -> str:
        return self.name


def is_standing_entry(prefix: str = "") -> Q:
    """Matches a scan that admitted somebody and was not undone; `prefix` may be 'scans__'."""
    return Q(**{f"{prefix}outcome": "admitted", f"{prefix}undone_at__isnull": True})


class ScanQuerySet(models.QuerySet["Scan"]):
    def standing_entries(self) -> "ScanQuerySet":
        """Scans that admitted somebody and were not undone: one for each ticket at most."""
        return self.filter(is_standing_entry())

    def entries_by_type(self, conference: Conference) -> dict[int, int]:
        """How many came to the conference with each ticket type, by its primary key."""
        entries = self.standing_entries().filter(conference=conference).order_by()
        return dict(entries.values_list("ticket__ticket_type_id").annotate(n=Count("pk")))


class Scan(models.Model):
    """One scan of a code at the door, and its outcome. Never changed, except to undo it."""

    class Outcome(models.TextChoices):
        ADMITTED = "admitted", _("Admitted")
        ALREADY_IN = "already in", _("Already in")
        NOT_CONFIRMED = "not confirmed", _("Not confirmed yet")
        CANCELLED = "cancelled", _("Cancelled")
        REPLACED = "replaced", _("Replaced by a newer ticket")
        OTHER_CONFERENCE = "other conference", _("For another conference")
        UNKNOWN = "unknown", _("Not on the list")
        UNLISTED = "unlisted", _("Genuine, but not in our list")
        NOT_A_TICKET = "not a ticket", _("Not one of our tickets")

    # Generated by the phone, so that the same scan sent twice is stored once.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # Needs no index of its own: `scan_newest` begins with it.
    conference = models.ForeignKey(Conference, models.CASCADE, related_name="scans", db_index=False)
    gate = models.ForeignKey(Gate, models.PROTECT, related_name="scans")
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="scans")
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=20, choices=Outcome)
    # Both are the server's time at which the scan arrived.
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    objects = ScanQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=is_standing_entry(),
                name="one_entry_per_ticket",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="admitted") | Q(ticket__isnull=False),
                name="entry_by_a_ticket",
            ),
        ]
        indexes = [models.Index(fields=["conference", "-at"], name="scan_newest")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.at:%H:%M}"

    @property
    def is_standing_entry(self) -> bool:
        """Whether it admitted somebody and was not undone."""
        return self.outcome == self.Outcome.ADMITTED and self.undone_at is None

    def may_be_undone(self, now: datetime) -> bool:
        """Whether this is an entry that the door may still take back."""
        return self.is_standing_entry and now - self.received_at <= UNDO_WITHIN
