"""What a worker does about money. Settling comes before anything else that waits.

Where Stripe cannot be asked nothing is lost: the sweep takes it up again.
"""

import logging

from django.utils import timezone
from django_tasks import task

from donations import actions, stripe_api, webhooks
from donations.models import Refund, StripeEvent

logger = logging.getLogger(__name__)


@task(priority=50)
def process_event(event_pk: int) -> None:
    """Look at one event of the inbox, unless that is done."""
    event = StripeEvent.objects.filter(pk=event_pk).first()
    if event is None:
        return
    try:
        webhooks.process(event, now=timezone.now())
    except stripe_api.Unavailable as error:
        logger.warning("event %s waits: %s", event.event_id, error)


@task(priority=20)
def send_refund(refund_pk: int) -> None:
    """Ask Stripe for one refund, unless that is done."""
    refund = Refund.objects.select_related("payment").filter(pk=refund_pk).first()
    if refund is None:
        return
    try:
        actions.send_refund(refund=refund, now=timezone.now())
    except stripe_api.Unavailable as error:
        logger.warning("refund %s waits: %s", refund.pk, error)
