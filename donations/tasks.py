"""What a worker does about money. Settling comes before anything else that waits."""

from django.utils import timezone
from django_tasks import task

from donations import actions, webhooks
from donations.models import Refund, StripeEvent


@task(priority=50)
def process_event(event_pk: int) -> None:
    """Look at one event of the inbox, unless that is done."""
    event = StripeEvent.objects.filter(pk=event_pk).first()
    if event is not None:
        webhooks.process(event, now=timezone.now())


@task(priority=20)
def send_refund(refund_pk: int) -> None:
    """Ask Stripe for one refund, unless that is done."""
    refund = Refund.objects.select_related("payment").filter(pk=refund_pk).first()
    if refund is not None:
        actions.send_refund(refund=refund, now=timezone.now())
