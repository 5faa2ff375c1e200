"""All calls to Stripe, in the only module that imports its SDK.

Answers are small frozen objects of our own. A call that fails raises one of two exceptions:
`Unavailable` if the outcome is not known, so that the same call may be made again with the same
key, or `Refused` if Stripe understood it and said no.
"""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import stripe
from django.conf import settings

logger = logging.getLogger(__name__)

# Seconds to connect and to wait for an answer. A visitor may be waiting for it.
_TIMEOUT = (3, 10)
# Stripe's ids and the types of its events, so that nothing else gets into the database and into
# addresses of ours.
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,255}")
# How long after its first use Stripe still knows an idempotency key.
KEY_KEPT_FOR = timedelta(hours=23)

stripe.enable_telemetry = False


class Unavailable(Exception):
    """Stripe could not be reached or did not answer properly; the outcome is unknown."""


class Broken(Unavailable):
    """Stripe reports an error on its own side.

    It repeats this answer for the same key. So check whether the call has taken effect, and if not,
    call again with a new key.
    """


class Refused(Exception):
    """Stripe answered that it will not do this."""


class BadEvent(Exception):
    """Not an event that Stripe signed for us."""


@dataclass(frozen=True)
class Session:
    """A Checkout Session as Stripe reports it."""

    id: str
    url: str
    status: str  # open, complete, expired
    payment_status: str  # paid, unpaid, no_payment_required
    amount_pence: int
    currency: str
    is_live: bool
    payment_intent_id: str | None
    created_at: datetime
    # What we put on it ourselves; empty if we did not.
    reference: str = ""
    payment_key: str = ""
    site: str = ""
    intent_status: str = ""  # set by `retrieve_session` only

    @property
    def is_paid(self) -> bool:
        return self.status == "complete" and self.payment_status != "unpaid"

    @property
    def has_failed(self) -> bool:
        """The payer had finished, but the bank refused."""
        return self.status == "complete" and self.intent_status in (
            "requires_payment_method",
            "canceled",
        )


@dataclass(frozen=True)
class RefundState:
    """A refund as Stripe reports it."""

    id: str
    status: str  # pending, requires_action, succeeded, failed, canceled
    amount_pence: int
    payment_intent_id: str | None
    our_mark: str = ""  # what we passed to `create_refund`; empty if we did not make the refund


@dataclass(frozen=True)
class Event:
    """What an event is about. Its current state is read from Stripe, never from the event."""

    id: str
    type: str
    is_live: bool
    about_id: str  # of the session, refund, dispute, …; empty where Stripe names none
    payment_intent_id: str  # of the payment behind it; empty where there is none


def create_session(body: dict[str, Any], *, key: str) -> Session:
    """Open a Checkout Session with exactly this body; the same key and body return the same one."""
    with _asking():
        made = _client().v1.checkout.sessions.create(
            body,  # type: ignore[arg-type]
            {"idempotency_key": key},
        )
        return _session(made)


def retrieve_session(session_id: str) -> Session:
    """The current state of a session."""
    with _asking():
        return _session(
            _client().v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]})
        )


def expire_session(session_id: str) -> Session:
    """Close an open session. Raises Refused if it is not open, perhaps because it was paid."""
    with _asking():
        return _session(_client().v1.checkout.sessions.expire(session_id))


def find_session(client_reference: str, *, since: datetime) -> Session | None:
    """The session with this client_reference_id that was made after `since`, if there is one."""
    with _asking():
        listed = _client().v1.checkout.sessions.list(
            {"created": {"gte": int(since.timestamp())}, "limit": 100}
        )
        for made in listed.auto_paging_iter():
            if made.client_reference_id == client_reference:
                return _session(made)
    return None


def completed_sessions(*, since: datetime, until: datetime) -> Iterator[Session]:
    """The sessions made from `since` to before `until` whose payer has finished, newest first."""
    span = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
    with _asking():
        listed = _client().v1.checkout.sessions.list(
            {"created": span, "status": "complete", "limit": 100}  # type: ignore[typeddict-item]
        )
        for made in listed.auto_paging_iter():
            yield _session(made)


def create_refund(
    *, payment_intent_id: str, amount_pence: int, key: str, our_mark: str, reason: str
) -> RefundState:
    """Refund money; the same key returns the same refund. Stripe returns `our_mark` with it."""
    with _asking():
        return _refund(
            _client().v1.refunds.create(
                {
                    "payment_intent": payment_intent_id,
                    "amount": amount_pence,
                    "metadata": {"refund": our_mark, "reason": reason},
                },
                {"idempotency_key": key},
            )
        )


