"""Joining the Bulletin and leaving it."""

import hashlib
import hmac
from datetime import datetime

from django.conf import settings
from django.db import transaction

from conference import mail
from signup import links, wording
from signup.models import Consent, Subscriber, Suppression


def request(
    *,
    email: str,
    first_name: str = "",
    last_name: str = "",
    source: Consent.Source,
    agreed_to: str,
    now: datetime,
) -> Subscriber | None:
    """Write down that somebody asked for the Bulletin in the words `agreed_to`.

    A new or returning address is pending until it confirms; a confirmed one stays so. None where
    the address must never be written to again; the asker is told the same in every case.
    """
    email = email.lower()
    if is_suppressed(email):
        return None
    with transaction.atomic():
        subscriber, is_new = Subscriber.objects.select_for_update(no_key=True).get_or_create(
            email=email,
            defaults={"first_name": first_name, "last_name": last_name, "requested_at": now},
        )
        if subscriber.status == Subscriber.Status.COMPLAINED:
            return None
        if not is_new and subscriber.status != Subscriber.Status.CONFIRMED:
            subscriber.status = Subscriber.Status.PENDING
            subscriber.requested_at = now
            subscriber.ended_at = None
            subscriber.first_name = first_name or subscriber.first_name
            subscriber.last_name = last_name or subscriber.last_name
            subscriber.save()
        _write_down(subscriber, Consent.Step.REQUESTED, source, now, agreed_to)
    return subscriber


def sign_up(
    *,
    email: str,
    first_name: str,
    last_name: str,
    source: Consent.Source,
    now: datetime,
) -> None:
    """Ask for the Bulletin by its own form: written down, and a mail with the confirm button."""
    subscriber = request(
        email=email,
        first_name=first_name,
        last_name=last_name,
        source=source,
        agreed_to=wording.form_wording(),
        now=now,
    )
    if subscriber is None:
        return
    is_confirmed = subscriber.status == Subscriber.Status.CONFIRMED
    mail.write(
        # At most one of these to an address in a quarter of an hour.
        key=f"signup:{subscriber.pk}:{int(now.timestamp()) // 900}",
        to=subscriber.email,
        sender=settings.BULLETIN_FROM,
        template="signup/emails/already" if is_confirmed else "signup/emails/confirm",
        context={
            "confirm_url": links.confirm_url(subscriber),
            "unsubscribe_url": links.unsubscribe_url(subscriber),
        },
        headers=links.unsubscribe_headers(subscriber),
        now=now,
    )


def confirm(*, subscriber: Subscriber, now: datetime) -> Subscriber:
    """Make a pending subscriber a confirmed one; confirming again changes nothing.

    Somebody who has unsubscribed since stays out: an old button does not bring them back.
    """
    with transaction.atomic():
        subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
        if subscriber.status == Subscriber.Status.PENDING:
            subscriber.status = Subscriber.Status.CONFIRMED
            subscriber.confirmed_at = now
            subscriber.save(update_fields=["status", "confirmed_at"])
            _write_down(subscriber, Consent.Step.CONFIRMED, Consent.Source.CONFIRM_PAGE, now)
    return subscriber


def unsubscribe(*, subscriber: Subscriber, source: Consent.Source, now: datetime) -> None:
    """Take somebody off the Bulletin; a second time changes nothing."""
    with transaction.atomic():
        subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
        if subscriber.status in (Subscriber.Status.PENDING, Subscriber.Status.CONFIRMED):
            subscriber.status = Subscriber.Status.UNSUBSCRIBED
            subscriber.ended_at = now
            subscriber.save(update_fields=["status", "ended_at"])
            _write_down(subscriber, Consent.Step.WITHDRAWN, source, now)


def erase(*, email: str, now: datetime) -> None:
    """Forget a subscriber and all their consents; the address is never written to again."""
    with transaction.atomic():
        Suppression.objects.get_or_create(
            digest=digest_of(email), defaults={"reason": "erased", "at": now}
        )
        Subscriber.objects.filter(email=email.lower()).delete()


def is_suppressed(email: str) -> bool:
    """Whether this address asked, or its provider told us, never to be written to again."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [digest_of(email, secret_key) for secret_key in keys]
    return Suppression.objects.filter(digest__in=digests).exists()


def digest_of(email: str, secret_key: str = "") -> str:
    """The keyed hash under which an address stays on the suppression list.

    An older `secret_key` gives the hash under which it was put there.
    """
    secret = (secret_key or settings.SECRET_KEY).encode()
    key = hmac.new(secret, b"suppression", hashlib.sha256).digest()
    return hmac.new(key, email.lower().encode(), hashlib.sha256).hexdigest()


def sweep(now: datetime) -> None:
    """Forget sign-ups that nobody confirmed in time, or that somebody stopped before.

    Who was a subscriber before is unsubscribed again: the proof of that stays.
    """
    lapsed = Subscriber.objects.lapsed(now)
    lapsed.filter(confirmed_at__isnull=True).delete()
    lapsed.update(status=Subscriber.Status.UNSUBSCRIBED, ended_at=now)


def _write_down(
    subscriber: Subscriber,
    step: Consent.Step,
    source: Consent.Source,
    now: datetime,
    agreed_to: str = "",
) -> None:
    Consent.objects.create(
        subscriber=subscriber,
        step=step,
        source=source,
        at=now,
        wording=agreed_to,
        wording_version=wording.WORDING_VERSION if agreed_to else "",
        privacy_version=wording.PRIVACY_VERSION,
    )
