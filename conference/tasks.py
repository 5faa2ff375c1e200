"""What a worker does for the ground."""

import uuid

from django.utils import timezone
from django_tasks import task

from conference import mail
from conference.models import Mail


@task()
def deliver_mail(mail_id: str) -> None:
    """Send one message, unless that is done or under way."""
    message = Mail.objects.filter(pk=uuid.UUID(mail_id)).first()
    if message is not None:
        mail.deliver(message, now=timezone.now())
