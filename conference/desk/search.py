"""The orders and tickets that a search at the desk finds."""

from contextlib import suppress
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from conference import codes
from conference.matching import has_all_words
from conference.models import Conference
from tickets.models import Order, ReplacedCode, Ticket


def orders(conference: Conference, wanted: dict[str, Any]) -> QuerySet[Order]:
    """The conference's orders that fit `words` and `status` (both optional), newest first."""
    rows = Order.objects.filter(conference=conference).select_related("donation")
    if wanted.get("status"):
        rows = rows.filter(status=wanted["status"])
    words = wanted.get("words", "")
    if words:
        theirs = Ticket.objects.filter(order__conference=conference).filter(_ticket_fits(words))
        rows = rows.filter(
            has_all_words(words, "name", "email")
            | _coded(words, "")
            | Q(pk__in=theirs.values("order"))
        )
    return rows.order_by("-created_at", "-pk")


def with_tickets(rows: QuerySet[Order]) -> QuerySet[Order]:
    """The same orders, each with its tickets fetched."""
    return rows.prefetch_related(
        Prefetch("tickets", Ticket.objects.select_related("ticket_type").order_by("pk"))
    )


def attendees(conference: Conference, wanted: dict[str, Any]) -> QuerySet[Any]:
    """The conference's tickets that fit, by name, each with `entered_at` and `entered_by_gate`.

    `wanted` may hold `words`, `status` (empty: with a place; 'any': all), `ticket_type` and
    `entry` ('in' or 'not in').
    """
    rows = Ticket.objects.filter(order__conference=conference).with_entry()
    status = wanted.get("status") or ""
    if not status:
        rows = rows.filter(status__in=Ticket.HOLDING)
    elif status != "any":
        rows = rows.filter(status=status)
    if wanted.get("ticket_type"):
        rows = rows.filter(ticket_type=wanted["ticket_type"])
    words = wanted.get("words", "")
    if words:
        rows = rows.filter(
            _ticket_fits(words)
            | has_all_words(words, "order__name", "order__email")
            | _coded(words, "order__")
        )
    if wanted.get("entry"):
        rows = rows.filter(entered_at__isnull=wanted["entry"] == "not in")
    return rows.order_by("attendee_name", "pk")


def _ticket_fits(words: str) -> Q:
    fits = has_all_words(words, "attendee_name", "attendee_email") | _coded(words, "")
    fits |= Q(pk__in=ReplacedCode.objects.filter(_coded(words, "")).values("ticket"))
    # A scanner types the whole code into the field.
    with suppress(codes.NotATicket, codes.BadSignature, codes.UnknownKey):
        fits |= Q(number=codes.read(words).number)
    return fits


def _coded(words: str, prefix: str) -> Q:
    """The reference is the short code that was typed; other words fit no reference."""
    try:
        return Q(**{f"{prefix}reference": codes.normalise_short(words)})
    except codes.NotATicket:
        return Q(pk__in=())
