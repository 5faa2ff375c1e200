"""The Bulletin's secret links: a signed token for one purpose each, without the address."""

import uuid

from django.conf import settings
from django.core import signing
from django.urls import reverse

from signup.models import PENDING_FOR, Subscriber

_CONFIRM = "signup.confirm"
_UNSUBSCRIBE = "signup.unsubscribe"


class BadLink(Exception):
    """The link is not ours, was changed, or has expired."""


def confirm_url(subscriber: Subscriber) -> str:
    """The link by which this subscriber confirms; valid for PENDING_FOR."""
    token = signing.dumps(subscriber.key.hex, salt=_CONFIRM)
    return settings.BASE_URL + reverse("signup:confirm", args=[token])


def unsubscribe_url(subscriber: Subscriber) -> str:
    """The link by which this subscriber unsubscribes; it never expires."""
    token = signing.dumps(subscriber.key.hex, salt=_UNSUBSCRIBE)
    return settings.BASE_URL + reverse("signup:unsubscribe", args=[token])


def unsubscribe_headers(subscriber: Subscriber) -> dict[str, str]:
    """The headers that give mail programs their own unsubscribe button (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{unsubscribe_url(subscriber)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def subscriber_to_confirm(token: str) -> Subscriber:
    """The subscriber in the token of a confirmation link. Raises BadLink."""
    return _subscriber(token, _CONFIRM, max_age=PENDING_FOR.total_seconds())


def subscriber_to_unsubscribe(token: str) -> Subscriber:
    """The subscriber in the token of an unsubscribe link. Raises BadLink."""
    return _subscriber(token, _UNSUBSCRIBE, max_age=None)


def _subscriber(token: str, salt: str, max_age: float | None) -> Subscriber:
    try:
        return Subscriber.objects.get(
            key=uuid.UUID(str(signing.loads(token, salt=salt, max_age=max_age)))
        )
    except (signing.BadSignature, Subscriber.DoesNotExist, ValueError) as error:
        raise BadLink from error
