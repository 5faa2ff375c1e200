"""What is taken up again about orders."""

import logging
from datetime import datetime, timedelta
from time import monotonic

from conference.queue import enqueue_once
from donations.actions import CannotPayNow
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
    held = Order.objects.past_their_time(now).order_by("expires_at")
    held = held.select_related("conference__organisation", "donation")
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
    longest_waiting = unmailed.order_by("confirmed_at").values_list("pk", flat=True)[:200]
    enqueue_once(mail_tickets, longest_waiting)
    Document.objects.filter(asked_at__lt=now - DOCUMENT_KEPT_FOR).delete()
