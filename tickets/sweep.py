"""What is taken up again about orders."""

import logging
from datetime import datetime, timedelta
from time import monotonic

from donations.actions import CannotPayNow
from donations.models import Payment
from tickets import actions
from tickets.models import Document, Order
from tickets.tasks import DOCUMENT_KEPT_FOR, mail_tickets

logger = logging.getLogger(__name__)

# Confirmed this long ago and still unmailed: the task was lost.
UNMAILED_AFTER = timedelta(minutes=5)
# Seconds that letting go of places may take while Stripe is slow to answer or does not at all.
LONGEST = 30


def sweep(now: datetime) -> None:
    """Let go of places whose time is over, mail what is unmailed, erase old PDFs."""
    held = Order.objects.filter(status=Order.Status.RESERVED, expires_at__lte=now).exclude(
        # These wait for a bank or for a person, and must not stand in the others' way.
        donation__payments__status__in=[Payment.Status.PROCESSING, Payment.Status.PARKED]
    )
    held = held.select_related("conference__organisation", "donation").order_by("expires_at")
    began = monotonic()
    for order in held[:200]:
        if monotonic() - began > LONGEST:
            break
        try:
            actions.expire(order=order, now=now)
        except CannotPayNow:
            continue  # its places are kept until Stripe can be asked
        except Exception:
            # One order that nothing can be done with must not keep the others' places for ever.
            logger.exception("the places of order %s cannot be let go", order.reference)
    unmailed = Order.objects.filter(
        status=Order.Status.CONFIRMED,
        mailed_at__isnull=True,
        confirmed_at__lt=now - UNMAILED_AFTER,
    )
    for pk in unmailed.order_by("confirmed_at").values_list("pk", flat=True)[:200]:
        mail_tickets.enqueue(pk)
    Document.objects.filter(asked_at__lt=now - DOCUMENT_KEPT_FOR).delete()
