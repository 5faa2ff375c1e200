"""The mails about the Bulletin, one function a mail."""

from datetime import datetime

from django.conf import settings

from conference import mail
from signup import links
from signup.models import Subscriber


def confirm(*, subscriber: Subscriber, now: datetime) -> None:
    """Ask a pending subscriber to confirm that they want the Bulletin."""
    _write("signup/emails/confirm", subscriber, now)


def already(*, subscriber: Subscriber, now: datetime) -> None:
    """Mail a confirmed subscriber who signs up again that they receive the Bulletin already."""
    _write("signup/emails/already", subscriber, now)


def _write(template: str, subscriber: Subscriber, now: datetime) -> None:
    mail.write(
        # The key changes each quarter of an hour: in that time an address gets one mail at most.
        key=f"signup:{subscriber.pk}:{int(now.timestamp()) // 900}",
        to=subscriber.email,
        sender=settings.BULLETIN_FROM,
        template=template,
        context={
            "confirm_url": links.confirm_url(subscriber),
            "unsubscribe_url": links.unsubscribe_url(subscriber),
        },
        headers=links.unsubscribe_headers(subscriber),
        now=now,
    )
