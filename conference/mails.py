"""The mails about log-ins, one function a mail."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from conference import mail
from conference.models import Organisation, User


def password_forgotten(*, user: User, now: datetime) -> None:
    """The link by which somebody chooses a new password, once and within an hour."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("conference:password_new", args=[uid, default_token_generator.make_token(user)])
    # What others have us mail must not keep it away, nor it keep other mails away.
    _write("password_forgotten", user, now, counts=False, new_url=settings.BASE_URL + path)


def password_changed(*, user: User, now: datetime) -> None:
    """Tell somebody that their password was changed, in case it was not them."""
    path = reverse("conference:password_forgotten")
    _write("password_changed", user, now, forgotten_url=settings.BASE_URL + path)


def address_changed(*, user: User, old: str, now: datetime) -> None:
    """Tell somebody, at their old address, that they log in with another one from now on."""
    _write("address_changed", user, now, to=old)


def _write(
    name: str, user: User, now: datetime, to: str = "", *, counts: bool = True, **context: object
) -> None:
    mail.write(
        key=f"{name}:{user.pk}:{now.isoformat(timespec='seconds')}",
        to=to or user.email,
        template=f"conference/emails/{name}",
        context={
            "user": user,
            "organisation": Organisation.objects.order_by("pk").first(),
            **context,
        },
        counts=counts,
        now=now,
    )
