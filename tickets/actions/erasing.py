"""Erasing a person's data at their request."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

import signup.actions
from conference.audit import record
from conference.models import Mail
from conference.queue import forget
from donations.erasing import erase_giver
from tickets.models import Document, Order, Ticket

ERASED_NAME = "Erased"
ERASED_EMAIL = "erased@erased.invalid"


class StillToCome(Exception):
    """The person has a ticket for a conference that is not over. Cancel it first."""


def erase_person(*, email: str, now: datetime) -> int:
    """Remove names and addresses from everything that is kept about an e-mail address.

    What remains are tickets, amounts and times without a name. Returns the number of orders that
    were made under the address. Raises StillToCome.
    """
    email = email.lower()
    with transaction.atomic():
        orders = list(Order.objects.filter(email=email).select_related("donation"))
        theirs = Q(order__in=orders) | Q(attendee_email=email)
        tickets = Ticket.objects.filter(theirs)
        if tickets.holding_places().filter(order__conference__ends_at__gt=now).exists():
            raise StillToCome
        touched = {order.pk for order in orders} | set(tickets.values_list("order_id", flat=True))
        for order in orders:
            order.name, order.email = ERASED_NAME, ERASED_EMAIL
            order.save(update_fields=["name", "email"])
            if order.donation is not None:
                erase_giver(donation=order.donation, name=ERASED_NAME, email=ERASED_EMAIL)
            record("person erased", order.reference, now=now)
        tickets.update(attendee_name=ERASED_NAME, attendee_email="")
        # An attendee's name is also in the PDFs and mails of an order that somebody else made.
        named_in = Order.objects.filter(pk__in=touched)
        Document.objects.filter(order__in=named_in).delete()
        Mail.objects.filter(
            Q(to=email) | Q(about__in=list(named_in.values_list("reference", flat=True)))
        ).delete()
        signup.actions.erase(email=email, now=now)
        forget(email)
    return len(orders)
