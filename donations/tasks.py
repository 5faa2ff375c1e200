"""What a worker does about money. Settling comes before anything else that waits.

Where Stripe cannot be asked nothing is lost: the sweep takes it up again.
"""

import logging

from django.utils import timezone
from django_tasks import task

from donations import refunds, stripe_api, webhooks
from donations.models import Refund

logger = logging.getLogger(__name__)


@task(priority=50)
def process_inbox() -> None:
    """Look at the events of the inbox that wait."""
    try:
        webhooks.process_inbox(now=timezone.now())
    except stripe_api.Unavailable as error:
        logger.warning("the inbox waits: %s", error)


@task(priority=20)
def send_refund(refund_pk: int) -> None:
    """Ask Stripe for one refund, unless that is done."""
    refund = Refund.objects.select_related("payment").filter(pk=refund_pk).first()
    if refund is None:
        return
    try:
        refunds.send(refund=refund, now=timezone.now())
    except stripe_api.Unavailable as error:
        logger.warning("refund %s waits: %s", refund.pk, error)
