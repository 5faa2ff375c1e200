"""What the sweep does about orders, each minute."""

import logging
from datetime import datetime, timedelta
from time import monotonic

from conference.database import AWAY
from conference.queue import enqueue_once
from donations.actions import CannotPayNow
from tickets import actions
from tickets.models import Document, Order
from tickets.tasks import DOCUMENT_KEPT_FOR, mail_tickets

logger = logging.getLogger(__name__)

# An order that was confirmed this long ago and is still unmailed has lost its task.
UNMAILED_AFTER = timedelta(minutes=5)
# Seconds after which no more places are released, as Stripe answers slowly or not at all.
LONGEST = 30
# Orders at which the database may fail before the sweep leaves the rest for its next round.
MOST_FAILURES = 3


def sweep(now: datetime) -> None:
    """Release places whose time is over, mail what is unmailed, delete old PDFs."""
    held = Order.objects.past_their_time(now).order_by("expires_at")
    held = held.select_related("conference__organisation", "donation")
    began = monotonic()
    failures = 0
    for order in held[:200]:
        if monotonic() - began > LONGEST:
            break
        try:
            actions.expire(order=order, now=now)
        except CannotPayNow:
            continue  # the places are kept until Stripe can be asked
        except AWAY as error:
            # With one order this may be for ever; with several, the others would fail as well.
            logger.error("order %s: the database does not work: %s", order.reference, error)
            failures += 1
            if failures == MOST_FAILURES:
                raise
        except Exception:
            # An error with one order must not keep the others' places for ever.
            logger.exception("the places of order %s cannot be released", order.reference)
    unmailed = Order.objects.filter(
        status=Order.Status.CONFIRMED,
        mailed_at__isnull=True,
        confirmed_at__lt=now - UNMAILED_AFTER,
    )
    longest_waiting = unmailed.order_by("confirmed_at").values_list("pk", flat=True)[:200]
    enqueue_once(mail_tickets, longest_waiting)
    Document.objects.filter(asked_at__lt=now - DOCUMENT_KEPT_FOR).delete()
