"""Paid at Stripe, unknown here: what a restored backup has forgotten comes to the desk.

Each of our Checkout Sessions bears our marks at Stripe (`actions._session_body`). One that was
completed and that no payment here knows is stored as an event that needs a look, under its own id:
so it is there once, whether Stripe's event or the sweep's look found it, and however often.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime

from conference.models import Heartbeat
from conference.money import format_pounds
from donations import stripe_api
from donations.models import Payment, StripeEvent

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=10)
# A session that was open at the last look is looked at again: its page stays open for half an hour.
MARGIN = timedelta(hours=1)
# So much of the past is looked through in one sweep.
MOST_AT_ONCE = timedelta(days=1)
# Until when Stripe's sessions were looked through. It is in the database, so that in a restored
# backup it is as old as the backup.
_LOOKED = "stripe sessions"


def site() -> str:
    """The mark of this site on its sessions: others may use the same Stripe account."""
    return urlsplit(settings.BASE_URL).netloc


def sweep(now: datetime) -> None:
    """Look through the sessions that were made at Stripe since the last look."""
    last = Heartbeat.objects.filter(name=_LOOKED).values_list("seen_at", flat=True).first() or now
    last = min(last, now)
    if timedelta() < now - last < LOOK_EVERY:
        return
    until = min(now, last + MOST_AT_ONCE)
    try:
        report(stripe_api.completed_sessions(since=last - MARGIN, until=until), now=now)
    except stripe_api.Unavailable as error:
        logger.warning("Stripe cannot be asked about its sessions: %s", error)
        return
    Heartbeat.objects.update_or_create(name=_LOOKED, defaults={"seen_at": until})


def look_back_to(at: datetime) -> None:
    """Have the next look begin at `at`, unless it is known where the last one ended."""
    Heartbeat.objects.get_or_create(name=_LOOKED, defaults={"seen_at": at})


def report_one(session_id: str, *, now: datetime) -> bool:
    """Store a session that Stripe has told us of, if it is unknown here; whether it is ours.

    Raises stripe_api.Unavailable.
    """
    try:
        session = stripe_api.retrieve_session(session_id)
    except stripe_api.Refused:
        return False  # of another account
    report([session], now=now)
    return _key(session) is not None


def report(sessions: Iterable[stripe_api.Session], *, now: datetime) -> None:
    """Store those of the sessions that are completed, bear our marks, and are unknown here."""
    keys = {
        session: key
        for session in sessions
        if session.status == "complete" and (key := _key(session)) is not None
    }
    known = Payment.objects.filter(
        # A live one that has not learned its session's id yet does so by itself.
        Q(session_id__in=[session.id for session in keys])
        | Q(idempotency_key__in=keys.values(), status__in=Payment.LIVE)
    )
    known_ids, known_keys = set(), set()
    for session_id, key in known.values_list("session_id", "idempotency_key"):
        known_ids.add(session_id)
        known_keys.add(key)
    StripeEvent.objects.bulk_create(
        [
            StripeEvent(
                event_id=session.id,
                type="checkout.session.completed",
                about_id=session.id,
                payment_intent_id=session.payment_intent_id or "",
                outcome=StripeEvent.Outcome.ATTENTION,
                problem=_problem(session),
                received_at=now,
            )
            for session, key in keys.items()
            if session.id not in known_ids and key not in known_keys
        ],
        ignore_conflicts=True,
    )


def _key(session: stripe_api.Session) -> uuid.UUID | None:
    """The payment's key that a session of this site bears; None for anybody else's."""
    # Sessions of earlier versions do not name their site.
    if not session.reference or session.site not in ("", site()):
        return None
    try:
        return uuid.UUID(hex=session.payment_key)
    except ValueError:
        return None


def _problem(session: stripe_api.Session) -> str:
    amount = format_pounds(session.amount_pence)
    made_at = date_format(localtime(session.created_at), "j F Y, H:i")
    paid = "paid" if session.is_paid else "on its way from the bank"
    return f"Booking {session.reference}, {amount}, {paid}, page opened on {made_at}."
