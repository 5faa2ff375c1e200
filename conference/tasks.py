"""Background tasks of the ground floor: sending mail."""

import uuid

from django.utils import timezone
from django_tasks import task

from conference import delivery
from conference.models import Mail
from conference.queue import LARGE_MAIL


@task(priority=LARGE_MAIL)
def deliver_mail(mail_id: str) -> None:
    """Send one message, unless it is sent already or another worker is sending it."""
    message = Mail.objects.filter(pk=uuid.UUID(mail_id)).first()
    if message is not None:
        delivery.deliver(message, now=timezone.now())
