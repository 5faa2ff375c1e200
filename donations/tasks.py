"""Background tasks about money. The inbox has priority over all other tasks.

If Stripe cannot be asked, nothing is lost: the sweep tries again.
"""

import logging

from django.utils import timezone
from django_tasks import task

from conference.queue import MONEY, REFUND, withdraw
from donations import inbox, refunds, stripe_api
from donations.models import Refund

logger = logging.getLogger(__name__)


@task(priority=MONEY)
def process_inbox() -> None:
    """Process the waiting events of the inbox; enqueue this task again if some are left.

    Every event enqueues this task when it is stored, but one run serves them all.
    """
    # Before the events are read, not after. An event and its task are stored in one transaction,
    # so the event of each task that is withdrawn here is among those that are read below.
    withdraw(process_inbox)
    try:
        is_more_waiting = inbox.process(now=timezone.now())
    except stripe_api.Unavailable as error:
        logger.warning("the inbox waits: %s", error)
        return
    if is_more_waiting:
        process_inbox.enqueue()


@task(priority=REFUND)
def send_refund(refund_pk: int) -> None:
    """Request one refund from Stripe, or ask about its state."""
    refund = Refund.objects.select_related("payment").filter(pk=refund_pk).first()
    if refund is None:
        return
    try:
        refunds.send(refund=refund, now=timezone.now())
    except stripe_api.Unavailable as error:
        logger.warning("refund %s waits: %s", refund.pk, error)