def retrieve_refund(refund_id: str) -> RefundState:
    """The current state of a refund."""
    with _asking():
        return _refund(_client().v1.refunds.retrieve(refund_id))


def refunds_of(payment_intent_id: str) -> list[RefundState]:
    """All refunds of one payment, also those that were made on Stripe's own pages."""
    with _asking():
        listed = _client().v1.refunds.list({"payment_intent": payment_intent_id, "limit": 100})
        return [_refund(made) for made in listed.auto_paging_iter()]


def read_event(payload: bytes, signature: str) -> Event:
    """The event in a webhook's body. Raises BadEvent for anything Stripe did not sign for us.

    Signed or not, a body of another shape than Stripe's events is no event. It is read as plain
    JSON: the SDK's objects fail in too many ways over what they do not expect.
    """
    try:
        stripe.WebhookSignature.verify_header(
            payload,
            signature if signature.isascii() else "",  # the SDK would raise TypeError
            settings.STRIPE_WEBHOOK_SECRET,
            stripe.Webhook.DEFAULT_TOLERANCE,
        )
        return _event(json.loads(payload))
    except (stripe.SignatureVerificationError, ValueError, RecursionError) as error:
        raise BadEvent(type(error).__name__) from error


def undelivered_events(types: Sequence[str], *, since: datetime) -> Iterator[Event]:
    """Events of these types that did not reach our webhook, newest first."""
    with _asking():
        listed = _client().v1.events.list(
            {
                "delivery_success": False,
                "types": list(types),
                "created": {"gte": int(since.timestamp())},
                "limit": 100,
            }
        )
        for made in listed.auto_paging_iter():
            yield _event(made.to_dict())


def _client() -> stripe.StripeClient:
    return _client_for(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@cache
def _client_for(secret_key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": base},
        http_client=stripe.RequestsClient(timeout=_TIMEOUT),
        max_network_retries=1,
    )


@contextmanager
def _asking() -> Iterator[None]:
    """Turn the SDK's exceptions into Unavailable or Refused."""
    try:
        yield
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as error:
        raise Refused(str(error)) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # This will not pass by itself, unlike a lost connection, so it is logged as an error.
        logger.error("Stripe does not take our key: %s", type(error).__name__)
        raise Unavailable(f"{type(error).__name__}: {error}") from error
    except stripe.StripeError as error:
        # A 409 is among these: Stripe is still processing a call with the same key.
        is_broken = (error.http_status or 0) >= 500
        kind = Broken if is_broken else Unavailable
        raise kind(f"{type(error).__name__}: {error}") from error


def _event(made: Any) -> Event:
    """The event that Stripe sent as this JSON. Raises BadEvent if it is none."""
    match made:
        case {
            "object": "event",
            "id": str(event_id),
            "type": str(kind),
            "livemode": bool(is_live),
            "data": {"object": about},
        } if _WORD.fullmatch(event_id) and _WORD.fullmatch(kind) and len(kind) <= 100:
            about = about if isinstance(about, dict) else {}
            is_intent = about.get("object") == "payment_intent"
            intent = about.get("id" if is_intent else "payment_intent")
            return Event(event_id, kind, is_live, _id(about), _id(intent))
    raise BadEvent("not of an event's shape")


def _id(about: Any) -> str:
    """The id of something that Stripe names by its id or sends whole; empty if it has none."""
    named = about.get("id") if isinstance(about, dict) else about
    return named if isinstance(named, str) and _WORD.fullmatch(named) else ""


def _session(made: Any) -> Session:
    intent = made.payment_intent  # an id, or the object if it was expanded
    return Session(
        id=made.id,
        url=made.url or "",
        status=made.status,
        payment_status=made.payment_status,
        amount_pence=made.amount_total,
        currency=made.currency,
        is_live=made.livemode,
        payment_intent_id=getattr(intent, "id", intent),
        created_at=datetime.fromtimestamp(made.created, UTC),
        reference=getattr(made.metadata, "reference", ""),
        payment_key=getattr(made.metadata, "payment", ""),
        site=getattr(made.metadata, "site", ""),
        intent_status=getattr(intent, "status", ""),
    )


def _refund(made: Any) -> RefundState:
    return RefundState(
        id=made.id,
        status=made.status,
        amount_pence=made.amount,
        payment_intent_id=made.payment_intent,
        our_mark=getattr(made.metadata, "refund", ""),
    )
