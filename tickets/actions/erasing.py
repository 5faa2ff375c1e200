"""Forgetting a person who asks for it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

import signup.actions
from conference.audit import record
from conference.models import Mail
from donations.erasing import erase_giver
from tickets.models import Document, Order, Ticket

ERASED_NAME = "Erased"
ERASED_EMAIL = "erased@erased.invalid"


class StillToCome(Exception):
    """The person has a place at a conference that is not over: cancel it first."""


def erase_person(*, email: str, now: datetime) -> int:
    """Take names and addresses out of all that is kept under an e-mail address.

    What remains are numbers: places, sums, times. Returns how many orders there were. Raises
    StillToCome while a place of theirs is still to be used.
    """
    email = email.lower()
    with transaction.atomic():
        orders = list(Order.objects.filter(email=email).select_related("donation"))
        theirs = Q(order__in=orders) | Q(attendee_email=email)
        tickets = Ticket.objects.filter(theirs)
        if tickets.holding_places().filter(order__conference__ends_at__gt=now).exists():
            raise StillToCome
        for order in orders:
            order.name, order.email = ERASED_NAME, ERASED_EMAIL
            order.save(update_fields=["name", "email"])
            if order.donation is not None:
                erase_giver(donation=order.donation, name=ERASED_NAME, email=ERASED_EMAIL)
            record("person erased", order.reference, now=now)
        tickets.update(attendee_name=ERASED_NAME, attendee_email="")
        Document.objects.filter(order__in=orders).delete()
        references = [order.reference for order in orders]
        Mail.objects.filter(Q(to=email) | Q(about__in=references)).delete()
        signup.actions.erase(email=email, now=now)
    return len(orders)
