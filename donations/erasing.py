"""Removing a giver's name and address from what is kept about their donation."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from conference.audit import record
from conference.models import Conference
from donations.actions import for_stripe
from donations.models import Donation, Payment


def erase_givers(*, donations: Collection[int], name: str, email: str) -> None:
    """Replace the givers' names and addresses by `name` and `email`.

    `donations` are primary keys. Amounts, times and Stripe's numbers stay. Call it inside the
    transaction that erases the rest.
    """
    Donation.objects.filter(pk__in=donations).update(name=name, email=email)
    _erase_payments(Payment.objects.filter(donation__in=donations), email)


def erase_address_at_payments(*, email: str, instead: str) -> int:
    """Replace an address in what Stripe was asked for, also one that was corrected since.

    Returns the number of payments.
    """
    asked_for = {email, for_stripe(email)}
    return _erase_payments(
        Payment.objects.filter(request_body__customer_email__in=asked_for), instead
    )


def erase_past_givers(
    *, ended_before: datetime, most: int, name: str, email: str, now: datetime
) -> None:
    """Erase the givers of conferences that ended before this, `most` at a time.

    Not those whose money is not settled yet.
    """
    ended = Conference.objects.ended(ended_before, now=now)
    past = Donation.objects.filter(conference__in=ended).exclude(email=email)
    unsettled = Donation.objects.unsettled().filter(pk=OuterRef("pk"))
    with transaction.atomic():
        found = past.exclude(Exists(unsettled)).values_list("pk", flat=True)
        givers = list(found.order_by("pk")[:most])
        if givers:
            erase_givers(donations=givers, name=name, email=email)
            record("names erased", "donations", now=now, donations=len(givers))


def _erase_payments(payments: QuerySet[Payment], email: str) -> int:
    found = list(payments)
    for payment in found:
        payment.request_body["customer_email"] = email
        # What Stripe refused may be quoted in it.
        payment.problem = ""
    Payment.objects.bulk_update(found, ["request_body", "problem"])
    return len(found)
