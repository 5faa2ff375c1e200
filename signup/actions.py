"""Joining the Bulletin and leaving it."""

import hashlib
import hmac
from datetime import datetime

from django.conf import settings
from django.db import transaction

from conference import mail
from signup import mails, wording
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
    """Record that somebody asked for the Bulletin by agreeing to the wording `agreed_to`.

    A new or returning address is pending until it confirms; a confirmed one stays confirmed.
    Returns None for an address that must never be written to again. The page must respond the same
    in every case, so that it does not reveal who is on the list.
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
            # What is known stays: anybody can type anybody's address.
            subscriber.first_name = subscriber.first_name or first_name
            subscriber.last_name = subscriber.last_name or last_name
            subscriber.save()
        _write_down(subscriber, Consent.Step.REQUESTED, source, now, agreed_to)
    return subscriber


def sign_up(
    *,
    email: str,
    first_name: str,
    last_name: str,
    source: Consent.Source,
    asked_at: datetime | None = None,
    now: datetime,
) -> None:
    """Record a sign-up from the Bulletin's own form, and mail the link to confirm it.

    `asked_at` is when the form was sent, if that is not `now`. A confirmed subscriber is mailed
    that they receive the Bulletin already. An address that has had many mails today gets no
    further one.
    """
    subscriber = request(
        email=email,
        first_name=first_name,
        last_name=last_name,
        source=source,
        agreed_to=wording.form_wording(),
        now=asked_at or now,
    )
    if subscriber is None or not mail.has_room(email, now=now):
        return
    if subscriber.status == Subscriber.Status.CONFIRMED:
        mails.already(subscriber=subscriber, now=now)
    else:
        mails.confirm(subscriber=subscriber, now=now)


def confirm(*, subscriber: Subscriber, now: datetime) -> Subscriber:
    """Confirm a pending subscriber. Idempotent.

    Somebody who has unsubscribed since stays unsubscribed: an old link does not bring them back.
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
    """Unsubscribe somebody from the Bulletin. Idempotent."""
    with transaction.atomic():
        subscriber = Subscriber.objects.select_for_update(no_key=True).get(pk=subscriber.pk)
        if subscriber.status in (Subscriber.Status.PENDING, Subscriber.Status.CONFIRMED):
            subscriber.status = Subscriber.Status.UNSUBSCRIBED
            subscriber.ended_at = now
            subscriber.save(update_fields=["status", "ended_at"])
            _write_down(subscriber, Consent.Step.WITHDRAWN, source, now)


def erase(*, email: str, now: datetime) -> bool:
    """Delete a subscriber and all their consents; the address is never written to again.

    Returns whether there was one. The address is suppressed either way.
    """
    with transaction.atomic():
        _suppress(email, "erased", now)
        deleted, _by_model = Subscriber.objects.filter(email=email.lower()).delete()
    return deleted > 0


def forget_those_who_left(*, before: datetime, most: int, now: datetime) -> None:
    """Delete those who left the Bulletin before this, with the proof of their consent.

    Somebody who complained is still never written to: the address stays as a keyed hash.
    """
    with transaction.atomic():
        left = list(Subscriber.objects.filter(ended_at__lt=before).order_by("pk")[:most])
        for subscriber in left:
            if subscriber.status == Subscriber.Status.COMPLAINED:
                _suppress(subscriber.email, "complained", now)
        Subscriber.objects.filter(pk__in=[subscriber.pk for subscriber in left]).delete()


def is_suppressed(email: str) -> bool:
    """Whether this address must never be written to again."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [digest_of(email, secret_key) for secret_key in keys]
    return Suppression.objects.filter(digest__in=digests).exists()


def digest_of(email: str, secret_key: str = "") -> str:
    """The keyed hash of an address in the suppression list.

    The key is derived from `secret_key`, by default the current one. A row that was written with
    an older key is found with that one.
    """
    secret = (secret_key or settings.SECRET_KEY).encode()
    key = hmac.new(secret, b"suppression", hashlib.sha256).digest()
    return hmac.new(key, email.lower().encode(), hashlib.sha256).hexdigest()


def sweep(now: datetime) -> None:
    """Delete sign-ups that were not confirmed in time, or were withdrawn before that.

    Somebody who had been a confirmed subscriber earlier is set to unsubscribed instead, so that
    the proof of their consent stays.
    """
    lapsed = Subscriber.objects.lapsed(now)
    lapsed.filter(confirmed_at__isnull=True).delete()
    lapsed.update(status=Subscriber.Status.UNSUBSCRIBED, ended_at=now)


def _suppress(email: str, reason: str, now: datetime) -> None:
    Suppression.objects.get_or_create(
        digest=digest_of(email), defaults={"reason": reason, "at": now}
    )


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
